#include "kernels/data_decomposition/fib_number/rank_plan.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <vector>

#include "kernels/data_decomposition/fib_number/carry_map.hpp"
#include "kernels/data_decomposition/fib_number/fib_number.hpp"

namespace duet {
namespace {

SlicedQuestion question(std::uint64_t n) { return {.n = n, .radix = FibNumber{.n = n}.radix()}; }

/// The last product of F(n).
SlicedProduct last_product(std::uint64_t n, const RankDivision& division) {
  const std::size_t digits = most_sequence_digits(n / 2, Radix::binary(60));
  const TransformShape before = division.shape_for_digits(digits);
  return {.division = division,
          .from = {(digits + before.row_length - 1) / before.row_length, before.row_length},
          .to = division.shape_for_digits(2 * digits + 1)};
}

TEST(RankDivision, SendsWhatIsLess) {
  for (const std::uint64_t n : {10'000'000U, 100'000'000U, 1'000'000'000U}) {
    for (const int ranks : {2, 3, 4, 5, 6, 7, 8, 16}) {
      const SlicedProduct digits = last_product(n, {.ranks = ranks, .sends_digits = true});
      const SlicedProduct images = last_product(n, {.ranks = ranks, .sends_digits = false});
      const bool chosen = division_for(digits.to.words(), ranks).sends_digits;
      // With six ranks it is about the same.
      if (ranks == 6) continue;
      EXPECT_EQ(chosen, digits.operands_received(0).words < images.operands_received(0).words) << n << " " << ranks;
    }
  }
}

TEST(RankDivision, HasWorkForAllRanksAsLongAsThereIsAnything) {
  constexpr std::size_t digits = 11'570'700;  // of F(10^9)
  for (const int ranks : {1, 2, 3, 5, 6, 7, 12, 27, 48, 49, 100, 256, 512}) {
    const RankDivision division = division_for(digits, ranks);
    const TransformShape shape = division.shape_for_digits(digits);
    EXPECT_FALSE(division.units_of(shape, ranks - 1).empty()) << ranks;
    EXPECT_NE(width_of(columns_of(shape, ranks, ranks - 1)), 0U) << ranks;
    // Nobody has more than a fifth above the average of the units, as long as they are far more than ranks.
    const double largest = static_cast<double>(division.units_of(shape, 0).size()) * ranks;
    if (ranks <= 256) {
      EXPECT_LE(largest, 1.2 * static_cast<double>(RankDivision::units_in(shape))) << ranks;
    }
  }
}

TEST(RankDivision, KeepsRowsThatGrowFromProductToProduct) {
  for (unsigned levels = 0; levels < 7; ++levels) {
    const RankDivision division{.ranks = 9, .sends_digits = false, .levels = levels};
    for (std::size_t digits = 64; digits < 100'000; digits += 1 + digits / 30) {
      const TransformShape before = division.shape_for_digits(digits);
      const TransformShape after = division.shape_for_digits(2 * digits + 1);
      EXPECT_GE(before.words(), digits);
      EXPECT_EQ(before.row_length % columns_in_strip, 0U);
      EXPECT_EQ(after.row_length % before.row_length, 0U) << digits;
      EXPECT_EQ(after.rows % (std::size_t{1} << levels), 0U);
      EXPECT_LE(division.top_of(after).rows, most_rows);
    }
  }
}

TEST(SlicedProduct, HasEveryColumnInOneBlockOfOneRank) {
  for (const int ranks : {1, 2, 3, 7, 20}) {
    const SlicedProduct layout = last_product(3'000'000, division_for(70'000, ranks));
    for (const bool result : {false, true}) {
      const TransformShape& shape = result ? layout.to : layout.from;
      const ColumnBlocks blocks = result ? layout.result_blocks() : layout.image_blocks();
      std::size_t next = 0;
      for (int rank = 0; rank < ranks; ++rank) {
        for (std::size_t block = 0; block < blocks.count; ++block) {
          const Columns columns = blocks.of(columns_of(shape, ranks, rank), block);
          if (columns.begin == columns.end) continue;
          EXPECT_EQ(columns.begin, next);
          EXPECT_LE(width_of(columns), blocks.width);
          next = columns.end;
        }
      }
      EXPECT_EQ(next, shape.row_length) << ranks;
    }
  }
}

TEST(SlicedProduct, SendsLongRowsOneByOne) {
  for (const std::uint64_t n : {1'000'000U, 20'000'003U}) {
    const SlicedProduct layout = last_product(n, {.ranks = 2, .sends_digits = true});
    const bool rows_are_long = n == 20'000'003U;
    EXPECT_EQ(layout.sends_rows_of_digits(), rows_are_long);
    EXPECT_EQ(layout.sends_rows_of_results(), rows_are_long);
    const std::size_t rows = rows_are_long ? layout.operands * layout.from.rows : 1;
    EXPECT_EQ(layout.operands_received(0).messages, layout.digit_blocks().count * rows);
  }
}

/// The header's formula for a step to N coefficients.
TEST(RankDoublingMoves, AreTheHeadersFormulaButForPadding) {
  // Of many more, only some have columns of the short numbers in the first steps, and these get more than their share.
  for (const int ranks : {2, 3, 4, 6, 7, 16}) {
    const SlicedQuestion asked = question(1'000'000'000);
    const double last = static_cast<double>(shape_for(2 * most_sequence_digits(asked.n / 2, asked.radix) + 1).words());
    const double share = (1 - 1.0 / ranks) * last;
    const double operands = ranks <= 6 ? share : 6 * share / ranks;
    const double results = 3 * share / ranks;
    const RankMoves moves = rank_doubling_moves(asked, ranks, 0);
    EXPECT_NEAR(static_cast<double>(moves.operands.words), 2 * operands, 0.2 * operands) << ranks;
    // One in the last step, two in those before, which halve.
    EXPECT_NEAR(static_cast<double>(moves.results.words), 3 * results, 0.4 * results) << ranks;
    EXPECT_LT(static_cast<double>((moves.parities + moves.carries + moves.row_carries).words), 0.02 * operands);
  }
}

TEST(RankDoublingMoves, AreNothingOnOneRankAndForSmallNumbers) {
  EXPECT_EQ(rank_doubling_moves(question(10'000'000), 1, 0).whole(), Moved{});
  EXPECT_EQ(rank_doubling_moves(question(1000), 5, 3).whole(), Moved{});
}

TEST(RankDoublingBytes, ShrinkWithRanksSoThatANumberMayBeLargerThanTheMemoryOfOne) {
  const SlicedQuestion asked = question(10'000'000'000);
  double before = rank_doubling_bytes(asked, 1, 0);
  const double alone = before;
  for (const int ranks : {2, 4, 8, 16, 32, 64}) {
    const double now = rank_doubling_bytes(asked, ranks, 0);
    EXPECT_LT(now, 0.6 * before) << ranks;
    EXPECT_LT(now, 1.25 * alone / ranks + 16e6) << ranks;
    before = now;
  }
  EXPECT_LT(rank_doubling_bytes(asked, 128, 0), before);
}

/// Carries through stretches one after the other, digit by digit.
TEST(CarryMap, IsWhatAdditionDoesWhateverComesIn) {
  std::mt19937_64 random{5};
  const Radix radix = Radix::decimal(2);
  for (int round = 0; round < 20'000; ++round) {
    std::vector<std::vector<std::uint64_t>> stretches(1 + random() % 5);
    std::vector<std::int64_t> out(stretches.size());
    CarryMap map;
    for (std::size_t i = 0; i < stretches.size(); ++i) {
      const std::uint64_t kind = random() % 4;
      stretches[i].resize(1 + random() % 4, kind == 0 ? radix.base - 1 : 0);
      for (std::uint64_t& digit : stretches[i]) {
        if (kind >= 2) digit = random() % 3 == 0 ? random() % radix.base : (kind == 2 ? radix.base - 1 : 0);
      }
      if (random() % 2 == 0) stretches[i].front() = random() % radix.base;
      out[i] = static_cast<std::int64_t>(random() % 9) - 1;
      const CarryMap one = carry_map_of(stretches[i], out[i], radix);
      map = i == 0 ? one : CarryMap::behind(map, one);
    }
    for (std::int64_t in = 1 - carries_below; in < carries_below; ++in) {
      std::int64_t carry = in;
      auto copies = stretches;
      for (std::size_t i = 0; i < copies.size(); ++i) carry = out[i] + add_carry(copies[i], carry, radix);
      ASSERT_EQ(map(in), carry) << round << " " << in;
    }
  }
}

}  // namespace
}  // namespace duet
