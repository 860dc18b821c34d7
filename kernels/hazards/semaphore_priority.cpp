/// A few permits (connections, buffers, accelerators), many workers of low priority that take one again and again, and
/// one of high priority that needs one now and then. A semaphore that knows no priority gives a permit to whoever is
/// there first:
///
///     permits   [low 1][low 2]    low 1 returns his, and takes it again before anybody who sleeps is awake
///     waiting   HIGH, low 3, low 4, low 5
///
/// What is judged is counted: permits given to low priority while the high one waited, the most in one wait. Under both
/// cures none is, by construction: priority hands a permit that is returned to the highest who waits, and who comes new
/// cannot pass; reserved keeps one permit for high priority alone, and has the others do with less.
///
/// High priority asks when all others have or wait for one, and who has one keeps it until then: nobody misses the
/// contest by a late start.
/// Counting happens under the semaphore's own lock, in the order in which permits are given.

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>

#include "kernels/hazards/catalogue.hpp"
#include "kernels/hazards/workers.hpp"

namespace duet::hazards {
namespace {

constexpr int permits = 2;
constexpr int low_workers = 6;
constexpr std::int64_t low_turns = 100;  // each
constexpr std::int64_t hold_steps_of_permit = 10'000;

enum class Priority { low, high };

/// How many were passed by lower priority while they waited. Guarded by the mutex of the semaphore.
struct Passed {
  int high_waiting = 0;
  std::int64_t in_this_wait = 0;
  std::int64_t most = 0;
  std::atomic<std::int64_t> low_asked = 0;  // read without the mutex
  std::atomic<bool> high_asked = false;     // too

  void asks(Priority priority) {
    if (priority == Priority::high) {
      high_asked = true;
    } else {
      low_asked += 1;
    }
  }
  void waits() { high_waiting += 1; }
  void given(Priority to) {
    if (to == Priority::low && high_waiting > 0) most = std::max(most, ++in_this_wait);
  }
  void served() {
    high_waiting -= 1;
    in_this_wait = 0;
  }
};

/// Whoever is there when one is free.
class AnybodysPermits {
 public:
  void acquire(Priority priority) {
    std::unique_lock guard{mutex_};
    passed.asks(priority);
    if (priority == Priority::high) passed.waits();
    returned_.wait(guard, [&] { return free_ > 0; });
    free_ -= 1;
    passed.given(priority);
    if (priority == Priority::high) passed.served();
  }
  void release(Priority) {
    {
      const std::scoped_lock guard{mutex_};
      free_ += 1;
    }
    returned_.notify_one();
  }

  Passed passed;

 private:
  std::mutex mutex_;
  std::condition_variable returned_;
  int free_ = permits;
};

/// Low priority takes none while high priority waits; who returns one wakes the high first.
class PriorityPermits {
 public:
  void acquire(Priority priority) {
    std::unique_lock guard{mutex_};
    passed.asks(priority);
    if (priority == Priority::high) {
      passed.waits();
      to_high_.wait(guard, [&] { return free_ > 0; });
    } else {
      to_low_.wait(guard, [&] { return free_ > 0 && passed.high_waiting == 0; });
    }
    free_ -= 1;
    passed.given(priority);
    if (priority == Priority::low) return;
    passed.served();
    if (free_ > 0) to_low_.notify_one();  // one that was kept waiting for our sake
  }
  void release(Priority) {
    const std::scoped_lock guard{mutex_};
    free_ += 1;
    (passed.high_waiting > 0 ? to_high_ : to_low_).notify_one();
  }

  Passed passed;

 private:
  std::mutex mutex_;
  std::condition_variable to_high_;
  std::condition_variable to_low_;
  int free_ = permits;
};

/// One permit is for high priority alone.
class ReservedPermits {
 public:
  void acquire(Priority priority) {
    std::unique_lock guard{mutex_};
    passed.asks(priority);
    int& free = free_of(priority);
    if (free == 0 && priority == Priority::high) passed.waits();
    const bool waited = passed.high_waiting > 0 && priority == Priority::high;
    returned_.wait(guard, [&] { return free > 0; });
    free -= 1;
    passed.given(priority);
    if (waited) passed.served();
  }
  void release(Priority priority) {
    {
      const std::scoped_lock guard{mutex_};
      free_of(priority) += 1;
    }
    returned_.notify_all();
  }

  Passed passed;

 private:
  int& free_of(Priority priority) { return priority == Priority::high ? high_free_ : low_free_; }

  std::mutex mutex_;
  std::condition_variable returned_;
  int high_free_ = 1;
  int low_free_ = permits - 1;
};

template <class Permits>
Observation share_permits(const Stage&) {
  Permits semaphore;
  std::atomic<int> low_at_work = low_workers;
  const double seconds = on_fresh_threads(low_workers + 1, {}, [&](int worker) {
    if (worker < low_workers) {
      for (std::int64_t turn = 0; turn < low_turns; ++turn) {
        semaphore.acquire(Priority::low);
        while (!semaphore.passed.high_asked) std::this_thread::yield();
        compute(hold_steps_of_permit);
        semaphore.release(Priority::low);
      }
      low_at_work.fetch_sub(1, std::memory_order_release);
      return;
    }
    while (semaphore.passed.low_asked < low_workers) std::this_thread::yield();
    while (low_at_work.load(std::memory_order_acquire) > 0) {
      semaphore.acquire(Priority::high);
      compute(hold_steps_of_permit);
      semaphore.release(Priority::high);
      std::this_thread::sleep_for(std::chrono::microseconds{200});
    }
  });
  Observation seen;
  seen.workers = low_workers + 1;
  seen.seconds = seconds;
  seen.operations = low_workers * low_turns;
  seen.longest_wait = semaphore.passed.most;
  return seen;
}

Finding judge_semaphore_priority(const Observation& seen) {
  if (seen.longest_wait == 0) return {false, "no permit went to low priority while high priority waited"};
  return {true, std::to_string(seen.longest_wait) + " permits went to low priority while high priority waited for one"};
}

}  // namespace

Hazard semaphore_priority() {
  return {
      .name = "semaphore_priority",
      .by = By::shared_state,
      .summary = "low priority takes what high priority needs",
      .why =
          "A semaphore counts permits and not who waits for them. A worker that returns one is there to take it "
          "again, before one that sleeps is awake, whatever the priority of either.",
      .symptom = "What is urgent takes as long as what is not, or longer, and the more so the more there is to do.",
      .detection =
          "Under the semaphore's own lock: permits given to low priority while high priority waited, the most "
          "in one wait.",
      .operation = "low turn",
      .forms =
          {
              {.name = "broken",
               .broken = true,
               .does = "first come, first served",
               .run = share_permits<AnybodysPermits>},
              {.name = "priority", .does = "none to low while high waits", .run = share_permits<PriorityPermits>},
              {.name = "reserved",
               .does = "one permit of two is for high alone",
               .run = share_permits<ReservedPermits>},
          },
      .judge = judge_semaphore_priority,
  };
}

}  // namespace duet::hazards
