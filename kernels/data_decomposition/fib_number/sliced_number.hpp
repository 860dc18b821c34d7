#pragma once

/// A long number whose digits lie on many ranks: each holds the same columns of every row.
///
///     digit (r, c) stands for  digit base^(r row_length + c)
///
///                  rank 0        rank 1        rank 2
///     row 0   | d0 d1 d2 .. | .. .. .. .. | .. .. .. .. |    least significant first
///     row 1   |  ..         |             |             |
///     row 2   |  ..         |             |  .. d(n-1)  |
///
/// These are the rows of the transform that made the number, for many ranks cut into shorter ones (rank_plan.hpp): the
/// last levels of its inverse join rows, column by column, so that each rank ends with whole columns. As operands of
/// the next product, whose rows are twice as long, the same columns are columns again. A number that one process
/// computed by itself lies in order in one row.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "kernels/arithmetic/fast_doubling.hpp"
#include "kernels/arithmetic/transform/path.hpp"
#include "kernels/arithmetic/transform/radix.hpp"
#include "kernels/arithmetic/transform/shape.hpp"
#include "kernels/arithmetic/transform/words.hpp"
#include "kernels/core/partition.hpp"

namespace duet {

/// Columns are handed out in strips of so many.
inline constexpr std::size_t columns_in_strip = 64;

/// The columns of rank `rank` of `ranks`; empty for the last ones where there are fewer strips than ranks.
[[nodiscard]] constexpr Columns columns_of(const TransformShape& shape, int ranks, int rank) {
  const Range strips = share_of(static_cast<std::int64_t>(shape.row_length / columns_in_strip), ranks, rank);
  return {static_cast<std::size_t>(strips.begin) * columns_in_strip,
          static_cast<std::size_t>(strips.end) * columns_in_strip};
}

/// The first ranks, which have columns.
[[nodiscard]] constexpr int active_ranks(const TransformShape& shape, int ranks) {
  return static_cast<int>(std::min(static_cast<std::size_t>(ranks), shape.row_length / columns_in_strip));
}

struct SlicedNumber {
  Radix radix;
  TransformShape shape;    ///< row_length is a multiple of 64 where there is more than one rank
  std::size_t digits = 0;  ///< of all ranks, without zeros at the end
  Columns mine{};
  std::vector<std::int64_t> carries{};  ///< out of this rank's part of each row, while they are not added
  /// Words of no meaning before each row, for what recombination reads there.
  std::size_t margin = 0;
  /// Row r begins at words + r * stride() with its margin.
  Words words{};

  [[nodiscard]] std::size_t width() const { return mine.end - mine.begin; }
  [[nodiscard]] std::size_t stride() const { return width() + margin; }
  /// This rank's digits of a row, and the place of the first of them in the number. Digits from `digits` on are zero.
  [[nodiscard]] std::span<std::uint64_t> row(std::size_t r) { return {words.data() + r * stride() + margin, width()}; }
  [[nodiscard]] std::span<const std::uint64_t> row(std::size_t r) const {
    return {words.data() + r * stride() + margin, width()};
  }
  [[nodiscard]] std::size_t place_of(std::size_t r) const { return r * shape.row_length + mine.begin; }
  /// The digit at `place` < digits of the number where this rank has it, else 0: ranks add them up.
  [[nodiscard]] std::uint64_t digit_if_mine(std::size_t place) const {
    const std::size_t column = place % shape.row_length;
    return mine.begin <= column && column < mine.end ? row(place / shape.row_length)[column - mine.begin] : 0;
  }
};

/// A hash of digits that begin at `place`, a multiple of 64, as far as they stand below `end`. Of a number in stretches
/// that all but the last are multiples of 64 long, the hashes add up to that of the whole.
[[nodiscard]] std::uint64_t hash_of_digits(std::span<const std::uint64_t> digits, std::size_t place, std::size_t end);

/// A number that lies on one process, as it is.
[[nodiscard]] inline SlicedNumber in_order(DigitNumber number) {
  return {.radix = number.radix,
          .shape = {.rows = 1, .row_length = number.size},
          .digits = number.size,
          .mine = {0, number.size},
          .words = std::move(number.words)};
}

}  // namespace duet
