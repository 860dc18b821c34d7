#include "kernels/data_decomposition/stencil/grid_memory.hpp"

#include <sys/mman.h>

#include <cstddef>
#include <cstdint>
#include <memory>

namespace duet {
namespace {

constexpr std::size_t huge_page = std::size_t{2} << 20;

/// An odd number of lines from four lines on: what is less is not worth more room.
constexpr std::int64_t stride_for(std::int64_t columns) {
  const std::int64_t lines = (columns + line_words - 1) / line_words;
  return (lines < 4 ? lines : lines | 1) * line_words;
}

/// What cannot be had is not missed: the kernel says no where it has no huge pages.
void ask_for_huge_pages(void* memory, std::size_t bytes) {
  void* begin = memory;
  std::size_t left = bytes;
  if (std::align(huge_page, huge_page, begin, left) == nullptr) return;
  static_cast<void>(::madvise(begin, left / huge_page * huge_page, MADV_HUGEPAGE));
}

}  // namespace

GridMemory::GridMemory(std::int64_t rows, std::int64_t columns)
    : memory_{rows, columns == 0 ? 0 : stride_for(columns)}, columns_{columns} {
  ask_for_huge_pages(memory_.data(), static_cast<std::size_t>(rows * memory_.columns()) * sizeof(double));
}

double grid_memory_words(double rows, double columns) { return rows * (columns + 2 * line_words); }

}  // namespace duet
