#include "kernels/core/tbb_team.hpp"

#include <gtest/gtest.h>
#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/task_group.h>

#include <atomic>
#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>

namespace duet {
namespace {

using oneapi::tbb::global_control;

/// Lets TBB start as many workers as a test asks for, on however few cores.
class TbbTeamTest : public testing::TestWithParam<int> {
  global_control workers_{global_control::max_allowed_parallelism, 8};
};

/// Runs one task for each thread of the team, and none ends before all have begun: so all threads take part.
template <class Act>
void meet(TbbTeam& team, int threads, Act&& act) {
  std::atomic<int> arrived{0};
  team.run([&] {
    oneapi::tbb::task_group tasks;
    for (int i = 0; i < threads; ++i) {
      tasks.run([&] {
        act();
        arrived.fetch_add(1);
        while (arrived.load() < threads) std::this_thread::yield();
      });
    }
    tasks.wait();
  });
}

TEST_P(TbbTeamTest, HasExactlyTheThreadsThatWereAskedFor) {
  const int threads = GetParam();
  TbbTeam team{Execution{.threads = threads}};
  std::mutex mutex;
  std::set<int> slots;
  std::set<std::thread::id> members;
  meet(team, threads, [&] {
    const std::scoped_lock lock{mutex};
    slots.insert(TbbTeam::worker());
    members.insert(std::this_thread::get_id());
  });
  EXPECT_EQ(members.size(), static_cast<std::size_t>(threads));
  ASSERT_EQ(slots.size(), static_cast<std::size_t>(threads));
  EXPECT_EQ(*slots.begin(), 0);
  EXPECT_EQ(*slots.rbegin(), threads - 1);
}

TEST_P(TbbTeamTest, NeverRunsMoreThreadsThanWereAskedFor) {
  const int threads = GetParam();
  TbbTeam team{Execution{.threads = threads}};
  std::atomic<int> inside{0};
  std::atomic<int> most{0};
  team.run([&] {
    oneapi::tbb::parallel_for(0, 500, [&](int) {
      const int now = inside.fetch_add(1) + 1;
      for (int seen = most.load(); seen < now && !most.compare_exchange_weak(seen, now);) {
      }
      std::this_thread::yield();
      inside.fetch_sub(1);
    });
  });
  EXPECT_LE(most.load(), threads);
}

TEST_P(TbbTeamTest, ReportsEachWorkerBeforeItWorks) {
  const int threads = GetParam();
  std::mutex mutex;
  std::set<std::pair<std::thread::id, int>> started;
  Execution execution{.threads = threads};
  execution.on_worker_start = [&](int thread) {
    const std::scoped_lock lock{mutex};
    started.emplace(std::this_thread::get_id(), thread);
  };
  TbbTeam team{execution};
  std::atomic<int> unannounced{0};
  meet(team, threads, [&] {
    const std::scoped_lock lock{mutex};
    if (!started.contains({std::this_thread::get_id(), TbbTeam::worker()})) unannounced.fetch_add(1);
  });
  EXPECT_EQ(unannounced.load(), 0);
  EXPECT_GE(started.size(), static_cast<std::size_t>(threads));
}

INSTANTIATE_TEST_SUITE_P(Threads, TbbTeamTest, testing::Values(1, 2, 3, 5));

TEST(TbbTeam, GivesBackWhatItsWorkReturns) {
  TbbTeam team{Execution{.threads = 2}};
  EXPECT_EQ(team.run([] { return 42; }), 42);
}

TEST(TbbTeam, LetsAnExceptionOut) {
  TbbTeam team{Execution{.threads = 2}};
  EXPECT_THROW(team.run([] { throw std::runtime_error("no"); }), std::runtime_error);
  EXPECT_THROW(team.run([] { oneapi::tbb::parallel_for(0, 10, [](int) { throw std::runtime_error("no"); }); }),
               std::runtime_error);
  EXPECT_EQ(team.run([] { return 1; }), 1);
}

TEST(TbbTeam, ServesManyRunsOneAfterAnother) {
  for (int round = 0; round < 50; ++round) {
    std::atomic<int> starts{0};
    Execution execution{.threads = 2};
    execution.on_worker_start = [&](int) { starts.fetch_add(1); };
    {
      TbbTeam team{execution};
      team.run([] { oneapi::tbb::parallel_for(0, 100, [](int) {}); });
    }
    EXPECT_GE(starts.load(), 1);
  }
}

}  // namespace
}  // namespace duet
