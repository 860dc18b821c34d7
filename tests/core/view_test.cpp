#include "kernels/core/view.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <type_traits>
#include <utility>

namespace duet {
namespace {

TEST(MatrixView, FindsElementsRowByRow) {
  Matrix<int> matrix(3, 4);
  for (int i = 0; i < 12; ++i) matrix.data()[i] = i;
  EXPECT_EQ(matrix.view()(0, 3), 3);
  EXPECT_EQ(matrix.view()(2, 1), 9);
}

TEST(MatrixView, ABlockOfABlockIsAWindowOntoTheSameMemory) {
  Matrix<int> matrix(5, 7);
  for (int i = 0; i < 35; ++i) matrix.data()[i] = i;
  const MatrixView<int> block = matrix.view().block(1, 2, 3, 4).block(1, 1, 2, 2);
  EXPECT_EQ(block.rows, 2);
  EXPECT_EQ(block.columns, 2);
  EXPECT_EQ(block.stride, 7);
  EXPECT_EQ(&block(0, 0), &matrix.view()(2, 3));
  block(1, 1) = -1;
  EXPECT_EQ(matrix.view()(3, 4), -1);
}

TEST(MatrixView, MayBeReadWhereItMayBeWrittenButNotTheOtherWayRound) {
  static_assert(std::is_convertible_v<View, ConstView>);
  static_assert(!std::is_convertible_v<ConstView, View>);
  Matrix<double> matrix(1, 1);
  matrix.data()[0] = 4;
  const ConstView read_only = matrix.view();
  EXPECT_EQ(read_only(0, 0), 4);
}

TEST(MatrixView, IsEmptyWithoutRowsOrColumns) {
  EXPECT_TRUE(View{}.empty());
  EXPECT_TRUE(Matrix<double>(0, 3).view().empty());
  EXPECT_TRUE(Matrix<double>(3, 0).view().empty());
  EXPECT_FALSE(Matrix<double>(1, 1).view().empty());
}

TEST(Matrix, KeepsItsShapeWhereItHoldsNothing) {
  const Matrix<double> matrix(0, 5);
  EXPECT_EQ(matrix.rows(), 0);
  EXPECT_EQ(matrix.columns(), 5);
  EXPECT_EQ(matrix.data(), nullptr);
}

TEST(Matrix, StartsOnACacheLine) {
  for (const std::int64_t n : {1, 3, 100}) {
    const Matrix<double> matrix(n, n);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(matrix.data()) % 64, 0U);
  }
}

TEST(Matrix, MovesWithoutCopying) {
  Matrix<double> first(2, 2);
  const double* const data = first.data();
  const Matrix<double> second = std::move(first);
  EXPECT_EQ(second.data(), data);
  static_assert(!std::is_copy_constructible_v<Matrix<double>>);
}

TEST(Matrix, RefusesSizesThatCannotBe) {
  constexpr std::int64_t huge = std::int64_t{1} << 40;
  EXPECT_THROW(Matrix<double>(-1, 3), std::length_error);
  EXPECT_THROW(Matrix<double>(3, -1), std::length_error);
  EXPECT_THROW(Matrix<double>(huge, huge), std::length_error);
  EXPECT_THROW(Matrix<double>(INT64_MAX, 1), std::length_error);
  EXPECT_THROW(Matrix<double>(1, INT64_MAX), std::length_error);
}

}  // namespace
}  // namespace duet
