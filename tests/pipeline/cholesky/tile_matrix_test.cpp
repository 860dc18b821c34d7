#include "kernels/pipeline/cholesky/tile_matrix.hpp"

#include <gtest/gtest.h>

#include <set>

#include "tests/pipeline/cholesky/reference.hpp"

namespace duet {
namespace {

TEST(TileLayout, RoundsTilesUpToWholeStrips) {
  const TileLayout layout{100, 30};
  EXPECT_EQ(layout.tile(), 48);
  EXPECT_EQ(layout.count(), 3);
  EXPECT_EQ(layout.extent(0), 48);
  EXPECT_EQ(layout.extent(2), 24);
  EXPECT_EQ((TileLayout{0, 24}.count()), 0);
  EXPECT_THROW((TileLayout{-1, 24}), std::invalid_argument);
  EXPECT_THROW((TileLayout{5, 0}), std::invalid_argument);
}

TEST(TileLayout, GivesEachTileToOneRank) {
  const TileLayout layout{500, 24, {2, 3}};
  std::set<std::pair<std::int64_t, std::int64_t>> seen;
  for (std::int64_t rank = 0; rank < 6; ++rank) {
    const TileMatrix part{layout, rank};
    for (const auto& [i, j] : part.mine()) {
      EXPECT_EQ(layout.owner(i, j), rank);
      EXPECT_GE(i, j);
      EXPECT_TRUE(seen.insert({i, j}).second);
    }
  }
  EXPECT_EQ(std::ssize(seen), layout.count() * (layout.count() + 1) / 2);
}

TEST(TileMatrix, HoldsTilesThatDoNotOverlapAndMessagesThatHoldThem) {
  for (const Grid grid : {Grid{1, 1}, Grid{1, 3}, Grid{3, 1}, Grid{2, 3}, Grid{2, 2}}) {
    const TileLayout layout{250, 48, grid};
    for (std::int64_t rank = 0; rank < grid.size(); ++rank) {
      const TileMatrix part{layout, rank};
      double number = 0;
      for (const auto& [i, j] : part.mine()) {
        std::fill_n(part.tile(i, j), layout.extent(i) * layout.extent(j), ++number);
      }
      number = 0;
      for (const auto& [i, j] : part.mine()) {
        ++number;
        for (std::int64_t w = 0; w < layout.extent(i) * layout.extent(j); ++w) ASSERT_EQ(part.tile(i, j)[w], number);
      }
      for (std::int64_t k = layout.column_of(rank); k < layout.count(); k += grid.columns) {
        std::int64_t words = TileMatrix::state_words;
        for (const auto& [i, j] : part.mine()) {
          if (j == k && i > k) words += layout.extent(i) * layout.extent(k);
        }
        EXPECT_EQ(part.below_words(k, layout.row_of(rank)), words);
      }
    }
  }
}

TEST(TileMatrix, LoadsAndStoresRowMajorMatrices) {
  for (const std::int64_t n : test_orders) {
    const Entry entry = random_definite(n);
    Matrix<double> rows{n, n};
    for (std::int64_t i = 0; i < n; ++i) {
      for (std::int64_t j = 0; j < n; ++j) rows.view()(i, j) = j <= i ? entry(i, j) : -5;
    }
    const TileMatrix tiles{TileLayout{n, 48}};
    load(rows.view(), tiles);
    Matrix<double> back{n, n};
    std::fill_n(back.data(), n * n, -5.0);
    store(tiles, back.view());
    for (std::int64_t i = 0; i < n * n; ++i) ASSERT_EQ(back.data()[i], rows.data()[i]);
  }
  Matrix<double> other{3, 4};
  EXPECT_THROW(load(other.view(), TileMatrix{TileLayout{3, 24}}), std::invalid_argument);
  EXPECT_THROW(store(TileMatrix{TileLayout{3, 24}}, other.view()), std::invalid_argument);
}

}  // namespace
}  // namespace duet
