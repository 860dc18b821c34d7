/// What the problem's judge must refuse; the judge itself is tested in tests/product.

#include <gtest/gtest.h>

#include <utility>

#include "kernels/divide_and_conquer/strassen/strassen.hpp"
#include "kernels/product/judge.hpp"
#include "tests/divide_and_conquer/strassen/reference.hpp"

namespace duet {
namespace {

/// A product of 64 x 48 x 80 by two levels, whose parts a test may spoil.
struct Product {
  Product() {
    PackingSpace space;
    const Settings tunables{"strassen", strassen_problem().variant(Model::serial).tunables, {{"levels", "2"}}};
    strassen_serial<double>(a.view(), b.view(), c.view(), {.tunables = tunables}, space);
  }
  [[nodiscard]] Judgement judge() {
    return duet::judge(OwnedProduct<double>{.m = 64,
                                            .n = 48,
                                            .k = 80,
                                            .a = a.view(),
                                            .b = b.view(),
                                            .c = c.view(),
                                            .rows = {0, 64, 64, 1},
                                            .columns = {0, 48, 48, 1},
                                            .a_columns = {0, 80, 80, 1},
                                            .b_rows = {0, 80, 80, 1}},
                       11, {strassen_error(80, 2), true, 3});
  }

  Matrix<double> a = random_matrix<double>(64, 80, 0);
  Matrix<double> b = random_matrix<double>(80, 48, 1);
  Matrix<double> c{64, 48};
};

TEST(StrassenVerify, AcceptsTheRightAnswer) {
  Product product;
  const Judgement judgement = product.judge();
  EXPECT_TRUE(judgement.right) << judgement.explanation;
  EXPECT_LE(judgement.error, judgement.bound);
}

TEST(StrassenVerify, RejectsOneEntryThatIsWrongByMoreThanTheBoundAnywhere) {
  Product product;
  // Twice the bound of its row, which the errors of all its entries make.
  const double wrong_by = 2.1 * product.judge().bound;
  for (std::int64_t i = 0; i < 64; ++i) {
    for (std::int64_t j = 0; j < 48; ++j) {
      const double right = product.c.view()(i, j);
      product.c.view()(i, j) += wrong_by;
      const Judgement judgement = product.judge();
      ASSERT_FALSE(judgement.right) << i << ", " << j;
      const std::string place = "C(" + std::to_string(i) + ", " + std::to_string(j) + ")";
      ASSERT_NE(judgement.explanation.find(place), std::string::npos) << judgement.explanation;
      product.c.view()(i, j) = right;
    }
  }
}

TEST(StrassenVerify, RejectsSwappedQuadrants) {
  Product product;
  for (std::int64_t i = 0; i < 32; ++i) {
    for (std::int64_t j = 0; j < 24; ++j) std::swap(product.c.view()(i, j + 24), product.c.view()(i + 32, j));
  }
  EXPECT_FALSE(product.judge().right);
}

TEST(StrassenVerify, RejectsAMissingProduct) {
  Product product;
  // P2 = A12 B21 belongs into C11 alone.
  for (std::int64_t i = 0; i < 32; ++i) {
    for (std::int64_t j = 0; j < 24; ++j) {
      for (std::int64_t p = 40; p < 80; ++p) product.c.view()(i, j) -= product.a.view()(i, p) * product.b.view()(p, j);
    }
  }
  const Judgement judgement = product.judge();
  EXPECT_FALSE(judgement.right);
  EXPECT_NE(judgement.explanation.find("(32 rows are wrong)"), std::string::npos) << judgement.explanation;
}

TEST(StrassenVerify, AcceptsAndRejectsWhatIsNotFinite) {
  Product product;
  product.c.view()(7, 9) = std::numeric_limits<double>::quiet_NaN();
  EXPECT_FALSE(product.judge().right);
}

}  // namespace
}  // namespace duet
