#pragma once

/// Carries an exception out of a parallel region, which none may leave by itself.

#include <exception>
#include <mutex>

namespace duet {

class FirstException {
 public:
  /// Runs `act`; keeps what it throws if nothing was thrown before. For any number of threads at once.
  template <class Act>
  void guard(Act&& act) noexcept {
    try {
      act();
    } catch (...) {
      const std::scoped_lock lock{mutex_};
      if (!first_) first_ = std::current_exception();
    }
  }
  /// Throws what was kept, if anything. For one thread, after the region.
  void rethrow() const {
    if (first_) std::rethrow_exception(first_);
  }

 private:
  std::mutex mutex_;
  std::exception_ptr first_;
};

}  // namespace duet
