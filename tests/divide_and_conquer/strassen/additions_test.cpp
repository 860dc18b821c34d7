#include "kernels/divide_and_conquer/strassen/additions.hpp"

#include <gtest/gtest.h>

#include "tests/divide_and_conquer/strassen/reference.hpp"

namespace duet {
namespace {

template <class Element>
class StrassenAdditions : public testing::Test {};
using Elements = testing::Types<double, float>;
TYPED_TEST_SUITE(StrassenAdditions, Elements);

TYPED_TEST(StrassenAdditions, AddAndSubtractAnyShapeBesideNothingElse) {
  for (const std::int64_t rows : {0, 1, 3}) {
    for (const std::int64_t columns : {0, 1, 2, 7, 8, 9, 31}) {
      const Matrix<TypeParam> w = random_matrix<TypeParam>(rows, columns, 0);
      const Matrix<TypeParam> x = random_matrix<TypeParam>(rows, columns, 1);
      const Matrix<TypeParam> y = random_matrix<TypeParam>(rows, columns, 2);
      const Matrix<TypeParam> z = random_matrix<TypeParam>(rows, columns, 3);
      Matrix<TypeParam> wide{rows + 2, columns + 2};
      const auto check = [&](auto&& act, auto&& right) {
        std::fill_n(wide.data(), wide.rows() * wide.columns(), TypeParam{5});
        act(wide.view().block(1, 1, rows, columns));
        for (std::int64_t i = 0; i < wide.rows(); ++i) {
          for (std::int64_t j = 0; j < wide.columns(); ++j) {
            const bool is_inside = 1 <= i && i <= rows && 1 <= j && j <= columns;
            ASSERT_EQ(wide.view()(i, j), is_inside ? right(i - 1, j - 1) : TypeParam{5}) << i << ", " << j;
          }
        }
      };
      check([&](MatrixView<TypeParam> out) { add<TypeParam>(x.view(), y.view(), out); },
            [&](std::int64_t i, std::int64_t j) { return x.view()(i, j) + y.view()(i, j); });
      check([&](MatrixView<TypeParam> out) { subtract<TypeParam>(x.view(), y.view(), out); },
            [&](std::int64_t i, std::int64_t j) { return x.view()(i, j) - y.view()(i, j); });
      check(
          [&](MatrixView<TypeParam> out) {
            add_two_subtract_two<TypeParam>(w.view(), x.view(), y.view(), z.view(), out);
          },
          [&](std::int64_t i, std::int64_t j) {
            return w.view()(i, j) + x.view()(i, j) - y.view()(i, j) - z.view()(i, j);
          });
    }
  }
}

TYPED_TEST(StrassenAdditions, RecombineQuadrants) {
  const Matrix<TypeParam> before = random_matrix<TypeParam>(6, 14, 0);
  const Matrix<TypeParam> p = random_matrix<TypeParam>(3, 7, 1);
  for (const bool with_p1 : {false, true}) {
    Matrix<TypeParam> c = random_matrix<TypeParam>(6, 14, 0);
    const Quadrants<TypeParam> after{c.view()};
    const Quadrants<const TypeParam> q{before.view()};
    with_p1 ? recombine_with<TypeParam>(p.view(), after) : recombine<TypeParam>(after);
    for (std::int64_t i = 0; i < 3; ++i) {
      for (std::int64_t j = 0; j < 7; ++j) {
        const TypeParam u2 = (with_p1 ? p.view()(i, j) : q.q11(i, j)) + q.q12(i, j);
        const TypeParam u3 = u2 + q.q21(i, j);
        const TypeParam c12 = u2 + q.q22(i, j);
        EXPECT_EQ(after.q11(i, j), q.q11(i, j));
        EXPECT_EQ(after.q12(i, j), with_p1 ? c12 + q.q11(i, j) : c12);
        EXPECT_EQ(after.q21(i, j), u3);
        EXPECT_EQ(after.q22(i, j), u3 + q.q22(i, j));
      }
    }
  }
}

}  // namespace
}  // namespace duet
