#include "kernels/hazards/wait_graph.hpp"

#include <chrono>
#include <thread>

#include "kernels/core/wait_cycle.hpp"

namespace duet::hazards {
namespace {

constexpr std::int64_t most_locks = 1 << 20;
constexpr std::int64_t nothing = -1;

}  // namespace

WaitGraph::WaitGraph(int workers, std::vector<std::string> lock_names)
    : workers_(static_cast<std::size_t>(workers)), locks_(lock_names.size()) {
  for (std::size_t lock = 0; lock < locks_.size(); ++lock) locks_[lock].name = std::move(lock_names[lock]);
}

/// The cycle that a look at everybody shows, beginning with its lowest worker; empty where it shows none.
std::vector<WaitGraph::Wait> WaitGraph::look() const {
  std::vector<Wait> waits;
  for (std::size_t w = 0; w < workers_.size(); ++w) {
    const std::int64_t what = workers_[w].waits_for.load(std::memory_order_acquire);
    const int lock = what == nothing ? -1 : static_cast<int>(what % most_locks);
    const int holder = lock < 0 ? -1 : locks_[static_cast<std::size_t>(lock)].holder.load(std::memory_order_acquire);
    waits.push_back({static_cast<int>(w), what, lock, holder});
  }
  std::vector<std::vector<std::size_t>> waits_for(waits.size());
  for (std::size_t w = 0; w < waits.size(); ++w) {
    if (waits[w].holder >= 0) waits_for[w].push_back(static_cast<std::size_t>(waits[w].holder));
  }
  std::vector<Wait> cycle;
  for (const std::size_t worker : shortest_cycle(waits_for)) cycle.push_back(waits[worker]);
  return cycle;
}

std::string WaitGraph::deadlock() const {
  constexpr std::chrono::milliseconds pause{2};
  const std::vector<Wait> first = look();
  if (first.empty()) return {};
  std::this_thread::sleep_for(pause);
  if (look() != first) return {};
  std::string text;
  for (const Wait& wait : first) {
    std::string held;
    for (const Lock& lock : locks_) {
      if (lock.holder.load(std::memory_order_acquire) == wait.worker) held += (held.empty() ? "" : ", ") + lock.name;
    }
    text += (text.empty() ? "" : "\n") + ("worker " + std::to_string(wait.worker)) + " holds " + held +
            " and waits for " + locks_[static_cast<std::size_t>(wait.lock)].name + ", which worker " +
            std::to_string(wait.holder) + " holds";
  }
  return text;
}

/// The mutex has ordered what its last holder did before what the new one does. GCC 12's ThreadSanitizer does not see
/// that of a timed lock, but it sees that this reads what `unlock` has written. Costs a load.
void HeldLock::see_last_holder(const WaitGraph::Lock& lock) {
  static_cast<void>(lock.holder.load(std::memory_order_acquire));
}

void HeldLock::lock() {
  if (try_lock()) return;
  WaitGraph::Worker& mine = graph_.workers_[static_cast<std::size_t>(worker_)];
  WaitGraph::Lock& wanted = graph_.locks_[static_cast<std::size_t>(lock_)];
  mine.waits_for.store(mine.serial++ * most_locks + lock_, std::memory_order_release);
  constexpr std::chrono::milliseconds patience{5};
  while (!wanted.mutex.try_lock_for(patience)) {
    if (graph_.given_up_.load(std::memory_order_relaxed)) throw GivenUp("a lock that will never be free");
  }
  see_last_holder(wanted);
  // In this order: between the two, nobody must seem to wait for himself.
  mine.waits_for.store(nothing, std::memory_order_release);
  wanted.holder.store(worker_, std::memory_order_release);
}

bool HeldLock::try_lock() {
  WaitGraph::Lock& wanted = graph_.locks_[static_cast<std::size_t>(lock_)];
  if (!wanted.mutex.try_lock()) return false;
  see_last_holder(wanted);
  wanted.holder.store(worker_, std::memory_order_release);
  return true;
}

void HeldLock::unlock() {
  WaitGraph::Lock& held = graph_.locks_[static_cast<std::size_t>(lock_)];
  held.holder.store(-1, std::memory_order_release);
  held.mutex.unlock();
}

}  // namespace duet::hazards
