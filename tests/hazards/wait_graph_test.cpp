/// Locks, and who waits for whom.

#include "kernels/hazards/wait_graph.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "kernels/hazards/workers.hpp"

namespace duet::hazards {
namespace {

TEST(WaitGraph, SeesNothingInAWorkerThatOnlyWaits) {
  WaitGraph graph{2, {"A", "B"}};
  HeldLock held{graph, 0, 0};
  held.lock();
  std::jthread waits{[&] {
    HeldLock wanted{graph, 1, 0};
    wanted.lock();
    wanted.unlock();
  }};
  for (int look = 0; look < 20; ++look) {
    EXPECT_EQ(graph.deadlock(), "");
    std::this_thread::sleep_for(std::chrono::milliseconds{1});
  }
  held.unlock();
}

TEST(WaitGraph, NamesEveryWorkerOfACycleAndItsLocks) {
  constexpr int workers = 3;
  WaitGraph graph{workers, {"A", "B", "C"}};
  Rendezvous all_hold_one{workers};
  std::atomic<int> given_up = 0;
  std::vector<std::jthread> team;
  for (int worker = 0; worker < workers; ++worker) {
    team.emplace_back([&, worker] {
      HeldLock first{graph, worker, worker};
      HeldLock second{graph, worker, (worker + 1) % workers};
      const std::unique_lock one{first};
      all_hold_one.meet();
      try {
        const std::unique_lock other{second};
      } catch (const GivenUp&) {
        given_up += 1;
      }
    });
  }
  std::string text;
  while ((text = graph.deadlock()).empty()) std::this_thread::sleep_for(std::chrono::milliseconds{1});
  EXPECT_EQ(text,
            "worker 0 holds A and waits for B, which worker 1 holds\n"
            "worker 1 holds B and waits for C, which worker 2 holds\n"
            "worker 2 holds C and waits for A, which worker 0 holds");
  graph.give_up();
  team.clear();
  EXPECT_GE(given_up.load(), 1) << "whoever comes first lets his locks go, and others may go on";
}

}  // namespace
}  // namespace duet::hazards
