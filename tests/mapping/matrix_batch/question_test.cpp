#include "kernels/mapping/matrix_batch/question.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

namespace duet {
namespace {

constexpr std::array<SizeSpread, 5> spreads{SizeSpread::tiny, SizeSpread::uniform, SizeSpread::log_uniform,
                                            SizeSpread::zipf, SizeSpread::giants};

TEST(RandomShape, IsAFunctionOfSeedAndIndexWithinTheExtents) {
  for (const SizeSpread spread : spreads) {
    for (const std::int64_t largest : {1, 2, 3, 17, 1000}) {
      const MatrixBatch batch = MatrixBatch::random(spread, 500, largest, 7);
      for (std::int64_t item = 0; item < 500; ++item) {
        const ItemShape& shape = batch[item];
        EXPECT_EQ(shape, random_shape(spread, 500, largest, 7, item)) << name_of(spread);
        for (const std::int32_t extent : {shape.m, shape.n, shape.k}) {
          EXPECT_GE(extent, 1);
          EXPECT_LE(extent, largest);
        }
      }
    }
  }
}

TEST(RandomShape, OfAnotherSeedIsAnother) {
  for (const SizeSpread spread : {SizeSpread::uniform, SizeSpread::log_uniform, SizeSpread::zipf}) {
    EXPECT_NE(MatrixBatch::random(spread, 50, 1000, 7).shapes, MatrixBatch::random(spread, 50, 1000, 8).shapes);
  }
}

TEST(RandomShape, CoversThreeDecadesAlikeWhereItIsLogUniform) {
  const MatrixBatch batch = MatrixBatch::random(SizeSpread::log_uniform, 9000, 1000, 3);
  std::array<int, 3> decades{};
  for (const ItemShape& shape : batch.shapes) ++decades.at(shape.m < 10 ? 0 : shape.m < 100 ? 1 : 2);
  for (const int items : decades) EXPECT_NEAR(items, 3000, 250);
}

TEST(RandomShape, IsTenTimesRarerADecadeUpWhereItIsZipf) {
  const MatrixBatch batch = MatrixBatch::random(SizeSpread::zipf, 100'000, 1000, 3);
  std::array<double, 3> decades{};
  for (const ItemShape& shape : batch.shapes) ++decades.at(shape.m < 10 ? 0 : shape.m < 100 ? 1 : 2);
  EXPECT_NEAR(decades[0], 90'000, 1000);
  EXPECT_NEAR(decades[1], 9'000, 400);
  EXPECT_NEAR(decades[2], 900, 120);
}

TEST(RandomShape, HasTwoGiantsAmongMany) {
  for (const std::int64_t count : {1, 2, 3, 100}) {
    const MatrixBatch batch = MatrixBatch::random(SizeSpread::giants, count, 480, 3);
    EXPECT_EQ(batch[count - 1], (ItemShape{480, 480, 480}));
    if (count > 1) {
      EXPECT_EQ(batch[count - 2], (ItemShape{320, 320, 320}));
    }
    for (std::int64_t item = 0; item < count - 2; ++item) EXPECT_LE(batch[item].m, 30);
  }
}

TEST(FillOperand, MakesAnyPartOfTheSameMatrix) {
  const MatrixBatch batch = MatrixBatch::random(SizeSpread::tiny, 3, 40, 5);
  Matrix<double> whole{40, 40};
  fill_operand(batch, 2, Factor::b, 0, 0, whole.view());
  Matrix<double> part{7, 30};
  fill_operand(batch, 2, Factor::b, 31, 9, part.view());
  Matrix<float> rounded{7, 30};
  fill_operand(batch, 2, Factor::b, 31, 9, rounded.view());
  for (std::int64_t i = 0; i < 7; ++i) {
    for (std::int64_t j = 0; j < 30; ++j) {
      EXPECT_EQ(part.view()(i, j), whole.view()(31 + i, 9 + j));
      EXPECT_EQ(rounded.view()(i, j), static_cast<float>(part.view()(i, j)));
      EXPECT_LE(std::abs(part.view()(i, j)), 1);
    }
  }
}

TEST(FillOperand, TellsItemsOperandsAndSeedsApart) {
  const auto first = [](std::uint64_t seed, std::int64_t item, Factor factor) {
    double entry = 0;
    fill_operand(MatrixBatch{.seed = seed}, item, factor, 1, 2, View{&entry, 1, 1, 1});
    return entry;
  };
  const std::vector<double> entries{first(1, 0, Factor::a), first(1, 0, Factor::b), first(1, 1, Factor::a),
                                    first(2, 0, Factor::a)};
  for (std::size_t i = 0; i < entries.size(); ++i) EXPECT_EQ(std::ranges::count(entries, entries[i]), 1);
}

TEST(NanosecondsOfProduct, GrowWithEveryExtentAndNeverVanish) {
  EXPECT_GT(nanoseconds_of_product(0, 0, 0), 0);
  EXPECT_LT(nanoseconds_of_product(8, 8, 8), nanoseconds_of_product(9, 8, 8));
  EXPECT_LT(nanoseconds_of_product(8, 8, 8), nanoseconds_of_product(8, 9, 8));
  EXPECT_LT(nanoseconds_of_product(8, 8, 8), nanoseconds_of_product(8, 8, 9));
}

}  // namespace
}  // namespace duet
