#include "kernels/pipeline/stream/thread_crew.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <set>

namespace duet {
namespace {

TEST(ThreadCrew, WorksSideBySideAndKeepsItsThreads) {
  constexpr int count = 5;
  ThreadCrew crew;
  std::mutex mutex;
  std::set<std::thread::id> who;
  for (int round = 0; round < 3; ++round) {
    std::latch all{count};
    ThreadCrew::Shift shift{crew};
    EXPECT_TRUE(shift.empty());
    for (int i = 0; i < count; ++i) {
      shift.add([&] {
        all.arrive_and_wait();
        const std::scoped_lock lock{mutex};
        who.insert(std::this_thread::get_id());
      });
    }
    EXPECT_FALSE(shift.empty());
  }
  EXPECT_EQ(who.size(), static_cast<std::size_t>(count));
}

TEST(ThreadCrew, WaitsForItsShift) {
  ThreadCrew crew;
  for (int round = 0; round < 200; ++round) {
    std::atomic<int> done = 0;
    {
      ThreadCrew::Shift first{crew};
      first.add([&] { ++done; });
      ThreadCrew::Shift second{crew};
      second.add([&] { ++done; });
    }
    ASSERT_EQ(done.load(), 2);
  }
}

}  // namespace
}  // namespace duet
