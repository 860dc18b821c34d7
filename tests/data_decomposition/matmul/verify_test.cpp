#include <gtest/gtest.h>

#include <utility>

#include "kernels/data_decomposition/matmul/matmul.hpp"
#include "kernels/data_decomposition/matmul/verify.hpp"
#include "tests/data_decomposition/matmul/reference.hpp"
#include "tests/special_values.hpp"

namespace duet {
namespace {

/// A product in one process, whose parts a test may spoil.
struct Product {
  explicit Product(const ProductShape& of)
      : shape{of}, a{random_matrix(of.m, of.k, 0)}, b{random_matrix(of.k, of.n, 1)}, c{of.m, of.n}, layout{of, {1, 1}} {
    multiply();
  }
  void multiply() { matmul_serial(a.view(), b.view(), c.view(), {}); }
  [[nodiscard]] Judgement judge() const { return judge_product({ranks, layout, a.view(), b.view(), spoilt()}, 11); }
  [[nodiscard]] View spoilt() const { return const_cast<Matrix<double>&>(c).view(); }

  ProductShape shape;
  Matrix<double> a;
  Matrix<double> b;
  Matrix<double> c;
  RankGrid ranks;
  ProductLayout layout;
};

TEST(MatmulVerify, AcceptsRightProductsOfEveryShape) {
  for (const std::int64_t m : test_extents) {
    for (const std::int64_t n : test_extents) {
      for (const std::int64_t k : test_extents) {
        const Judgement judgement = Product{{m, n, k}}.judge();
        EXPECT_TRUE(judgement.right) << text_of({m, n, k}) << ": " << judgement.explanation;
        EXPECT_LE(judgement.error, judgement.bound);
      }
    }
  }
}

TEST(MatmulVerify, RejectsOneWrongEntryAnywhereAndNamesIt) {
  Product product{{9, 11, 13}};
  for (std::int64_t i = 0; i < 9; ++i) {
    for (std::int64_t j = 0; j < 11; ++j) {
      const double right = product.c.view()(i, j);
      // The bound of a row is about 2 (n + k) u |A||B||x|, below 1e-12 here: five times that is "well above".
      product.c.view()(i, j) = right + 5e-12;
      const Judgement judgement = product.judge();
      EXPECT_FALSE(judgement.right) << i << ", " << j;
      EXPECT_NE(judgement.explanation.find("C(" + std::to_string(i) + ", " + std::to_string(j) + ")"),
                std::string::npos)
          << judgement.explanation;
      EXPECT_NE(judgement.explanation.find("process 0"), std::string::npos) << judgement.explanation;
      EXPECT_GT(judgement.error, judgement.bound);
      product.c.view()(i, j) = right;
    }
  }
  EXPECT_TRUE(product.judge().right);
}

TEST(MatmulVerify, RejectsSwappedTiles) {
  Product product{{16, 16, 8}};
  for (std::int64_t i = 0; i < 8; ++i) {
    for (std::int64_t j = 0; j < 8; ++j) std::swap(product.c.view()(i, j), product.c.view()(i, j + 8));
  }
  const Judgement judgement = product.judge();
  EXPECT_FALSE(judgement.right);
  EXPECT_NE(judgement.explanation.find("8 rows are wrong"), std::string::npos) << judgement.explanation;
}

TEST(MatmulVerify, RejectsAMissingPanel) {
  Product product{{8, 8, 20}};
  matmul_serial(product.a.view().block(0, 0, 8, 19), product.b.view().block(0, 0, 19, 8), product.c.view(), {});
  EXPECT_FALSE(product.judge().right);
}

TEST(MatmulVerify, RejectsTheTransposedAnswer) {
  Product product{{12, 12, 5}};
  for (std::int64_t i = 0; i < 12; ++i) {
    for (std::int64_t j = 0; j < i; ++j) std::swap(product.c.view()(i, j), product.c.view()(j, i));
  }
  EXPECT_FALSE(product.judge().right);
}

TEST(MatmulVerify, RejectsWhatIsNotFiniteWithoutCause) {
  for (const double left : {nan, infinity, -infinity}) {
    Product product{{7, 7, 7}};
    product.c.view()(6, 6) = left;
    const Judgement judgement = product.judge();
    EXPECT_FALSE(judgement.right);
    EXPECT_NE(judgement.explanation.find("C(6, 6)"), std::string::npos) << judgement.explanation;
  }
}

TEST(MatmulVerify, RejectsAnythingButZeroForAnEmptySum) {
  Product product{{3, 4, 0}};
  EXPECT_TRUE(product.judge().right);
  product.c.view()(2, 3) = 1e-300;
  EXPECT_FALSE(product.judge().right);
}

TEST(MatmulVerify, AcceptsNaNAndInfinityThatTheOperandsJustify) {
  Product product{{9, 8, 7}};
  product.a.view()(3, 2) = nan;
  product.a.view()(5, 0) = infinity;
  product.b.view()(6, 1) = -infinity;
  product.b.view()(0, 4) = nan;
  product.multiply();
  const Judgement judgement = product.judge();
  EXPECT_TRUE(judgement.right) << judgement.explanation;
}

TEST(MatmulVerify, RejectsNaNThatWasHidden) {
  Product product{{9, 8, 7}};
  product.a.view()(3, 2) = nan;
  product.multiply();
  product.c.view()(3, 5) = 0;
  const Judgement hidden = product.judge();
  EXPECT_FALSE(hidden.right);
  EXPECT_NE(hidden.explanation.find("C(3, 5)"), std::string::npos) << hidden.explanation;
  product.multiply();
  product.c.view()(4, 5) += 1e-9;
  EXPECT_FALSE(product.judge().right) << "an error elsewhere is still found";
}

TEST(MatmulVerify, RejectsAWrongEntryBesideAnInfiniteColumn) {
  Product product{{9, 8, 7}};
  product.b.view()(2, 3) = infinity;
  product.multiply();
  EXPECT_TRUE(product.judge().right);
  product.c.view()(8, 7) += 1e-9;
  EXPECT_FALSE(product.judge().right);
}

TEST(MatmulVerify, AcceptsOverflowOfHugeOperandsAndUnderflowOfTinyOnes) {
  for (const double scale : {1e200, 1e-200, 1e-160, 5e-324}) {
    Product product{{6, 6, 6}};
    for (std::int64_t i = 0; i < 36; ++i) {
      product.a.data()[i] *= scale;
      product.b.data()[i] *= scale;
    }
    product.multiply();
    const Judgement judgement = product.judge();
    EXPECT_TRUE(judgement.right) << scale << ": " << judgement.explanation;
  }
}

}  // namespace
}  // namespace duet
