#include "kernels/core/random.hpp"

#include <gtest/gtest.h>
#include <hwy/highway.h>

#include <cmath>
#include <cstdint>
#include <set>
#include <span>
#include <vector>

#include "kernels/core/partition.hpp"
#include "tests/local_product/only_target.hpp"

namespace duet {
namespace {

TEST(RandomBits, AreThoseOfPhilox4x32WithTenRounds) {
  // The three known answers that Random123 ships (kat_vectors): counter and key all zeros, all ones, and digits of pi.
  EXPECT_EQ(random_bits(0, 0, 0, 0), 0xe169c58d6627e8d5U);
  EXPECT_EQ(random_bits(~std::uint64_t{0}, 255, ~std::uint64_t{0}, (std::uint64_t{1} << 56U) - 1), 0x41c83b0e408f276dU);
  EXPECT_EQ(random_bits(0x299f31d0a4093822U, 0x44, 0x85a308d3243f6a88U, 0x0370'7313'198a'2eU), 0x94fdccebd16cfe09U);
}

TEST(RandomBits, DifferWhereAnyOfTheirArgumentsDoes) {
  std::set<std::uint64_t> seen;
  std::size_t asked = 0;
  for (const std::uint64_t seed : {0ULL, 1ULL, 1ULL << 32U, 1ULL << 63U}) {
    for (const std::uint32_t stream : {0U, 1U, 255U}) {
      for (const std::uint64_t i : {0ULL, 1ULL, 255ULL, 256ULL, 1ULL << 32U, 1ULL << 63U}) {
        for (const std::uint64_t j : {0ULL, 1ULL, 255ULL, 256ULL, 1ULL << 32U, 1ULL << 55U}) {
          seen.insert(random_bits(seed, stream, i, j));
          ++asked;
        }
      }
    }
  }
  EXPECT_EQ(seen.size(), asked);
}

TEST(RandomBits, AreTheSameManyAtATimeInEveryInstructionSet) {
  constexpr std::uint64_t untouched = 0xfeedfeedfeedfeed;
  const std::int64_t here = hwy::SupportedTargets();
  for (std::int64_t target = 1; target > 0; target <<= 1) {
    if ((here & target) == 0) continue;
    const OnlyTarget only{target};
    for (const std::uint64_t first : {std::uint64_t{0}, std::uint64_t{0xfffffff8}, UINT64_MAX - 5}) {
      for (std::size_t count = 0; count < 70; ++count) {
        std::vector<std::uint64_t> bits(count + 8, untouched);
        fill_random_bits(std::span{bits}.first(count), 0x299f31d0a4093822U, 17, first);
        for (std::size_t k = 0; k < bits.size(); ++k) {
          ASSERT_EQ(bits[k], k < count ? random_bits(0x299f31d0a4093822U, 17, first + k) : untouched)
              << hwy::TargetName(target) << ", " << k << " of " << count << " from " << first;
        }
      }
    }
  }
}

TEST(RandomEntry, LiesInItsIntervalAndIsSpreadEvenly) {
  constexpr int count = 100'000;
  double sum = 0;
  double squares = 0;
  for (int i = 0; i < count; ++i) {
    const double entry = random_entry(1, 0, i, 2 * i);
    EXPECT_GE(entry, -1.0);
    EXPECT_LT(entry, 1.0);
    sum += entry;
    squares += entry * entry;
  }
  // Uniform on [-1, 1): mean 0 and mean square 1/3, with standard errors 1/sqrt(3 count) and sqrt(4/45/count); five of
  // them, and the seed is fixed.
  EXPECT_NEAR(sum / count, 0, 5 / std::sqrt(3.0 * count));
  EXPECT_NEAR(squares / count, 1.0 / 3, 5 * std::sqrt(4.0 / 45 / count));
}

TEST(RandomEntry, UsesFiftyThreeBits) {
  bool last_bit_seen = false;
  for (std::int64_t i = 0; i < 64; ++i) {
    const double scaled = random_entry(3, 0, i, 0) * 0x1p52;
    EXPECT_EQ(scaled, std::floor(scaled));
    last_bit_seen = last_bit_seen || std::fmod(scaled, 2) != 0;
  }
  EXPECT_TRUE(last_bit_seen);
}

TEST(FillRandom, GivesTheSameMatrixHoweverItIsCutIntoBlocks) {
  constexpr std::int64_t rows = 13;
  constexpr std::int64_t columns = 17;
  Matrix<double> whole(rows, columns);
  fill_random(whole.view(), 5, 1, 0, 0);
  for (const Grid grid : {Grid{1, 3}, Grid{2, 2}, Grid{7, 1}, Grid{20, 20}}) {
    Matrix<double> cut(rows, columns);
    for (std::int64_t worker = 0; worker < grid.size(); ++worker) {
      const Range mine_rows = share_of(rows, grid.rows, grid.row_of(worker));
      const Range mine_columns = share_of(columns, grid.columns, grid.column_of(worker));
      fill_random(cut.view().block(mine_rows.begin, mine_columns.begin, mine_rows.size(), mine_columns.size()), 5, 1,
                  mine_rows.begin, mine_columns.begin);
    }
    for (std::int64_t i = 0; i < rows; ++i) {
      for (std::int64_t j = 0; j < columns; ++j) EXPECT_EQ(cut.view()(i, j), whole.view()(i, j));
    }
  }
}

TEST(FillRandom, WritesNothingOutsideItsView) {
  Matrix<double> matrix(4, 4);
  for (std::int64_t i = 0; i < 16; ++i) matrix.data()[i] = 9;
  fill_random(matrix.view().block(1, 1, 2, 2), 5, 1, 0, 0);
  for (std::int64_t i = 0; i < 4; ++i) {
    for (std::int64_t j = 0; j < 4; ++j) {
      const bool inside = i >= 1 && i <= 2 && j >= 1 && j <= 2;
      EXPECT_EQ(matrix.view()(i, j) == 9, !inside) << i << ", " << j;
    }
  }
}

TEST(Random, FloatsAreTheDoublesRoundedDownTo24Bits) {
  Matrix<float> floats{9, 7};
  fill_random(floats.view(), 5, 1, 3, 4);
  for (std::int64_t i = 0; i < 9; ++i) {
    for (std::int64_t j = 0; j < 7; ++j) {
      EXPECT_EQ(floats.view()(i, j), std::floor(random_entry(5, 1, 3 + i, 4 + j) * 0x1p23) * 0x1p-23);
    }
  }
}

}  // namespace
}  // namespace duet
