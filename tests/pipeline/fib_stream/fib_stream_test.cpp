#include "kernels/pipeline/fib_stream/fib_stream.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <thread>

#include "tests/pipeline/fib_stream/asked_stream.hpp"

namespace duet {
namespace {

Execution shared_execution(Model model, int threads, const std::map<std::string, std::string>& given = {}) {
  return {.threads = threads, .tunables = fib_stream_settings(model, given)};
}

class FibStreamShared : public testing::TestWithParam<Model> {};

TEST_P(FibStreamShared, AnswersInOrderWhateverGoesTogether) {
  for (const std::size_t together : {1U, 7U, 1'000U}) {
    for (const int threads : {1, 2, 3}) {
      if (GetParam() == Model::serial && threads > 1) continue;
      AskedStream asked{mixed_inputs(), together};
      const StreamFigures figures = fib_stream(asked.stream, GetParam(), shared_execution(GetParam(), threads));
      ASSERT_TRUE(asked.text == asked.expected()) << together << " together, " << threads << " threads";
      ASSERT_EQ(figures.size(), 5U);
      for (const StageFigures& stage : figures) {
        EXPECT_EQ(stage.items, static_cast<std::int64_t>(asked.inputs.size())) << stage.name;
        EXPECT_GT(stage.useful_seconds, 0) << stage.name;
      }
      EXPECT_EQ(figures.back().bytes_in, static_cast<std::int64_t>(asked.text.size()));
    }
  }
}

TEST_P(FibStreamShared, AnswersModulo) {
  for (const std::uint64_t modulus : {std::uint64_t{1}, std::uint64_t{10}, std::uint64_t{1'000'000'007},
                                      std::uint64_t{18'446'744'073'709'551'557U}}) {
    AskedStream asked{mixed_inputs(), 50};
    asked.stream.modulus = modulus;
    static_cast<void>(fib_stream(asked.stream, GetParam(), shared_execution(GetParam(), 1)));
    ASSERT_TRUE(asked.text == asked.expected()) << modulus;
  }
}

TEST_P(FibStreamShared, TakesNothingWhereNothingIsAsked) {
  AskedStream asked{{}, 5};
  static_cast<void>(fib_stream(asked.stream, GetParam(), shared_execution(GetParam(), 1)));
  EXPECT_EQ(asked.text, "");
}

TEST_P(FibStreamShared, HoldsFewItemsWhileTheTakerIsSlow) {
  constexpr std::size_t count = 100'000;
  constexpr std::size_t together = 100;
  std::vector<AskedInput> inputs(count);
  for (std::size_t i = 0; i < count; ++i) inputs[i].n = i % 500;
  AskedStream asked{std::move(inputs), together};
  std::atomic<std::int64_t> begun = 0;
  std::atomic<std::int64_t> most = 0;
  std::int64_t taken = 0;
  std::size_t bytes = 0;
  asked.stream.next = [&, next = asked.stream.next](StreamItem& item) {
    const bool found = next(item);
    begun += found ? 1 : 0;
    return found;
  };
  asked.stream.take = [&](StreamItem& item) {
    most = std::max(most.load(), begun.load() - taken);
    std::this_thread::sleep_for(std::chrono::microseconds{50});
    bytes += item.data.size();
    ++taken;
  };
  const Execution execution = GetParam() == Model::serial ? shared_execution(GetParam(), 1)
                                                          : shared_execution(GetParam(), 2, {{"tokens", "6"}});
  static_cast<void>(fib_stream(asked.stream, GetParam(), execution));
  EXPECT_EQ(taken, static_cast<std::int64_t>(count / together));
  EXPECT_LE(most.load(), 6);
  EXPECT_GT(bytes, count);
}

TEST_P(FibStreamShared, GivesTheSameAnswersHoweverItWaits) {
  for (const std::string waiting : {"blocking", "threads", "asynchronous"}) {
    AskedStream asked{mixed_inputs(), 40};
    asked.stream.wait_seconds = 2e-3;
    const Execution execution = GetParam() == Model::serial ? shared_execution(GetParam(), 1)
                                                            : shared_execution(GetParam(), 2, {{"waiting", waiting}});
    const StreamFigures figures = fib_stream(asked.stream, GetParam(), execution);
    ASSERT_TRUE(asked.text == asked.expected()) << waiting;
    EXPECT_EQ(figures[1].kind, StageKind::waiting);
    EXPECT_GE(figures[1].useful_seconds, 2e-3 * 10);
    const int workers = GetParam() == Model::serial ? 1 : waiting == "blocking" ? 2 : 20;
    EXPECT_EQ(figures[1].workers, workers) << waiting;
  }
}

TEST_P(FibStreamShared, EndsWithWhatTheTakerThrows) {
  AskedStream asked{std::vector<AskedInput>(5'000, AskedInput{.n = 90}), 10};
  std::int64_t taken = 0;
  asked.stream.take = [&](StreamItem& /*item*/) {
    if (++taken == 5) throw std::runtime_error("the disk is full");
  };
  EXPECT_THROW(static_cast<void>(fib_stream(asked.stream, GetParam(), shared_execution(GetParam(), 1))),
               std::runtime_error);
  EXPECT_EQ(taken, 5);
  EXPECT_LT(asked.at, 1'000U);
}

INSTANTIATE_TEST_SUITE_P(Models, FibStreamShared, testing::Values(Model::serial, Model::openmp, Model::tbb),
                         [](const auto& given) { return std::string{name_of(given.param)}; });

TEST(FibStream, RefusesWhatIsTooLarge) {
  const Problem problem = fib_stream_problem();
  EXPECT_THROW(static_cast<void>(problem.pose("5", 1, {{"largest", "98984914895"}})), std::invalid_argument);
  FibStream asked;
  asked.largest = 98'984'914'895;
  EXPECT_THROW(static_cast<void>(fib_stream(asked, Model::serial, {})), std::invalid_argument);
}

TEST(FibChunk, KeepsNumbersEndsAndMarks) {
  StreamItem item;
  const std::vector<std::uint64_t> n{5, 6, 7};
  const std::vector<unsigned char> marks{minus_mark, 0, unanswerable_mark};
  write_inputs(item, n, marks);
  EXPECT_EQ(item.count, 3);
  const FibChunk inputs = inputs_in(item);
  EXPECT_TRUE(inputs.is(0, minus_mark));
  EXPECT_FALSE(inputs.is(1, minus_mark));
  EXPECT_EQ(inputs.n[2], 7U);
  FibChunkWriter lines{inputs, 100, item.spare};
  for (std::size_t i = 0; i < 3; ++i) {
    char* const to = lines.next();
    std::fill_n(to, i, 'x');
    to[i] = '\n';
    lines.end(to + i + 1, inputs.marks[i], 1);
  }
  item.data.swap(item.spare);
  const FibChunk answers = answers_in(item);
  EXPECT_EQ(answers.lines(), "\nx\nxx\n");
  EXPECT_EQ(answers.line(0), "");
  EXPECT_EQ(answers.line(2), "xx");
  EXPECT_TRUE(answers.is(2, unanswerable_mark));
}

}  // namespace
}  // namespace duet
