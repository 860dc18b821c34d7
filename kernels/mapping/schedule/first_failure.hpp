#pragma once

/// Carries an exception out of a team of threads.

#include <atomic>
#include <exception>
#include <utility>

namespace duet {

/// Keeps the first exception that any thread meets inside `guard`; after it, `guard` does nothing any more.
class FirstFailure {
 public:
  template <class Act>
  void guard(Act&& act) noexcept {
    if (failed()) return;
    try {
      std::forward<Act>(act)();
    } catch (...) {
      if (!taken_.test_and_set()) failure_ = std::current_exception();
      failed_.store(true, std::memory_order_relaxed);
    }
  }

  [[nodiscard]] bool failed() const { return failed_.load(std::memory_order_relaxed); }

  /// Throws what was kept. To be called when the team is done.
  void rethrow() const {
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  std::atomic_flag taken_;
  std::atomic<bool> failed_ = false;
  std::exception_ptr failure_;
};

}  // namespace duet
