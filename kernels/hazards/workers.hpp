#pragma once

/// What the shared-state forms have in common: fresh threads that start together, and work that takes a while.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

#include "kernels/core/first_exception.hpp"
#include "kernels/hazards/hazard.hpp"

namespace duet::hazards {

using Clock = std::chrono::steady_clock;

[[nodiscard]] inline double seconds_between(Clock::time_point begin, Clock::time_point end) {
  return std::chrono::duration<double>(end - begin).count();
}

/// Two cache lines: processors fetch them in pairs, so a neighbour in the second one disturbs as well.
inline constexpr std::size_t apart = 128;

/// The calling thread has `value` in hand now, and the compiler may assume nothing of it: a million additions stay a
/// million additions. Costs no instruction.
inline void must_exist(std::int64_t& value) { asm volatile("" : "+r"(value)); }

/// So many steps of arithmetic that depend on each other, about a nanosecond each.
inline void compute(std::int64_t steps) {
  std::int64_t state = steps;
  for (std::int64_t i = 0; i < steps; ++i) {
    state = state * 5 + 1;
    must_exist(state);
  }
}

/// All workers are in one place at one time: none goes on before the last has come. Who waits looks `looks` times, some
/// nanoseconds each, so that two that run on two cores leave it together, and then gives way to those who are to come.
class Rendezvous {
 public:
  explicit Rendezvous(int workers, int looks = 2000) : workers_{workers}, looks_{looks} {}

  void meet() {
    const int mine = round_.load(std::memory_order_acquire);
    if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == workers_) {
      arrived_.store(0, std::memory_order_relaxed);
      round_.store(mine + 1, std::memory_order_release);
      return;
    }
    for (int look = 0; round_.load(std::memory_order_acquire) == mine; ++look) {
      if (look >= looks_) std::this_thread::yield();
    }
  }

 private:
  int workers_;
  int looks_;
  alignas(apart) std::atomic<int> arrived_{0};
  alignas(apart) std::atomic<int> round_{0};
};

/// Calls act(0) to act(workers - 1), each on a thread of its own, that begin together. Seconds from the first one's
/// begin to the last one's end. Rethrows the first exception; act must not wait for a worker that has thrown.
template <class Act>
double on_fresh_threads(int workers, const std::function<void(int)>& on_start, const Act& act) {
  FirstException failure;
  Rendezvous start{workers};
  std::mutex mutex;
  Clock::time_point first = Clock::time_point::max();
  Clock::time_point last = Clock::time_point::min();
  {
    std::vector<std::jthread> team;
    for (int worker = 0; worker < workers; ++worker) {
      team.emplace_back([&, worker] {
        if (on_start) failure.guard([&] { on_start(worker); });
        start.meet();
        const Clock::time_point begin = Clock::now();
        failure.guard([&] { act(worker); });
        const Clock::time_point end = Clock::now();
        const std::scoped_lock lock{mutex};
        first = std::min(first, begin);
        last = std::max(last, end);
      });
    }
  }
  failure.rethrow();
  return seconds_between(first, last);
}

/// The workers of `stage`, each bound to its core where the caller binds.
template <class Act>
double on_workers(const Stage& stage, const Act& act) {
  return on_fresh_threads(stage.workers(), stage.execution.on_worker_start, act);
}

}  // namespace duet::hazards
