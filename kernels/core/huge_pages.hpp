#pragma once

/// Long streams on large pages.

#include <cstddef>
#include <cstdint>

#include "kernels/core/view.hpp"

namespace duet {

inline constexpr std::size_t huge_page = std::size_t{2} << 20U;  ///< bytes

/// Asks the system for pages of 2 MiB for the whole ones of them in `bytes` from `memory` on, before it is first
/// touched. Streams through pages of 4 KiB wait for translations, above all on a guest (the triad of the stencil: 13
/// GB/s on small pages, 21 on large ones), and Debian gives large pages only to those who ask. What cannot be had is
/// not missed. Not for every matrix: with n = 4096 rows stand a power of two apart, and pages of 4 KiB that lie
/// anywhere spread them over the sets of a cache; on large pages strassen was 0.97 times as fast, and matmul gained
/// nothing.
void ask_for_huge_pages(void* memory, std::size_t bytes);

/// A matrix that was asked for them.
template <class Element>
[[nodiscard]] Matrix<Element> matrix_on_huge_pages(std::int64_t rows, std::int64_t columns) {
  Matrix<Element> matrix{rows, columns};
  ask_for_huge_pages(matrix.data(), static_cast<std::size_t>(rows * columns) * sizeof(Element));
  return matrix;
}

}  // namespace duet
