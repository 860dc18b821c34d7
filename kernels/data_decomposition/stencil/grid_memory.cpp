#include "kernels/data_decomposition/stencil/grid_memory.hpp"

#include <cstdint>

#include "kernels/core/huge_pages.hpp"

namespace duet {
namespace {

/// An odd number of lines from four lines on: what is less is not worth more room.
constexpr std::int64_t stride_for(std::int64_t columns) {
  const std::int64_t lines = (columns + line_words - 1) / line_words;
  return (lines < 4 ? lines : lines | 1) * line_words;
}

}  // namespace

GridMemory::GridMemory(std::int64_t rows, std::int64_t columns)
    : memory_{matrix_on_huge_pages<double>(rows, columns == 0 ? 0 : stride_for(columns))}, columns_{columns} {}

double grid_memory_words(double rows, double columns) { return rows * (columns + 2 * line_words); }

}  // namespace duet
