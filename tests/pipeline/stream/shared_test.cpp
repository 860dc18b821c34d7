#include <gtest/gtest.h>

#include <functional>
#include <mutex>
#include <set>

#include "kernels/core/tbb_team.hpp"
#include "tests/pipeline/stream/counting_stream.hpp"

namespace duet {
namespace {

using Run = std::function<StreamFigures(const Stream&, const StreamLimits&, int threads)>;

struct SharedModel {
  std::string name;
  Run run;
};

void PrintTo(const SharedModel& model, std::ostream* to) { *to << model.name; }

StreamFigures on_tbb(const Stream& stream, const StreamLimits& limits, int threads) {
  Execution execution;
  execution.threads = threads;
  TbbTeam team{execution};
  return stream_tbb(stream, limits, execution, team);
}

class StreamInEveryModel : public testing::TestWithParam<SharedModel> {
 protected:
  static StreamFigures run(const Stream& stream, const StreamLimits& limits, int threads) {
    return GetParam().run(stream, limits, threads);
  }
};

TEST_P(StreamInEveryModel, TakesEveryItemOnceAndInOrder) {
  for (const std::int64_t items : {0, 1, 2, 7, 200}) {
    for (const int threads : {1, 2, 3}) {
      for (const int helpers : {0, 1, 3}) {
        for (const int tokens : {0, 1, 2, 5}) {
          CountingStream counting{items};
          counting.stream.stages = {CountingStream::letter('r', StageKind::disk), CountingStream::letter('a'),
                                    CountingStream::letter('b', StageKind::computing, true),
                                    CountingStream::letter('c'), CountingStream::letter('w', StageKind::disk)};
          const StreamFigures figures =
              run(counting.stream, {.tokens = tokens, .readers = helpers, .writers = helpers}, threads);
          counting.expect_all_taken("rabcw");
          if (HasFatalFailure()) return;
          ASSERT_EQ(figures.size(), 5U);
          for (const StageFigures& stage : figures) EXPECT_EQ(stage.items, items) << stage.name;
        }
      }
    }
  }
}

TEST_P(StreamInEveryModel, WithoutStagesOnlyPassesItemsOn) {
  CountingStream counting{50};
  static_cast<void>(run(counting.stream, {}, 2));
  counting.expect_all_taken("");
}

TEST_P(StreamInEveryModel, HasNoMoreItemsUnderWayThanTokens) {
  for (const int tokens : {1, 3, 8}) {
    CountingStream counting{300};
    counting.stream.stages = {CountingStream::letter('r', StageKind::disk), CountingStream::letter('a'),
                              CountingStream::letter('w', StageKind::disk)};
    Crowd crowd;
    counting.stream.stages[0].act = [&, act = counting.stream.stages[0].act](StreamItem& item) {
      crowd.enter();
      act(item);
    };
    counting.stream.take = [&, take = counting.stream.take](StreamItem& item) {
      std::this_thread::sleep_for(std::chrono::microseconds{20});  // slower than everybody before it
      take(item);
      crowd.leave();
    };
    static_cast<void>(run(counting.stream, {.tokens = tokens, .readers = 2, .writers = 1}, 2));
    counting.expect_all_taken("raw");
    EXPECT_LE(crowd.most(), tokens);
    EXPECT_GE(crowd.most(), 1);
  }
}

TEST_P(StreamInEveryModel, HandsOnTheFaultOfAnItemAndGoesOn) {
  CountingStream counting{60};
  counting.stream.stages = {CountingStream::letter('a'), CountingStream::letter('b')};
  counting.stream.stages[0].act = [act = counting.stream.stages[0].act](StreamItem& item) {
    if (item.index % 10 == 3) throw std::runtime_error("no " + std::string{item.data.text()});
    act(item);
  };
  const StreamFigures figures = run(counting.stream, {}, 3);
  ASSERT_EQ(counting.taken.size(), 60U);
  EXPECT_EQ(counting.taken[12], "12ab");
  EXPECT_EQ(counting.taken[13], "fault: no 13");
  EXPECT_EQ(figures[1].items, 54);
}

TEST_P(StreamInEveryModel, EndsWithWhatTheSourceThrows) {
  CountingStream counting{60};
  counting.stream.stages = {CountingStream::letter('a')};
  counting.stream.next = [next = counting.stream.next](StreamItem& item) {
    if (item.index == 17) throw std::runtime_error("the source is dry");
    return next(item);
  };
  EXPECT_THROW(static_cast<void>(run(counting.stream, {}, 2)), std::runtime_error);
  EXPECT_LE(counting.taken.size(), 17U);
}

TEST_P(StreamInEveryModel, EndsWithWhatTheEndThrows) {
  for (const int writers : {0, 1}) {
    CountingStream counting{10'000};
    counting.stream.stages = {CountingStream::letter('a'), CountingStream::letter('w', StageKind::disk)};
    counting.stream.take = [take = counting.stream.take](StreamItem& item) {
      if (item.index == 17) throw std::runtime_error("the disk is full");
      take(item);
    };
    EXPECT_THROW(static_cast<void>(run(counting.stream, {.tokens = 8, .writers = writers}, 2)), std::runtime_error);
    EXPECT_EQ(counting.taken.size(), 17U);
    EXPECT_LT(counting.asked.load(), 200) << "and nobody went on reading";
  }
}

TEST_P(StreamInEveryModel, ReadersWaitSideBySide) {
  constexpr int waits = 40;
  CountingStream counting{waits};
  Crowd crowd;
  counting.stream.stages = {CountingStream::letter('r', StageKind::waiting), CountingStream::letter('a')};
  counting.stream.stages[0].act = [&, act = counting.stream.stages[0].act](StreamItem& item) {
    crowd.enter();
    std::this_thread::sleep_for(std::chrono::milliseconds{5});
    crowd.leave();
    act(item);
  };
  static_cast<void>(run(counting.stream, {.tokens = waits, .readers = 20, .writers = 1}, 2));
  counting.expect_all_taken("ra");
  if (GetParam().name == "serial") {
    EXPECT_EQ(crowd.most(), 1);
  } else {
    EXPECT_GT(crowd.most(), 5);
  }
}

TEST_P(StreamInEveryModel, WorkersWaitWhereThereAreNoReaders) {
  CountingStream counting{30};
  Crowd crowd;
  counting.stream.stages = {CountingStream::letter('r', StageKind::waiting), CountingStream::letter('a')};
  counting.stream.stages[0].act = [&, act = counting.stream.stages[0].act](StreamItem& item) {
    crowd.enter();
    std::this_thread::sleep_for(std::chrono::milliseconds{3});
    crowd.leave();
    act(item);
  };
  const StreamFigures figures = run(counting.stream, {.tokens = 30, .readers = 0, .writers = 0}, 2);
  counting.expect_all_taken("ra");
  EXPECT_EQ(crowd.most(), GetParam().name == "serial" ? 1 : 2);
  EXPECT_EQ(figures[0].workers, GetParam().name == "serial" ? 1 : 2);
}

TEST_P(StreamInEveryModel, AnswersAreAwaitedWithoutAThreadEach) {
  constexpr int waits = 60;
  for (const int readers : {0, 5}) {
    CountingStream counting{waits};
    Crowd crowd;
    std::mutex mutex;
    std::set<std::thread::id> who;
    StreamStage ask = CountingStream::letter('r', StageKind::waiting);
    ask.begin = [&](StreamItem& item) {
      crowd.enter();
      // Later ones may be there first.
      return std::chrono::steady_clock::now() + std::chrono::milliseconds{item.index % 2 == 0 ? 8 : 3};
    };
    ask.act = [&, act = ask.act](StreamItem& item) {
      {
        const std::scoped_lock lock{mutex};
        who.insert(std::this_thread::get_id());
      }
      crowd.leave();
      act(item);
    };
    counting.stream.stages = {ask, CountingStream::letter('a')};
    const StreamFigures figures = run(counting.stream, {.tokens = waits, .readers = readers, .writers = 0}, 2);
    counting.expect_all_taken("ra");
    EXPECT_EQ(figures[0].items, waits);
    EXPECT_GT(figures[0].useful_seconds, waits * 5e-3);
    if (readers != 0 && GetParam().name != "serial") {
      EXPECT_GT(crowd.most(), waits / 2);
      EXPECT_EQ(who.size(), 1U);
      EXPECT_EQ(figures[0].workers, waits);
    } else {
      EXPECT_LE(crowd.most(), 2);
    }
  }
}

TEST_P(StreamInEveryModel, HandOnTheFaultOfAStageThatCannotBegin) {
  CountingStream counting{20};
  StreamStage ask = CountingStream::letter('r', StageKind::waiting);
  ask.begin = [&](StreamItem& item) {
    if (item.index == 7) throw std::runtime_error("nobody listens");
    return std::chrono::steady_clock::now();
  };
  counting.stream.stages = {ask, CountingStream::letter('a')};
  static_cast<void>(run(counting.stream, {.tokens = 4}, 2));
  ASSERT_EQ(counting.taken.size(), 20U);
  EXPECT_EQ(counting.taken[7], "fault: nobody listens");
  EXPECT_EQ(counting.taken[8], "8ra");
}

TEST_P(StreamInEveryModel, AnswersWhatCameWhileTheSourceWaits) {
  // The source only goes on when all that it gave out was taken.
  CountingStream counting{25};
  std::atomic<std::int64_t> taken = 0;
  counting.stream.stages = {CountingStream::letter('a')};
  counting.stream.take = [&, take = counting.stream.take](StreamItem& item) {
    take(item);
    ++taken;
  };
  const auto all_are_taken = [&] { return taken.load() == counting.asked.load(); };
  counting.stream.ready = all_are_taken;
  counting.stream.next = [&, next = counting.stream.next](StreamItem& item) {
    while (!all_are_taken()) std::this_thread::yield();
    return next(item);
  };
  static_cast<void>(run(counting.stream, {}, 1));
  counting.expect_all_taken("a");
}

TEST_P(StreamInEveryModel, RunsAStageInOrderOneItemAfterTheOther) {
  CountingStream counting{500};
  std::vector<std::int64_t> seen;  // without a lock: ThreadSanitizer and the order tell
  counting.stream.stages = {CountingStream::letter('a'), CountingStream::letter('b', StageKind::computing, true)};
  counting.stream.stages[1].act = [&, act = counting.stream.stages[1].act](StreamItem& item) {
    seen.push_back(item.index);
    act(item);
  };
  static_cast<void>(run(counting.stream, {}, 3));
  counting.expect_all_taken("ab");
  for (std::size_t i = 0; i < seen.size(); ++i) ASSERT_EQ(seen[i], static_cast<std::int64_t>(i));
}

INSTANTIATE_TEST_SUITE_P(
    Models, StreamInEveryModel,
    testing::Values(SharedModel{"serial", [](const Stream& stream, const StreamLimits& limits,
                                             int /*threads*/) { return stream_serial(stream, limits, Execution{}); }},
                    SharedModel{"openmp",
                                [](const Stream& stream, const StreamLimits& limits, int threads) {
                                  Execution execution;
                                  execution.threads = threads;
                                  return stream_openmp(stream, limits, execution);
                                }},
                    SharedModel{"tbb", on_tbb}),
    [](const auto& given) { return given.param.name; });

}  // namespace
}  // namespace duet
