#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>
#include <set>

#include "kernels/core/tbb_team.hpp"
#include "tests/pipeline/stream/counting_stream.hpp"

namespace duet {
namespace {

using Run = std::function<StreamFigures(const Stream&, const StreamLimits&, const Execution&)>;

struct SharedModel {
  std::string name;
  Run run;
};

void PrintTo(const SharedModel& model, std::ostream* to) { *to << model.name; }

StreamFigures on_tbb(const Stream& stream, const StreamLimits& limits, const Execution& execution) {
  TbbTeam team{execution};
  return stream_tbb(stream, limits, execution, team);
}

class StreamInEveryModel : public testing::TestWithParam<SharedModel> {
 protected:
  static StreamFigures run(const Stream& stream, const StreamLimits& limits, int threads) {
    return GetParam().run(stream, limits, {.threads = threads});
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

TEST_P(StreamInEveryModel, ExpectsWhatHasATokenBeforeItIsRead) {
  constexpr int items = 60;
  constexpr int tokens = 6;
  for (const int readers : {0, 1, 3}) {
    const bool reads_ahead = readers != 0 && GetParam().name != "serial";
    CountingStream counting{items};
    std::vector<std::atomic<int>> expected(items);
    std::atomic<std::int64_t> read{0};
    std::atomic<std::int64_t> farthest{0};  // before the item itself is read
    std::atomic<bool> too_late = false;
    StreamStage reading = CountingStream::letter('r', StageKind::disk);
    reading.expect = [&](std::int64_t index) {
      ++expected[static_cast<std::size_t>(index)];
      farthest = std::max(farthest.load(), index - read.load());
    };
    reading.act = [&, act = reading.act](StreamItem& item) {
      if (reads_ahead && expected[static_cast<std::size_t>(item.index)] != 1) too_late = true;
      ++read;
      act(item);
    };
    counting.stream.stages = {reading, CountingStream::letter('a')};
    static_cast<void>(run(counting.stream, {.tokens = tokens, .readers = readers}, 2));
    counting.expect_all_taken("ra");
    EXPECT_FALSE(too_late);
    if (!reads_ahead) continue;
    for (const std::atomic<int>& times : expected) EXPECT_EQ(times, 1);
    if (readers == 1) {
      EXPECT_GE(farthest, tokens - 1);
    }
  }
}

TEST_P(StreamInEveryModel, BeginsToWriteAllThatCameBeforeItWaits) {
  constexpr int items = 60;
  for (const int writers : {0, 1, 2}) {
    CountingStream counting{items};
    std::atomic<int> begun{0};
    Crowd waited_for;
    StreamStage writing = CountingStream::letter('w', StageKind::disk);
    writing.begin = [&](StreamItem& item) {
      if (item.index == 17) throw std::runtime_error("no room");
      ++begun;
      waited_for.enter();
      return std::chrono::steady_clock::time_point{};
    };
    writing.act = [&, act = writing.act](StreamItem& item) {
      std::this_thread::sleep_for(std::chrono::microseconds{300});
      waited_for.leave();
      if (item.index == 23) throw std::runtime_error("worn out");
      act(item);
    };
    counting.stream.stages = {CountingStream::letter('a'), writing};
    counting.stream.take = [&](StreamItem& item) {
      const std::string fault = item.index == 17 ? "no room" : item.index == 23 ? "worn out" : "";
      EXPECT_EQ(item.fault, fault) << item.index;
      counting.taken.emplace_back(item.data.text());
    };
    const auto since = std::chrono::steady_clock::now();
    const StreamFigures figures = run(counting.stream, {.tokens = 8, .writers = writers}, 2);
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - since).count();
    EXPECT_EQ(counting.taken.size(), static_cast<std::size_t>(items));
    EXPECT_EQ(begun, items - 1);
    EXPECT_EQ(figures[1].items, items - 2);
    // The time of a thread counts once, however many it waits for.
    EXPECT_LE(figures[1].useful_seconds, std::max(2, writers) * seconds);
    if (writers == 0 || GetParam().name == "serial") {
      EXPECT_LE(waited_for.most(), 2);
    } else {
      EXPECT_GT(waited_for.most(), writers);
      EXPECT_LE(figures[1].useful_seconds, writers * seconds);
    }
  }
}

TEST_P(StreamInEveryModel, StartsThreadsBesideItsWorkers) {
  std::mutex mutex;
  std::set<std::thread::id> started;
  bool all_started = true;
  CountingStream counting{40};
  StreamStage reading = CountingStream::letter('r', StageKind::disk);
  reading.act = [&, act = reading.act](StreamItem& item) {
    {
      const std::scoped_lock lock{mutex};
      all_started = all_started && started.contains(std::this_thread::get_id());
    }
    act(item);
  };
  counting.stream.stages = {reading, CountingStream::letter('a'), CountingStream::letter('w', StageKind::disk)};
  const auto start = [&] {
    const std::scoped_lock lock{mutex};
    started.insert(std::this_thread::get_id());
  };
  static_cast<void>(
      GetParam().run(counting.stream, {.readers = 2, .writers = 1}, {.threads = 2, .on_helper_start = start}));
  counting.expect_all_taken("raw");
  EXPECT_FALSE(started.contains(std::this_thread::get_id()));
  if (GetParam().name == "serial") return;
  EXPECT_TRUE(all_started);
  EXPECT_EQ(started.size(), 3U);
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

INSTANTIATE_TEST_SUITE_P(Models, StreamInEveryModel,
                         testing::Values(SharedModel{"serial", stream_serial}, SharedModel{"openmp", stream_openmp},
                                         SharedModel{"tbb", on_tbb}),
                         [](const auto& given) { return given.param.name; });

}  // namespace
}  // namespace duet
