#pragma once

/// How ranks divide a product of sliced numbers, and what each of them receives for it: pure functions, which the
/// kernel follows (rank_products.hpp) and a plan adds up (rank_doubling.hpp).
///
/// The transform of a product has `rows` rows (transform/shape.hpp), for each of three primes: the *units*, which are
/// dealt out in order, as many to each rank. Each row is cut into 2^levels where ranks are many:
///
///     levels = 0      27 to 48 units, rows are the subtrees below the fourth level
///     levels = q      2^q times as many, of a 2^q-th of the length, below level 4 + q
///
/// Columns, of digits and of coefficients, are dealt out in strips of 64. With N words in the transform there are 3
/// rows units and N / (64 rows) strips, and rows grow by powers of two: up to sqrt(3 N / 128) ranks find both, and with
/// luck 1.4 times as many; of more ranks, some have only one of them, or nothing. `division_for` chooses the levels.

#include <array>
#include <cstddef>
#include <cstdint>

#include "kernels/arithmetic/transform/path.hpp"
#include "kernels/arithmetic/transform/shape.hpp"
#include "kernels/core/partition.hpp"
#include "kernels/data_decomposition/fib_number/sliced_number.hpp"

namespace duet {

/// What enters a rank. A word is 64 bits.
struct Moved {
  std::int64_t messages = 0;
  std::int64_t words = 0;

  constexpr Moved& operator+=(const Moved& more) {
    messages += more.messages;
    words += more.words;
    return *this;
  }
  friend constexpr Moved operator+(Moved one, const Moved& other) { return one += other; }
  friend constexpr bool operator==(const Moved&, const Moved&) = default;
};

/// The columns of every rank in blocks, which are sent, transformed and forgotten one after the other.
struct ColumnBlocks {
  std::size_t width = columns_in_strip;  ///< of a block
  std::size_t count = 0;                 ///< of the rank with most columns, which is the first

  /// Of the columns of one rank; empty beyond its last.
  [[nodiscard]] constexpr Columns of(const Columns& all, std::size_t block) const {
    const std::size_t begin = all.begin + block * width < all.end ? all.begin + block * width : all.end;
    return {begin, begin + width < all.end ? begin + width : all.end};
  }
};

[[nodiscard]] constexpr std::size_t width_of(const Columns& columns) { return columns.end - columns.begin; }

/// Words of a block, of all ranks together: two blocks stay in the second-level cache.
inline constexpr std::size_t words_of_block = std::size_t{1} << 15U;
/// And its least width, so that the columns that come before it do not count.
inline constexpr std::size_t narrowest_block = 256;

/// Long rows are messages of their own, sent from where they are: a block then has so many words, and a row in it this
/// many at the least, so that a message costs little beside what it saves, which is a copy.
inline constexpr std::size_t words_of_row_block = std::size_t{1} << 19U;
inline constexpr std::size_t least_row_message = 1024;
/// Columns of a block that are worked off at once, for all primes, in the second-level cache.
inline constexpr std::size_t columns_at_once = 512;

/// Coefficients reach over the two digits above them, and vectors have eight words: so many columns before those of a
/// block come with it.
inline constexpr std::size_t columns_before = 8;

/// Of one block on its way.
struct BlockWords {
  std::size_t sent = 0;
  std::size_t received = 0;
};

/// Who has what.
struct RankDivision {
  int ranks = 1;
  /// Whether digits are sent to all ranks, who make of them the first levels of their units. Else each rank does so
  /// with its own columns, for all units, which are then sent: an operand's digits are a sixth of its three images, and
  /// every rank gets all of the former, or its part of the latter.
  bool sends_digits = true;
  unsigned levels = 0;  ///< of each row of a transform that are cut off; 0 where digits are sent

  /// The shape for at least so many digits; rows are a multiple of 2^levels, row_length of 64.
  [[nodiscard]] TransformShape shape_for_digits(std::size_t digits) const;
  /// The first four levels of the transform of that shape.
  [[nodiscard]] TransformShape top_of(const TransformShape& shape) const {
    return {shape.rows >> levels, shape.row_length << levels};
  }
  [[nodiscard]] static std::int64_t units_in(const TransformShape& shape) {
    return static_cast<std::int64_t>(shape.rows * transform_primes_count);
  }
  /// Unit u is row u % rows modulo prime u / rows.
  [[nodiscard]] Range units_of(const TransformShape& shape, int rank) const {
    return share_of(units_in(shape), ranks, rank);
  }
};

/// The one that moves the fewer words, and with the levels by which ranks have least to do for a product of at most so
/// many digits.
[[nodiscard]] RankDivision division_for(std::size_t digits, int ranks);

/// One product: of numbers in the rows of `from` that have digits, to rows of `to`, whose columns are as many or more.
struct SlicedProduct {
  RankDivision division;
  TransformShape from;
  TransformShape to;
  std::size_t operands = 2;
  std::size_t results = 1;

  /// Columns c, c + from.row_length, ... of `to` are those of column c of `from`.
  [[nodiscard]] std::size_t ratio() const { return to.row_length / from.row_length; }
  /// Rows of `to` that have digits in the columns from part * from.row_length on.
  [[nodiscard]] std::size_t filled(std::size_t part) const { return (from.rows + ratio() - 1 - part) / ratio(); }
  [[nodiscard]] Columns columns_from(int rank) const { return columns_of(from, division.ranks, rank); }
  [[nodiscard]] Columns columns_to(int rank) const { return columns_of(to, division.ranks, rank); }
  [[nodiscard]] Range units_of(int rank) const { return division.units_of(to, rank); }

  /// Digits of all operands to all ranks; images of one operand and part to the ranks of their units; one result's.
  [[nodiscard]] ColumnBlocks digit_blocks() const;
  [[nodiscard]] ColumnBlocks image_blocks() const;
  [[nodiscard]] ColumnBlocks result_blocks() const;
  /// Words of all operands and ranks in a column of every rank.
  [[nodiscard]] std::size_t digits_a_column() const {
    return operands * from.rows * static_cast<std::size_t>(division.ranks);
  }
  /// Whether each row of a block is a message; else a block is one.
  [[nodiscard]] bool sends_rows_of_digits() const;
  [[nodiscard]] bool sends_rows_of_results() const;

  /// What `rank` receives of operands, of either kind, and of results.
  [[nodiscard]] Moved operands_received(int rank) const;
  [[nodiscard]] Moved results_received(int rank) const;
  /// Words that `rank` holds: images of the operands, and blocks on their way, of which the first is in slot 0, the
  /// next in slot 1 ...
  [[nodiscard]] std::size_t image_words(int rank) const;
  [[nodiscard]] BlockWords block_words(int rank, std::size_t slot) const;
};

}  // namespace duet
