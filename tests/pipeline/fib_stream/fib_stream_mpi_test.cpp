#include <gtest/gtest.h>
#include <mpi.h>
#include <unistd.h>

#include <stdexcept>

#include "kernels/core/mpi.hpp"
#include "tests/all_ranks.hpp"
#include "tests/pipeline/fib_stream/asked_stream.hpp"

namespace duet {
namespace {

class FibStreamRanks : public testing::Test {
 protected:
  [[nodiscard]] Execution execution(Model model, const std::map<std::string, std::string>& given) const {
    return {.threads = model == Model::mpi ? 1 : 2,
            .communicator = communicator_.get(),
            .tunables = fib_stream_settings(model, given)};
  }
  [[nodiscard]] bool is_root() const { return rank_in(communicator_.get()) == 0; }
  [[nodiscard]] int ranks() const { return size_of(communicator_.get()); }

  template <class Act>
  static void each_mapping(Act&& act) {
    for (const Model model : {Model::mpi, Model::hybrid}) {
      for (const std::string mapping : {"farm", "stages", "auto"}) act(model, mapping);
    }
  }

 private:
  Communicator communicator_ = Communicator::duplicate(MPI_COMM_WORLD);
};

TEST_F(FibStreamRanks, AnswerInOrderWhateverGoesTogether) {
  each_mapping([&](Model model, const std::string& mapping) {
    for (const std::size_t together : {1U, 40U}) {
      AskedStream asked{mixed_inputs(), together};
      const StreamFigures figures = fib_stream(asked.stream, model, execution(model, {{"mapping", mapping}}));
      bool right = asked.text == (is_root() ? asked.expected() : "");
      for (const StageFigures& stage : figures) {
        right = right && stage.items == static_cast<std::int64_t>(asked.inputs.size()) && stage.useful_seconds > 0;
      }
      ASSERT_TRUE(on_every_rank(right && figures.size() == 5)) << mapping << ", " << together << " together";
    }
  });
}

TEST_F(FibStreamRanks, AnswerModulo) {
  each_mapping([&](Model model, const std::string& mapping) {
    AskedStream asked{mixed_inputs(), 30};
    asked.stream.modulus = 1'000'000'007;
    static_cast<void>(fib_stream(asked.stream, model, execution(model, {{"mapping", mapping}})));
    ASSERT_TRUE(on_every_rank(asked.text == (is_root() ? asked.expected() : ""))) << mapping;
  });
}

TEST_F(FibStreamRanks, GiveTheSameAnswersHoweverTheyWait) {
  each_mapping([&](Model model, const std::string& mapping) {
    for (const std::string waiting : {"blocking", "threads", "asynchronous"}) {
      AskedStream asked{mixed_inputs(), 40};
      asked.stream.wait_seconds = 2e-3;
      const StreamFigures figures =
          fib_stream(asked.stream, model, execution(model, {{"mapping", mapping}, {"waiting", waiting}}));
      const bool right = asked.text == (is_root() ? asked.expected() : "") && figures[1].useful_seconds >= 2e-3 * 10;
      ASSERT_TRUE(on_every_rank(right)) << mapping << ", " << waiting;
    }
  });
}

TEST_F(FibStreamRanks, HoldFewItemsWhileTheTakerIsSlow) {
  each_mapping([&](Model model, const std::string& mapping) {
    AskedStream asked{std::vector<AskedInput>(3'000, AskedInput{.n = 90}), 10};
    std::int64_t begun = 0;
    std::int64_t taken = 0;
    std::int64_t most = 0;
    asked.stream.next = [&, next = asked.stream.next](StreamItem& item) {
      const bool found = next(item);
      begun += found ? 1 : 0;
      return found;
    };
    asked.stream.take = [&](StreamItem& /*item*/) {
      most = std::max(most, begun - taken++);
      if (taken % 20 == 0) usleep(200);
    };
    // Each process has one of the tokens at the least.
    static_cast<void>(fib_stream(asked.stream, model, execution(model, {{"mapping", mapping}, {"tokens", "7"}})));
    ASSERT_TRUE(on_every_rank(!is_root() || (taken == 300 && most <= 7 + ranks()))) << most;
  });
}

TEST_F(FibStreamRanks, AllEndWhenTheTakerThrows) {
  each_mapping([&](Model model, const std::string& mapping) {
    AskedStream asked{std::vector<AskedInput>(5'000, AskedInput{.n = 90}), 10};
    asked.stream.take = [](StreamItem& item) {
      if (item.index == 5) throw std::runtime_error("the disk is full");
    };
    bool thrown = false;
    try {
      static_cast<void>(fib_stream(asked.stream, model, execution(model, {{"mapping", mapping}})));
    } catch (const std::runtime_error& error) {
      thrown = !is_root() || error.what() == std::string{"the disk is full"};
    }
    ASSERT_TRUE(on_every_rank(thrown));
  });
}

TEST_F(FibStreamRanks, SayNoWhereOneDigestIsWrong) {
  constexpr std::int64_t count = 60;
  const FibInputs inputs = FibInputs::random(Spread::uniform, count, 3'000, 4);
  FibDigests found;
  for (std::int64_t i = 0; is_root() && i < count; ++i) {
    GmpNumber number;
    mpz_fib_ui(number.get(), inputs[i]);
    found.of_text.push_back(digest_of_line(decimal_by_gmp(number.limbs())));
  }
  std::vector<std::uint64_t> expected;
  const Execution with = execution(Model::mpi, {});
  ASSERT_TRUE(on_every_rank(judge_fib_stream(inputs, found, expected, 1, with).right));
  for (const std::size_t wrong : {0U, 31U, 59U}) {
    FibDigests altered = found;
    if (is_root()) altered.of_text[wrong] ^= 1;
    for (const bool judged_before : {true, false}) {
      if (!judged_before) expected.clear();
      const Judgement judgement = judge_fib_stream(inputs, altered, expected, 1, with);
      const std::string said = "input " + std::to_string(wrong) + ": ";
      ASSERT_TRUE(on_every_rank(!judgement.right && judgement.explanation.starts_with(said)));
    }
  }
  if (is_root()) found.of_text.pop_back();
  ASSERT_TRUE(on_every_rank(!judge_fib_stream(inputs, found, expected, 1, with).right));
}

}  // namespace
}  // namespace duet
