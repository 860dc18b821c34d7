#pragma once

/// The first pivot that failed, found by whichever thread, and the sign for all others to stop.

#include <atomic>
#include <cstdint>

#include "kernels/pipeline/cholesky/cholesky.hpp"

namespace duet {

class FirstBadPivot {
 public:
  /// Factors are made one after another, so there is one failure at the most: nothing is factored after it.
  void found(std::int64_t pivot) { pivot_.store(pivot, std::memory_order_release); }
  [[nodiscard]] bool any() const { return pivot() >= 0; }
  /// -1 where there is none.
  [[nodiscard]] std::int64_t pivot() const { return pivot_.load(std::memory_order_acquire); }
  /// Throws NotPositiveDefinite if there is one.
  void require_none(std::int64_t n) const {
    if (any()) throw NotPositiveDefinite{pivot(), n};
  }

 private:
  std::atomic<std::int64_t> pivot_{-1};
};

}  // namespace duet
