#include "kernels/pipeline/cholesky/verify.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <utility>

#include "tests/pipeline/cholesky/reference.hpp"

namespace duet {
namespace {

/// A factor in one process, which a test may spoil.
struct Factor {
  explicit Factor(std::int64_t n, std::int64_t tile = 24) : entry{random_definite(n)}, l{TileLayout{n, tile}} {
    fill(l, entry);
    cholesky_serial(l, {});
  }
  [[nodiscard]] Judgement judge() const { return judge_cholesky(l, filling(entry), MPI_COMM_NULL, 11); }

  Entry entry;
  TileMatrix l;
};

TEST(CholeskyVerify, AcceptsRightFactorsOfEveryOrder) {
  for (const std::int64_t n : test_orders) {
    const Judgement judgement = Factor{n}.judge();
    EXPECT_TRUE(judgement.right) << n << ": " << judgement.explanation;
    EXPECT_LE(judgement.error, judgement.bound);
  }
}

TEST(CholeskyVerify, RejectsOneWrongEntryAnywhereAndNamesIt) {
  const Factor factor{55};
  for (std::int64_t i = 0; i < 55; ++i) {
    for (std::int64_t j = 0; j <= i; ++j) {
      double& entry = factor.l.entry(i, j);
      const double right = entry;
      // The bound of a row is about 4 n u (|L||L^T| + |A|)|x|, 4e-12 here; what shows of an error is at least 3 of it.
      entry += 1e-11;
      const Judgement judgement = factor.judge();
      ASSERT_FALSE(judgement.right) << i << ", " << j;
      const std::string name = "L(" + std::to_string(i) + ", " + std::to_string(j) + ")";
      ASSERT_NE(judgement.explanation.find(name), std::string::npos) << name << ": " << judgement.explanation;
      ASSERT_GT(judgement.error, judgement.bound);
      entry = right;
    }
  }
  EXPECT_TRUE(factor.judge().right);
}

TEST(CholeskyVerify, RejectsWhatIsNotFinite) {
  for (const double wrong : {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    const Factor factor{40};
    factor.l.entry(30, 5) = wrong;
    EXPECT_FALSE(factor.judge().right);
  }
}

TEST(CholeskyVerify, RejectsSwappedTiles) {
  const Factor factor{100};
  std::swap_ranges(factor.l.tile(2, 0), factor.l.tile(2, 0) + 24 * 24, factor.l.tile(3, 1));
  EXPECT_FALSE(factor.judge().right);
}

TEST(CholeskyVerify, RejectsAMissingUpdate) {
  const Factor factor{100};
  const TileMatrix untouched{TileLayout{100, 24}};
  fill(untouched, factor.entry);
  std::copy_n(untouched.tile(3, 2), 24 * 24, factor.l.tile(3, 2));
  EXPECT_FALSE(factor.judge().right);
}

TEST(CholeskyVerify, RejectsColumnsOfTheWrongSign) {
  const Factor factor{60};
  for (std::int64_t i = 30; i < 60; ++i) factor.l.entry(i, 30) = -factor.l.entry(i, 30);
  const Judgement judgement = factor.judge();
  EXPECT_FALSE(judgement.right);
  EXPECT_NE(judgement.explanation.find("row 30"), std::string::npos) << judgement.explanation;
}

TEST(CholeskyVerify, RejectsEntriesAboveTheDiagonal) {
  const Factor factor{40, 48};
  // Entry (3, 5) of tile (0, 0).
  factor.l.tile(0, 0)[5 * strip + 3] = 1e-3;
  EXPECT_FALSE(factor.judge().right);
}

TEST(CholeskyVerify, RejectsTheFactorOfAnotherMatrix) {
  const Factor factor{60};
  EXPECT_FALSE(judge_cholesky(factor.l, filling(random_definite(60, 8)), MPI_COMM_NULL, 11).right);
}

}  // namespace
}  // namespace duet
