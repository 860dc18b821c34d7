#include <gtest/gtest.h>

#include <atomic>
#include <vector>

#include "kernels/core/mpi.hpp"
#include "kernels/pipeline/stream/stream_ranks.hpp"
#include "tests/all_ranks.hpp"
#include "tests/pipeline/stream/counting_stream.hpp"

namespace duet {
namespace {

Execution execution_with(int threads) {
  Execution execution;
  execution.threads = threads;
  execution.communicator = MPI_COMM_WORLD;
  return execution;
}

bool is_root() { return rank_in(MPI_COMM_WORLD) == 0; }

std::vector<std::vector<StageGroup>> divisions(std::size_t stages) {
  const int ranks = size_of(MPI_COMM_WORLD);
  std::vector<double> uneven{0.1, 3, 1, 0.2};
  uneven.resize(stages);
  return {farm(stages, ranks), stages_by_cost(std::vector<double>(stages, 1), ranks), stages_by_cost(uneven, ranks)};
}

TEST(StreamRanks, TakeEveryItemOnceAndInOrder) {
  for (const std::int64_t items : {0, 1, 2, 50}) {
    for (const int threads : {1, 2}) {
      for (const int helpers : {0, 1, 2}) {
        for (const auto& groups : divisions(4)) {
          CountingStream counting{items};
          counting.stream.stages = {CountingStream::letter('r', StageKind::disk), CountingStream::letter('a'),
                                    CountingStream::letter('b'), CountingStream::letter('w', StageKind::disk)};
          const StreamFigures figures = stream_ranks(
              counting.stream, {.tokens = 2, .readers = helpers, .writers = helpers}, groups, execution_with(threads));
          bool right = figures.size() == 4;
          for (const StageFigures& stage : figures) right = right && stage.items == items;
          if (is_root()) {
            counting.expect_all_taken("rabw");
            right = right && !testing::Test::HasFatalFailure();
          } else {
            right = right && counting.taken.empty() && counting.asked.load() == 0;
          }
          ASSERT_TRUE(on_every_rank(right))
              << items << " items, " << threads << " threads, " << groups.size() << " groups";
        }
      }
    }
  }
}

TEST(StreamRanks, ExpectWhatCameToThemAndBeginToWriteAllOfIt) {
  constexpr std::int64_t items = 50;
  for (const auto& groups : divisions(3)) {
    CountingStream counting{items};
    std::vector<std::atomic<int>> expected(items);
    std::atomic<bool> right = true;
    std::atomic<int> read = 0;
    Crowd waited_for;
    StreamStage reading = CountingStream::letter('r', StageKind::disk);
    reading.expect = [&](std::int64_t index) { ++expected[static_cast<std::size_t>(index)]; };
    reading.act = [&, act = reading.act](StreamItem& item) {
      ++read;
      if (expected[static_cast<std::size_t>(item.index)] != 1) right = false;
      act(item);
    };
    StreamStage writing = CountingStream::letter('w', StageKind::disk);
    writing.begin = [&](StreamItem& /*item*/) {
      waited_for.enter();
      return std::chrono::steady_clock::time_point{};
    };
    writing.act = [&, act = writing.act](StreamItem& item) {
      waited_for.leave();
      act(item);
    };
    counting.stream.stages = {reading, CountingStream::letter('a'), writing};
    static_cast<void>(stream_ranks(counting.stream, {.tokens = 8}, groups, execution_with(1)));
    // Each is expected where it is read, and nowhere else.
    int all_expected = 0;
    for (const std::atomic<int>& times : expected) all_expected += times;
    EXPECT_EQ(all_expected, read);
    ASSERT_TRUE(on_every_rank(right && !testing::Test::HasFailure()));
    if (is_root()) counting.expect_all_taken("raw");
  }
}

TEST(StreamRanks, HoldNoMoreItemsThanTheirTokens) {
  for (const auto& groups : divisions(4)) {
    CountingStream counting{200};
    counting.stream.stages = {CountingStream::letter('r', StageKind::disk), CountingStream::letter('a'),
                              CountingStream::letter('b'), CountingStream::letter('w', StageKind::disk)};
    // One slow item, behind which the results of others would pile up.
    counting.stream.stages[1].act = [act = counting.stream.stages[1].act](StreamItem& item) {
      if (item.index == 20) std::this_thread::sleep_for(std::chrono::milliseconds{20});
      act(item);
    };
    const int tokens = 3;
    static_cast<void>(stream_ranks(counting.stream, {.tokens = tokens}, groups, execution_with(1)));
    const bool right = !is_root() || counting.most_under_way.load() <= tokens * size_of(MPI_COMM_WORLD);
    ASSERT_TRUE(on_every_rank(right)) << counting.most_under_way.load();
    if (is_root()) counting.expect_all_taken("rabw");
  }
}

TEST(StreamRanks, HandOnTheFaultOfAnItemAndGoOn) {
  for (const auto& groups : divisions(4)) {
    CountingStream counting{30};
    counting.stream.stages = {CountingStream::letter('r', StageKind::disk), CountingStream::letter('a'),
                              CountingStream::letter('b'), CountingStream::letter('w', StageKind::disk)};
    counting.stream.stages[1].act = [act = counting.stream.stages[1].act](StreamItem& item) {
      if (item.index % 10 == 3) throw std::runtime_error("no " + std::string{item.data.text()});
      act(item);
    };
    static_cast<void>(stream_ranks(counting.stream, {}, groups, execution_with(2)));
    bool right = true;
    if (is_root())
      right = counting.taken.size() == 30 && counting.taken[13] == "fault: no 13r" && counting.taken[29] == "29rabw";
    ASSERT_TRUE(on_every_rank(right));
  }
}

TEST(StreamRanks, AllEndWhenTheEndThrows) {
  for (const auto& groups : divisions(4)) {
    CountingStream counting{500};
    counting.stream.stages = {CountingStream::letter('r', StageKind::disk), CountingStream::letter('a'),
                              CountingStream::letter('b'), CountingStream::letter('w', StageKind::disk)};
    counting.stream.take = [take = counting.stream.take](StreamItem& item) {
      if (item.index == 17) throw std::runtime_error("the disk is full");
      take(item);
    };
    std::string said;
    try {
      static_cast<void>(stream_ranks(counting.stream, {.tokens = 4}, groups, execution_with(1)));
    } catch (const std::runtime_error& error) {
      said = error.what();
    }
    const std::string expected = is_root() ? "the disk is full" : "the stream was ended by another rank";
    ASSERT_TRUE(on_every_rank(said == expected)) << said;
    // And the next stream on the same ranks meets nothing of it.
    CountingStream next{20};
    next.stream.stages = {CountingStream::letter('a')};
    static_cast<void>(stream_ranks(next.stream, {}, farm(1, size_of(MPI_COMM_WORLD)), execution_with(1)));
    if (is_root()) next.expect_all_taken("a");
  }
}

TEST(StreamRanks, AwaitAnswersWithoutAThreadEach) {
  constexpr int waits = 30;
  for (const auto& groups : divisions(2)) {
    CountingStream counting{waits};
    StreamStage ask = CountingStream::letter('r', StageKind::waiting);
    ask.begin = [](StreamItem& /*item*/) { return std::chrono::steady_clock::now() + std::chrono::milliseconds{2}; };
    counting.stream.stages = {ask, CountingStream::letter('a')};
    const StreamFigures figures = stream_ranks(counting.stream, {.tokens = waits}, groups, execution_with(1));
    ASSERT_TRUE(on_every_rank(figures[0].items == waits && figures[0].workers == waits * groups.front().ranks));
    if (is_root()) counting.expect_all_taken("ra");
  }
}

TEST(StreamRanks, AnswerWhatCameWhileTheSourceWaits) {
  for (const auto& groups : divisions(4)) {
    CountingStream counting{25};
    counting.stream.stages = {CountingStream::letter('a'), CountingStream::letter('b'), CountingStream::letter('c'),
                              CountingStream::letter('d')};
    counting.stream.ready = [&] { return static_cast<std::int64_t>(counting.taken.size()) == counting.asked.load(); };
    counting.stream.next = [&, next = counting.stream.next](StreamItem& item) {
      EXPECT_TRUE(counting.stream.ready());
      return next(item);
    };
    static_cast<void>(stream_ranks(counting.stream, {}, groups, execution_with(1)));
    if (is_root()) counting.expect_all_taken("abcd");
    ASSERT_TRUE(on_every_rank(!testing::Test::HasFailure()));
  }
}

TEST(StreamRanks, RefuseAStageInOrder) {
  CountingStream counting{5};
  counting.stream.stages = {CountingStream::letter('a', StageKind::computing, true)};
  const auto run = [&] {
    static_cast<void>(stream_ranks(counting.stream, {}, farm(1, size_of(MPI_COMM_WORLD)), execution_with(1)));
  };
  if (size_of(MPI_COMM_WORLD) == 1) {
    EXPECT_NO_THROW(run());
  } else {
    EXPECT_THROW(run(), std::invalid_argument);
  }
}

/// Each item grows by 200 kB in two stages.
void expect_large_items(const StreamLimits& limits) {
  for (const auto& groups : divisions(4)) {
    CountingStream counting{12};
    const auto grow = [](StreamItem& item) {
      item.data.append(std::string(200'000, static_cast<char>('a' + item.index % 20)));
    };
    counting.stream.stages = {{.name = "grow", .act = grow},
                              {.name = "stay", .act = [](StreamItem&) {}},
                              {.name = "grow more", .act = grow},
                              {.name = "end", .act = [](StreamItem&) {}}};
    bool right = true;
    std::int64_t seen = 0;
    counting.stream.take = [&](StreamItem& item) {
      const std::size_t digits = std::to_string(item.index).size();
      right = right && item.data.size() == 400'000 + digits &&
              item.data.text().back() == static_cast<char>('a' + item.index % 20);
      ++seen;
    };
    static_cast<void>(stream_ranks(counting.stream, limits, groups, execution_with(1)));
    ASSERT_TRUE(on_every_rank(right && (!is_root() || seen == 12)));
  }
}

TEST(StreamRanks, CarryItemsLargerThanTheEagerLimit) { expect_large_items({}); }

TEST(StreamRanks, CarryItemsLongerThanMpiCounts) { expect_large_items({.longest_message = 150'000}); }

}  // namespace
}  // namespace duet
