#include "kernels/arithmetic/standing_team.hpp"

#include <gtest/gtest.h>
#include <oneapi/tbb/global_control.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <stdexcept>
#include <thread>
#include <vector>

namespace duet {
namespace {

using oneapi::tbb::global_control;

class StandingTeamTest : public testing::TestWithParam<int> {
 protected:
  [[nodiscard]] static int threads() { return GetParam(); }

  StandingTeam& team() { return team_; }

 private:
  // On however few cores.
  global_control workers_{global_control::max_allowed_parallelism, 8};
  Execution execution_{.threads = GetParam()};
  TbbTeam tbb_{execution_};
  StandingTeam team_{execution_, tbb_};
};

TEST_P(StandingTeamTest, DoesEachPartOnceBeforeTheNextStage) {
  constexpr std::int64_t most = 13;
  std::vector<std::atomic<int>> times(most);
  for (int stage = 0; stage < 500; ++stage) {
    const std::int64_t parts = stage % (most + 1);
    for (std::atomic<int>& time : times) time = 0;
    team().run(parts, [&](std::int64_t part) { ++times[static_cast<std::size_t>(part)]; });
    for (std::int64_t part = 0; part < most; ++part) {
      ASSERT_EQ(times[static_cast<std::size_t>(part)], part < parts ? 1 : 0) << part << " in stage " << stage;
    }
  }
}

TEST_P(StandingTeamTest, BeginsPartsInOrder) {
  std::atomic<std::int64_t> begun{0};
  std::atomic<std::int64_t> furthest{0};
  team().run(200, [&](std::int64_t part) {
    const std::int64_t before = begun++;
    furthest = std::max(furthest.load(), part - before);
  });
  EXPECT_LT(furthest, threads());
}

TEST_P(StandingTeamTest, BringsAllItsThreadsAlsoAfterTheyLeft) {
  for (const int pause_ms : {0, 0, 3, 0, 20}) {
    std::this_thread::sleep_for(std::chrono::milliseconds{pause_ms});
    std::atomic<int> there{0};
    team().run(threads(), [&](std::int64_t /*part*/) {
      ++there;
      while (there < threads()) std::this_thread::yield();
    });
    EXPECT_EQ(there, threads());
  }
}

TEST_P(StandingTeamTest, LetsAnExceptionOutAndGoesOn) {
  const auto throws = [](std::int64_t part) {
    if (part == 5) throw std::runtime_error("part 5");
  };
  EXPECT_THROW(team().run(7, throws), std::runtime_error);
  std::atomic<int> done{0};
  team().run(7, [&](std::int64_t /*part*/) { ++done; });
  EXPECT_EQ(done, 7);
}

INSTANTIATE_TEST_SUITE_P(Threads, StandingTeamTest, testing::Values(1, 2, 3, 5));

TEST(StandingTeam, EndsWhereTbbHasNoWorkersToGive) {
  const global_control none{global_control::max_allowed_parallelism, 1};
  const Execution execution{.threads = 3};
  TbbTeam tbb{execution};
  StandingTeam team{execution, tbb};
  std::atomic<int> done{0};
  for (int stage = 0; stage < 50; ++stage) team.run(9, [&](std::int64_t /*part*/) { ++done; });
  EXPECT_EQ(done, 450);
}

TEST(StandingTeam, BooksWhatEachWorkerDid) {
  const global_control workers{global_control::max_allowed_parallelism, 2};
  Timesheet timesheet{2};
  const Execution execution{.threads = 2, .timesheet = &timesheet};
  TbbTeam tbb{execution};
  {
    StandingTeam team{execution, tbb};
    std::atomic<int> there{0};
    team.run(2, [&](std::int64_t /*part*/) {
      ++there;
      while (there < 2) std::this_thread::yield();
    });
  }
  EXPECT_GT(timesheet.of(0).useful, 0);
  EXPECT_GT(timesheet.of(1).useful, 0);
}

}  // namespace
}  // namespace duet
