/// A lock that is free goes to whoever takes it first, and that is the worker who has just let it go: the line is still
/// in its cache, while the others look now and then.
///
///     greedy   |hold|hold|hold|hold|hold|hold|hold|      free for a moment between two holds
///     other    look......look............look......      ever more seldom, as a polite spin lock does
///
/// What is judged is counted in turns: how often others were given the lock while one worker waited. A ticket lock
/// serves in the order of arrival, so no more than workers - 1 others come in between, whatever the scheduler does; of
/// the unfair one the longest wait is hundreds of turns, and there is no bound.
///
/// The price of fairness: the lock travels to another core at each turn, and a worker whose turn it is may be asleep.

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <list>
#include <mutex>

#include "kernels/hazards/catalogue.hpp"
#include "kernels/hazards/workers.hpp"

namespace duet::hazards {
namespace {

constexpr std::int64_t turns = 3'000;       // of all workers
constexpr std::int64_t hold_steps = 1'000;  // about a microsecond

// Each lock calls `in_line` as soon as the caller's place among those who wait is taken: whoever comes later comes
// later.

/// Free or taken; who finds it taken looks again after twice the time.
class UnfairLock {
 public:
  template <class InLine>
  void lock(const InLine& in_line) {
    in_line();
    constexpr std::chrono::microseconds longest{1000};
    std::chrono::microseconds pause{10};
    while (taken_.exchange(true, std::memory_order_acquire)) {
      std::this_thread::sleep_for(pause);
      pause = std::min(2 * pause, longest);
    }
  }
  void unlock() { taken_.store(false, std::memory_order_release); }

 private:
  std::atomic<bool> taken_ = false;
};

/// Draws a number and waits until it is called.
class TicketLock {
 public:
  template <class InLine>
  void lock(const InLine& in_line) {
    const std::int64_t mine = drawn_.fetch_add(1, std::memory_order_acq_rel);
    in_line();
    constexpr int looks = 200;
    for (int look = 0; called_.load(std::memory_order_acquire) != mine; ++look) {
      if (look >= looks) std::this_thread::yield();
    }
  }
  void unlock() { called_.store(called_.load(std::memory_order_relaxed) + 1, std::memory_order_release); }

 private:
  alignas(apart) std::atomic<std::int64_t> drawn_ = 0;
  alignas(apart) std::atomic<std::int64_t> called_ = 0;
};

/// A list of those who wait; who lets go wakes the first of them, and the lock is his without ever being free.
class QueueLock {
 public:
  template <class InLine>
  void lock(const InLine& in_line) {
    std::unique_lock guard{mutex_};
    in_line();
    if (!taken_) {
      taken_ = true;
      return;
    }
    Waiting mine;
    queue_.push_back(&mine);
    mine.wake.wait(guard, [&] { return mine.served; });
  }
  void unlock() {
    const std::scoped_lock guard{mutex_};
    if (queue_.empty()) {
      taken_ = false;
      return;
    }
    Waiting& next = *queue_.front();
    queue_.pop_front();
    next.served = true;
    next.wake.notify_one();  // under the mutex: afterwards `next` may be gone
  }

 private:
  struct Waiting {
    std::condition_variable wake;
    bool served = false;
  };
  std::mutex mutex_;
  bool taken_ = false;
  std::list<Waiting*> queue_;
};

template <class Lock>
Observation take_turns(const Stage& stage) {
  const int workers = stage.workers();
  Lock lock;
  std::atomic<std::int64_t> taken = 0;  // written by the holder alone
  std::int64_t longest = 0;             // the holder's too
  std::atomic<int> came = 0;
  const double seconds = on_workers(stage, [&](int) {
    for (bool first = true; taken.load(std::memory_order_acquire) < turns; first = false) {
      std::int64_t before = 0;
      lock.lock([&] {
        before = taken.load(std::memory_order_acquire);
        if (first) came.fetch_add(1, std::memory_order_acq_rel);
      });
      // The first turn lasts until all others wait: they do not miss the contest because they start late.
      while (came.load(std::memory_order_acquire) < workers) std::this_thread::yield();
      const std::int64_t now = taken.load(std::memory_order_relaxed);
      longest = std::max(longest, now - before);
      taken.store(now + 1, std::memory_order_release);
      compute(hold_steps);
      lock.unlock();
    }
  });
  Observation seen;
  seen.workers = workers;
  seen.seconds = seconds;
  seen.operations = taken.load();
  seen.longest_wait = longest;
  return seen;
}

/// Starved is who has waited for ten times as many turns as there are workers.
Finding judge_starvation(const Observation& seen) {
  constexpr std::int64_t times = 10;
  const std::string waited = "the longest wait was " + std::to_string(seen.longest_wait) + " turns of others, of " +
                             std::to_string(seen.operations) + " in all; " + std::to_string(seen.workers - 1) +
                             (seen.workers == 2 ? " is fair" : " are fair");
  return {seen.longest_wait > times * seen.workers, waited};
}

}  // namespace

Hazard starvation() {
  return {
      .name = "starvation",
      .by = By::shared_state,
      .summary = "an unfair lock goes back to who just had it",
      .why =
          "A free lock belongs to the first who takes it. Who lets it go and wants it again is there first: it "
          "runs, and the line is in its cache, while the others look seldom or have to be woken.",
      .symptom =
          "All is right and throughput is good, and one worker does nothing for seconds: latencies with a long "
          "tail, or one thread of many with all the work.",
      .detection =
          "Each worker counts how often others were given the lock while it waited. Counted in turns and not "
          "in seconds, a fair lock has a bound that no scheduler can break.",
      .operation = "turn",
      .forms =
          {
              {.name = "broken", .broken = true, .does = "a spin lock with back-off", .run = take_turns<UnfairLock>},
              {.name = "ticket", .does = "a number is drawn, and called in order", .run = take_turns<TicketLock>},
              {.name = "queue", .does = "handed over to the first who waits, who sleeps", .run = take_turns<QueueLock>},
          },
      .judge = judge_starvation,
  };
}

}  // namespace duet::hazards
