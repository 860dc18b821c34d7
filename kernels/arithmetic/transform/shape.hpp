#pragma once

/// The length of a transform, which follows the length of the product in steps of an eighth at the most.

#include <algorithm>
#include <bit>
#include <cstddef>

namespace duet {

/// `rows` rows of `row_length` words. Row r becomes the r-th subtree of the first four levels: see transform.hpp.
struct TransformShape {
  std::size_t rows = 1;
  std::size_t row_length = 64;

  [[nodiscard]] constexpr std::size_t words() const { return rows * row_length; }
  friend constexpr bool operator==(const TransformShape&, const TransformShape&) = default;
};

/// Rows of the tree's first four levels.
inline constexpr std::size_t most_rows = 16;
/// What vectors of eight words need at the end: eight polynomials of eight coefficients.
inline constexpr std::size_t shortest_row = 64;
/// 2^32 words: longer ones have no roots of unity.
inline constexpr std::size_t longest_row = std::size_t{1} << 28U;

/// The least shape of at least `digits` words; rows of powers of two, 9 to 16 of them beyond 1024 words.
[[nodiscard]] constexpr TransformShape shape_for(std::size_t digits) {
  const std::size_t row = std::max(shortest_row, std::bit_ceil((digits + most_rows - 1) / most_rows));
  return {std::max<std::size_t>(1, (digits + row - 1) / row), row};
}

}  // namespace duet
