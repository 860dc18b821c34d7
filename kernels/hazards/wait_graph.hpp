#pragma once

/// Who holds which lock and who waits for which: a deadlock of locks is a cycle in it.
///
///     worker 0 --waits for--> lock 1 --held by--> worker 1 --waits for--> lock 0 --held by--> worker 0
///
/// Workers publish what they do with a few stores, and never wait for the one who watches. A watcher that looks at them
/// one after another might put together a cycle that never was. So it looks twice: a cycle whose workers have all
/// stayed in the same wait, by its serial number, from the first look to the second was there between the two, and
/// since nobody in it can leave, it stays. None is made up, and none is missed for longer than two looks.

#include <atomic>
#include <cstdint>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

namespace duet::hazards {

/// Thrown by a lock whose deadlock was found: a real one would have waited for ever.
class GivenUp : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class WaitGraph {
 public:
  /// Worker and lock numbers count from 0; a lock's name is for people.
  WaitGraph(int workers, std::vector<std::string> lock_names);

  /// Two looks, some milliseconds apart. Empty where there is no deadlock; else a line for each worker in the cycle,
  /// beginning with the lowest: "worker 0 holds lock A and waits for lock B, which worker 1 holds".
  [[nodiscard]] std::string deadlock() const;

  void give_up() { given_up_.store(true, std::memory_order_relaxed); }

 private:
  friend class HeldLock;
  struct alignas(128) Worker {
    /// Serial number of a wait times `most_locks`, plus the lock; or `nothing`.
    std::atomic<std::int64_t> waits_for{-1};
    std::int64_t serial = 0;  // of this worker alone
  };
  struct alignas(128) Lock {
    std::timed_mutex mutex;
    std::atomic<int> holder{-1};
    std::string name;
  };
  struct Wait {
    int worker;
    std::int64_t what;
    int lock;
    int holder;
    friend bool operator==(const Wait&, const Wait&) = default;
  };
  [[nodiscard]] std::vector<Wait> look() const;

  std::vector<Worker> workers_;
  mutable std::vector<Lock> locks_;
  std::atomic<bool> given_up_{false};
};

/// A lock of the graph in the hands of one worker: lockable, for std::unique_lock and std::scoped_lock.
class HeldLock {
 public:
  HeldLock(WaitGraph& graph, int worker, int lock) : graph_{graph}, worker_{worker}, lock_{lock} {}

  /// Throws GivenUp once the graph was given up.
  void lock();
  [[nodiscard]] bool try_lock();
  void unlock();

 private:
  static void see_last_holder(const WaitGraph::Lock& lock);

  WaitGraph& graph_;
  int worker_;
  int lock_;
};

}  // namespace duet::hazards
