/// Accounts in a ring, a lock each. Worker w moves money between its own account and its neighbour's, and takes both
/// locks for it: its own first.
///
///     worker 0: lock 0, then lock 1      worker 1: lock 1, then lock 0      both hold one, both want the other's
///
/// The broken form meets once all have their first lock, so the cycle closes for certain, on any number of workers. It
/// is found in the graph of who waits for whom (wait_graph.hpp), which every form keeps; once it is found, the locks
/// are given up, so that the form ends. Without that it would be there for ever, with nobody computing.
///
/// Cures: one order for all (the lower account first: a cycle would need a step down), std::scoped_lock (which tries,
/// and lets go where it fails), or the same by hand: hold the first, try the second, let go and start again.

#include <mutex>

#include "kernels/hazards/catalogue.hpp"
#include "kernels/hazards/wait_graph.hpp"
#include "kernels/hazards/workers.hpp"

namespace duet::hazards {
namespace {

constexpr std::int64_t transfers = 4'000;  // a worker

struct Accounts {
  explicit Accounts(int workers) : balance(static_cast<std::size_t>(workers)), graph{workers, names(workers)} {}

  static std::vector<std::string> names(int workers) {
    std::vector<std::string> all;
    for (int lock = 0; lock < workers; ++lock) all.push_back("lock " + std::to_string(lock));
    return all;
  }
  void move(int from, int to) {
    balance[static_cast<std::size_t>(from)] -= 1;
    balance[static_cast<std::size_t>(to)] += 1;
  }

  std::vector<std::int64_t> balance;
  WaitGraph graph;
};

/// transfer(accounts, worker, own, neighbour, first_time), `transfers` times a worker, while somebody watches.
template <class Transfer>
Observation watched_transfers(const Stage& stage, const Transfer& transfer) {
  const int workers = stage.workers();
  Accounts accounts{workers};
  Observation seen;
  seen.workers = workers;
  seen.operations = workers * transfers;
  std::atomic<bool> done = false;
  std::jthread watcher{[&] {
    while (!done.load(std::memory_order_acquire) && seen.deadlock.empty()) {
      seen.deadlock = accounts.graph.deadlock();
      if (seen.deadlock.empty()) std::this_thread::sleep_for(std::chrono::milliseconds{2});
    }
    if (!seen.deadlock.empty()) accounts.graph.give_up();
  }};
  const double seconds = on_workers(stage, [&](int worker) {
    try {
      for (std::int64_t i = 0; i < transfers; ++i) transfer(accounts, worker, (worker + 1) % workers, i == 0);
    } catch (const GivenUp&) {
      // The watcher has written down why.
    }
  });
  done.store(true, std::memory_order_release);
  watcher.join();
  if (seen.deadlock.empty()) seen.seconds = seconds;
  return seen;
}

Observation lock_order_broken(const Stage& stage) {
  Rendezvous all_hold_one{stage.workers()};
  return watched_transfers(stage, [&](Accounts& accounts, int own, int neighbour, bool first_time) {
    HeldLock own_lock{accounts.graph, own, own};
    HeldLock other_lock{accounts.graph, own, neighbour};
    const std::unique_lock first{own_lock};
    if (first_time) all_hold_one.meet();
    const std::unique_lock second{other_lock};
    accounts.move(own, neighbour);
  });
}

Observation lock_order_ordered(const Stage& stage) {
  return watched_transfers(stage, [](Accounts& accounts, int own, int neighbour, bool) {
    HeldLock low{accounts.graph, own, std::min(own, neighbour)};
    HeldLock high{accounts.graph, own, std::max(own, neighbour)};
    const std::unique_lock first{low};
    const std::unique_lock second{high};
    accounts.move(own, neighbour);
  });
}

Observation lock_order_scoped_lock(const Stage& stage) {
  return watched_transfers(stage, [](Accounts& accounts, int own, int neighbour, bool) {
    HeldLock own_lock{accounts.graph, own, own};
    HeldLock other_lock{accounts.graph, own, neighbour};
    const std::scoped_lock both{own_lock, other_lock};
    accounts.move(own, neighbour);
  });
}

Observation lock_order_back_off(const Stage& stage) {
  return watched_transfers(stage, [](Accounts& accounts, int own, int neighbour, bool) {
    HeldLock own_lock{accounts.graph, own, own};
    HeldLock other_lock{accounts.graph, own, neighbour};
    while (true) {
      std::unique_lock first{own_lock};
      if (const std::unique_lock second{other_lock, std::try_to_lock}; second.owns_lock()) {
        accounts.move(own, neighbour);
        return;
      }
      first.unlock();
      std::this_thread::yield();
    }
  });
}

Finding judge_lock_order(const Observation& seen) {
  if (seen.deadlock.empty()) return {false, "nobody waits for himself"};
  return {true, "deadlock:\n" + seen.deadlock};
}

}  // namespace

Hazard lock_order() {
  return {
      .name = "lock_order",
      .by = By::shared_state,
      .summary = "each holds a lock and waits for another's",
      .why =
          "Each worker takes two locks, its own first. Where all have taken their first, each waits for one that "
          "another will only let go after it has got its second.",
      .symptom = "The program stands still without computing, once in a thousand runs, and nothing is printed.",
      .detection =
          "Workers note which lock they hold and which they wait for; a cycle that stands still between two "
          "looks is a deadlock. The broken form meets after the first lock, so that it closes for certain.",
      .operation = "transfer",
      .forms =
          {
              {.name = "broken",
               .broken = true,
               .does = "own lock first, then the neighbour's",
               .run = lock_order_broken},
              {.name = "ordered", .does = "the lock with the lower number first", .run = lock_order_ordered},
              {.name = "scoped_lock", .does = "std::scoped_lock takes both or neither", .run = lock_order_scoped_lock},
              {.name = "back_off", .does = "tries the second, and lets the first go", .run = lock_order_back_off},
          },
      .judge = judge_lock_order,
  };
}

}  // namespace duet::hazards
