#pragma once

/// Carries an exception out of a parallel region, which none may leave by itself.

#include <atomic>
#include <exception>
#include <utility>

namespace duet {

class FirstException {
 public:
  /// Runs `act` and keeps what it throws; does nothing once something was thrown. For any number of threads at once.
  template <class Act>
  void guard(Act&& act) noexcept {
    if (thrown()) return;
    try {
      std::forward<Act>(act)();
    } catch (...) {
      if (!taken_.test_and_set()) first_ = std::current_exception();
      thrown_.store(true, std::memory_order_relaxed);
    }
  }

  [[nodiscard]] bool thrown() const { return thrown_.load(std::memory_order_relaxed); }

  /// Throws what was kept, if anything. For one thread, after the region.
  void rethrow() const {
    if (first_) std::rethrow_exception(first_);
  }

 private:
  std::atomic_flag taken_;
  std::atomic<bool> thrown_ = false;
  std::exception_ptr first_;
};

}  // namespace duet
