#pragma once

/// Memory for a grid that is read and written in long streams.

#include <cstdint>

#include "kernels/core/view.hpp"

namespace duet {

/// Points in a cache line.
inline constexpr std::int64_t line_words = 64 / sizeof(double);

/// Room for rows x columns points, not initialised: pages go to the NUMA node of the worker that first writes them.
/// Every row begins on the boundary of a cache line, and rows are an odd number of lines apart: those that one point
/// needs are spread over the sets of a cache. On large pages, where there are any.
class GridMemory {
 public:
  GridMemory() = default;
  /// Throws std::length_error or std::bad_alloc as `Matrix` does.
  GridMemory(std::int64_t rows, std::int64_t columns);

  [[nodiscard]] View view() { return {memory_.data(), memory_.rows(), columns_, memory_.columns()}; }

 private:
  Matrix<double> memory_;
  std::int64_t columns_ = 0;
};

/// The words that GridMemory needs, as a double: of estimates.
[[nodiscard]] double grid_memory_words(double rows, double columns);

}  // namespace duet
