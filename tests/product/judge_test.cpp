/// What is beside the judge of "matmul" (tests/data_decomposition/matmul/verify_test.cpp): other layouts, floats, and
/// normwise bounds.

#include "kernels/product/judge.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "kernels/core/random.hpp"
#include "tests/special_values.hpp"

namespace duet {
namespace {

TEST(Runs, SayWhereEachStandsAndFindIt) {
  const Runs runs{.begin = 3, .width = 2, .stride = 10, .count = 3};
  const std::vector<std::int64_t> expected{3, 4, 13, 14, 23, 24};
  ASSERT_EQ(runs.size(), 6);
  std::int64_t next = 0;
  for (std::int64_t global = -5; global < 40; ++global) {
    const bool is_mine = next < 6 && expected[static_cast<std::size_t>(next)] == global;
    EXPECT_EQ(runs.find(global), is_mine ? next : -1) << global;
    if (is_mine) {
      EXPECT_EQ(runs[next], global);
    }
    next += is_mine ? 1 : 0;
  }
  EXPECT_EQ(next, 6);
}

TEST(Runs, MayBeEmptyOrOne) {
  EXPECT_EQ((Runs{0, 0, 0, 1}).find(0), -1);
  EXPECT_EQ((Runs{5, 0, 7, 4}).find(5), -1);
  const Runs one{5, 3, 3, 1};
  EXPECT_EQ(one.find(7), 2);
  EXPECT_EQ(one.find(8), -1);
  EXPECT_EQ(one[2], 7);
}

/// A product whose parts a test may spoil.
template <class Element>
struct Product {
  Product(std::int64_t rows, std::int64_t columns, std::int64_t inner)
      : m{rows}, n{columns}, k{inner}, a{m, k}, b{k, n}, c{m, n} {
    fill_random(a.view(), 7, 0, 0, 0);
    fill_random(b.view(), 7, 1, 0, 0);
    multiply();
  }
  void multiply() {
    for (std::int64_t i = 0; i < m; ++i) {
      for (std::int64_t j = 0; j < n; ++j) {
        Element sum = 0;
        for (std::int64_t p = 0; p < k; ++p) sum += a.view()(i, p) * b.view()(p, j);
        c.view()(i, j) = sum;
      }
    }
  }
  [[nodiscard]] Judgement judge(const Rounding& rounding = {}) {
    return duet::judge(OwnedProduct<Element>{.m = m,
                                             .n = n,
                                             .k = k,
                                             .a = a.view(),
                                             .b = b.view(),
                                             .c = c.view(),
                                             .rows = {0, m, m, 1},
                                             .columns = {0, n, n, 1},
                                             .a_columns = {0, k, k, 1},
                                             .b_rows = {0, k, k, 1}},
                       11, rounding);
  }

  std::int64_t m;
  std::int64_t n;
  std::int64_t k;
  Matrix<Element> a;
  Matrix<Element> b;
  Matrix<Element> c;
};

TEST(JudgeOfFloats, AcceptsRightProductsAndRejectsOneWrongEntryAnywhere) {
  Product<float> product{9, 11, 13};
  EXPECT_TRUE(product.judge().right) << product.judge().explanation;
  for (std::int64_t i = 0; i < 9; ++i) {
    for (std::int64_t j = 0; j < 11; ++j) {
      const float right = product.c.view()(i, j);
      product.c.view()(i, j) = right + 1e-3F;
      const Judgement judgement = product.judge();
      EXPECT_FALSE(judgement.right);
      EXPECT_GT(judgement.error, judgement.bound);
      product.c.view()(i, j) = right;
    }
  }
}

TEST(JudgeOfFloats, DoesNotTakeTheErrorOfFloatsForDoubles) {
  const Product<float> floats{20, 20, 20};
  Product<double> product{20, 20, 20};
  product.c.view()(3, 4) = static_cast<double>(static_cast<float>(product.c.view()(3, 4)));
  EXPECT_FALSE(product.judge().right);
}

TEST(JudgeOfFloats, AcceptsOverflowAndUnderflow) {
  for (const float scale : {1e30F, 1e-30F}) {
    Product<float> product{6, 6, 6};
    for (std::int64_t i = 0; i < 36; ++i) {
      product.a.data()[i] *= scale;
      product.b.data()[i] *= scale;
    }
    product.multiply();
    EXPECT_TRUE(product.judge().right) << product.judge().explanation;
  }
}

TEST(NormwiseBound, AllowsWhatItSaysInAnEntryAndNotMore) {
  // normwise u max|A| max|B| is just below 1e-6 here.
  const Rounding rounding{.normwise = 1e-6 / 0x1p-53, .spreads = false, .sampled_rows = 0};
  Product<double> product{9, 11, 13};
  product.c.view()(2, 3) += 0.7e-6;
  EXPECT_FALSE(product.judge().right);
  EXPECT_TRUE(product.judge(rounding).right);
  // A row of eleven entries may be wrong by eleven times as much, and an entry changes its row by half its error.
  product.c.view()(2, 3) += 23e-6;
  const Judgement judgement = product.judge(rounding);
  EXPECT_FALSE(judgement.right);
  EXPECT_NE(judgement.explanation.find("C(2, 3)"), std::string::npos) << judgement.explanation;
}

TEST(NormwiseBound, IsHeldEntryByEntryInSampledRows) {
  const Rounding rounding{.normwise = 1e-6 / 0x1p-53, .spreads = false, .sampled_rows = 3};
  Product<double> product{9, 11, 13};
  EXPECT_TRUE(product.judge(rounding).right);
  // Too little for the sum of a row, too much for an entry.
  for (std::int64_t i = 0; i < 9; ++i) product.c.view()(i, 5) += 2e-6;
  const Judgement judgement = product.judge(rounding);
  EXPECT_FALSE(judgement.right);
  EXPECT_NE(judgement.explanation.find("found in a sample"), std::string::npos) << judgement.explanation;
}

TEST(SpreadingNaN, MayBeAnywhereOnlyWhereSomethingWasNotFinite) {
  const Rounding spreading{.normwise = 1e3, .spreads = true, .sampled_rows = 2};
  Product<double> product{8, 8, 8};
  product.c.view()(1, 1) = nan;
  EXPECT_FALSE(product.judge(spreading).right) << "without a cause";
  product.a.view()(5, 2) = nan;
  product.multiply();
  product.c.view()(1, 1) = nan;
  EXPECT_FALSE(product.judge().right) << "in another row";
  EXPECT_TRUE(product.judge(spreading).right) << product.judge(spreading).explanation;
  product.c.view()(5, 6) = 0;
  EXPECT_FALSE(product.judge(spreading).right) << "hidden where it must be";
  product.multiply();
  product.c.view()(2, 2) += 1;
  EXPECT_FALSE(product.judge(spreading).right) << "an error elsewhere is still found";
}

}  // namespace
}  // namespace duet
