#include "kernels/data_decomposition/fib_number/rank_plan.hpp"

#include <algorithm>

namespace duet {
namespace {

/// Whether rows of a block are long enough to be messages of their own, where all ranks together have `words_a_column`.
bool sends_rows(const TransformShape& shape, int ranks, std::size_t words_a_column) {
  return std::min(width_of(columns_of(shape, ranks, 0)), words_of_row_block / words_a_column) >= least_row_message;
}

/// Blocks in the columns of `shape`, whose rows are messages of their own or are not.
ColumnBlocks blocks_of(const TransformShape& shape, int ranks, std::size_t words_a_column, bool by_rows) {
  const std::size_t words = by_rows ? words_of_row_block : words_of_block;
  const std::size_t widest = width_of(columns_of(shape, ranks, 0));
  const std::size_t width = words / words_a_column / columns_in_strip * columns_in_strip;
  ColumnBlocks blocks{.width = std::min(std::max(width, narrowest_block), std::max(widest, columns_in_strip))};
  blocks.count = (widest + blocks.width - 1) / blocks.width;
  return blocks;
}

/// Blocks in which so many columns come.
std::int64_t blocks_in(const ColumnBlocks& blocks, const Columns& columns) {
  return static_cast<std::int64_t>((width_of(columns) + blocks.width - 1) / blocks.width);
}

}  // namespace

TransformShape RankDivision::shape_for_digits(std::size_t digits) const {
  TransformShape top = shape_for(digits);
  if (top.row_length >> levels < columns_in_strip) {
    top.row_length = columns_in_strip << levels;
    top.rows = std::max<std::size_t>(1, (digits + top.row_length - 1) / top.row_length);
  }
  return {top.rows << levels, top.row_length >> levels};
}

RankDivision division_for(std::size_t digits, int ranks) {
  constexpr int most_for_digits = 2 * static_cast<int>(transform_primes_count);
  RankDivision division{.ranks = ranks, .sends_digits = ranks <= most_for_digits};
  if (division.sends_digits) return division;
  // What the rank with most has to do: units are three quarters of the work, columns the rest, and each further pass
  // over columns costs some hundredths.
  const auto largest_share = [&](std::int64_t things) {
    return static_cast<double>(share_of(things, ranks, 0).size()) / static_cast<double>(things);
  };
  constexpr double of_units = 0.75;
  constexpr double a_pass = 0.03;
  double least = 2;
  RankDivision best = division;
  for (constexpr unsigned most = 16; division.levels <= most; ++division.levels) {
    const TransformShape shape = division.shape_for_digits(digits);
    const auto strips = static_cast<std::int64_t>(shape.row_length / columns_in_strip);
    const double cost = of_units * largest_share(RankDivision::units_in(shape)) +
                        (1 - of_units) * largest_share(strips) + a_pass * division.levels / 4 / ranks;
    if (cost < least) {
      least = cost;
      best = division;
    }
    if (strips == 1) break;
  }
  return best;
}

ColumnBlocks SlicedProduct::digit_blocks() const {
  return blocks_of(from, division.ranks, digits_a_column(), sends_rows_of_digits());
}
ColumnBlocks SlicedProduct::image_blocks() const {
  return blocks_of(from, division.ranks, transform_primes_count * to.rows, false);
}
ColumnBlocks SlicedProduct::result_blocks() const {
  return blocks_of(to, division.ranks, transform_primes_count * to.rows, sends_rows_of_results());
}
bool SlicedProduct::sends_rows_of_digits() const { return sends_rows(from, division.ranks, digits_a_column()); }
bool SlicedProduct::sends_rows_of_results() const {
  return sends_rows(to, division.ranks, transform_primes_count * to.rows);
}

Moved SlicedProduct::operands_received(int rank) const {
  Moved moved;
  const std::int64_t units = units_of(rank).size();
  if (units == 0) return moved;
  const bool digits = division.sends_digits;
  const ColumnBlocks blocks = digits ? digit_blocks() : image_blocks();
  for (int other = 0; other < division.ranks; ++other) {
    if (other == rank) continue;
    const Columns theirs = columns_from(other);
    const auto width = static_cast<std::int64_t>(width_of(theirs));
    if (digits) {
      const auto rows = static_cast<std::int64_t>(operands * from.rows);
      moved += {blocks_in(blocks, theirs) * (sends_rows_of_digits() ? rows : 1), width * rows};
    } else {
      const auto times = static_cast<std::int64_t>(operands * ratio());
      moved += {times * blocks_in(blocks, theirs), times * width * units};
    }
  }
  return moved;
}

Moved SlicedProduct::results_received(int rank) const {
  Moved moved;
  const ColumnBlocks blocks = result_blocks();
  const Columns mine = columns_to(rank);
  const std::int64_t count = blocks_in(blocks, mine);
  const auto width = static_cast<std::int64_t>(width_of(mine) + static_cast<std::size_t>(count) * columns_before);
  for (int other = 0; other < division.ranks; ++other) {
    const std::int64_t units = units_of(other).size();
    if (other == rank || units == 0) continue;
    const auto times = static_cast<std::int64_t>(results);
    // The columns before the first are the last: another message.
    const std::int64_t messages =
        sends_rows_of_results() ? units * (count + (mine.begin == 0 && count != 0 ? 1 : 0)) : count;
    moved += {times * messages, times * units * width};
  }
  return moved;
}

std::size_t SlicedProduct::image_words(int rank) const {
  return operands * static_cast<std::size_t>(units_of(rank).size()) * to.row_length;
}

BlockWords SlicedProduct::block_words(int rank, std::size_t slot) const {
  const auto ranks = static_cast<std::size_t>(division.ranks);
  const std::size_t others = ranks - 1;
  const auto units = static_cast<std::size_t>(units_of(rank).size());
  const std::size_t all_units = transform_primes_count * to.rows;
  BlockWords words;
  const ColumnBlocks of_results = result_blocks();
  if (slot < of_results.count) {
    const std::size_t width = of_results.width + columns_before;
    words.sent = sends_rows_of_results() ? all_units * (columns_at_once + columns_before) : others * units * width;
    words.received = all_units * width;
  }
  const ColumnBlocks of_operands = division.sends_digits ? digit_blocks() : image_blocks();
  const std::size_t width = of_operands.width;
  if (division.sends_digits && slot < of_operands.count) {
    const std::size_t digits = operands * from.rows * width;
    words.sent = std::max(words.sent, others == 0 || sends_rows_of_digits() ? 0 : digits);
    words.received = std::max(words.received, others * digits);
  } else if (!division.sends_digits && slot < of_operands.count * ratio() * operands) {
    words.sent = std::max(words.sent, (all_units + to.rows) * width);
    words.received = std::max(words.received, others * units * width);
  }
  return words;
}

}  // namespace duet
