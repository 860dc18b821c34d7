#include <gtest/gtest.h>

#include <set>
#include <vector>

#include "kernels/data_decomposition/matmul/rank_grid.hpp"
#include "kernels/product/tiles.hpp"
#include "tests/data_decomposition/matmul/reference.hpp"

namespace duet {
namespace {

std::vector<int> coverage(std::int64_t rows, std::int64_t columns, const std::vector<Block>& blocks) {
  std::vector<int> times(static_cast<std::size_t>(rows * columns), 0);
  for (const Block& block : blocks) {
    for (std::int64_t i = block.rows.begin; i < block.rows.end; ++i) {
      for (std::int64_t j = block.columns.begin; j < block.columns.end; ++j) {
        times.at(static_cast<std::size_t>(i * columns + j)) += 1;
      }
    }
  }
  return times;
}

std::vector<int> once(std::int64_t rows, std::int64_t columns) {
  return std::vector<int>(static_cast<std::size_t>(rows * columns), 1);
}

TEST(ProductLayout, GivesEveryEntryOfEachMatrixToOneRank) {
  for (const ProductGrid grid :
       {ProductGrid{1, 1}, {1, 2}, {3, 1}, {2, 2}, {2, 3}, {7, 1}, {1, 7}, {1, 1, 3}, {2, 3, 2}, {1, 2, 7}}) {
    for (const ProductShape shape : {ProductShape{0, 3, 5}, {1, 1, 1}, {2, 9, 4}, {13, 7, 11}}) {
      const ProductLayout layout{shape, grid};
      std::vector<Block> a;
      std::vector<Block> b;
      std::vector<Block> c;
      // One more rank, which is idle.
      for (std::int64_t rank = 0; rank <= grid.size(); ++rank) {
        a.push_back(layout.a_of(rank));
        b.push_back(layout.b_of(rank));
        c.push_back(layout.c_of(rank));
      }
      EXPECT_EQ(coverage(shape.m, shape.k, a), once(shape.m, shape.k));
      EXPECT_EQ(coverage(shape.k, shape.n, b), once(shape.k, shape.n));
      EXPECT_EQ(coverage(shape.m, shape.n, c), once(shape.m, shape.n));
    }
  }
}

TEST(ProductLayout, CutsPanelsThatEachHaveOneOwnerOfAAndOneOfB) {
  for (const ProductGrid grid : {ProductGrid{1, 1}, {1, 2}, {3, 1}, {2, 2}, {2, 3}, {3, 4}, {1, 1, 3}, {2, 3, 4}}) {
    for (const std::int64_t k : {0, 1, 2, 5, 12, 31, 97}) {
      for (const std::int64_t width : {1, 2, 5, 1000}) {
        const ProductLayout layout{{4, 4, k}, grid};
        std::int64_t reached = 0;
        for (std::int64_t layer = 0; layer < grid.layers; ++layer) {
          for (const Panel& panel : layout.panels(width, layer)) {
            EXPECT_EQ(panel.inner.begin, reached);
            EXPECT_GT(panel.inner.size(), 0);
            EXPECT_LE(panel.inner.size(), width);
            reached = panel.inner.end;
            const std::int64_t first = layer * grid.rows * grid.columns;
            const Range of_a = layout.a_of(first + panel.a_column).columns;
            const Range of_b = layout.b_of(first + panel.b_row * grid.columns).rows;
            EXPECT_TRUE(of_a.begin <= panel.inner.begin && panel.inner.end <= of_a.end);
            EXPECT_TRUE(of_b.begin <= panel.inner.begin && panel.inner.end <= of_b.end);
          }
        }
        EXPECT_EQ(reached, k);
      }
    }
  }
}

TEST(RankGrid, RefusesAGridThatDoesNotHoldTheRanks) {
  EXPECT_THROW(RankGrid(ProductGrid{1, 2}, MPI_COMM_NULL), std::invalid_argument);
}

TEST(Tiles, CoverCOnceForAnyShapeTileAndTeam) {
  for (const std::int64_t m : test_extents) {
    for (const std::int64_t n : test_extents) {
      for (const int threads : {1, 2, 3, 5}) {
        for (const std::int64_t tile : {0, 1, 2, 40, 1000}) {
          const std::vector<Block> tiles = tiles_of(m, n, threads, tile).blocks;
          EXPECT_EQ(coverage(m, n, tiles), once(m, n)) << m << "x" << n << ", tile " << tile;
          for (const Block& block : tiles) {
            EXPECT_FALSE(block.rows.empty() || block.columns.empty());
            EXPECT_TRUE(tile == 0 || std::max(block.rows.size(), block.columns.size()) <= tile);
          }
        }
      }
    }
  }
}

TEST(Tiles, OfALargeMatrixBeginWithOneBlockForEachThreadAndEndWithSmallOnes) {
  for (const int threads : {2, 3, 4}) {
    const Tiles tiles = tiles_of(4000, 5000, threads, 0);
    EXPECT_EQ(coverage(4000, 5000, tiles.blocks), once(4000, 5000));
    ASSERT_EQ(tiles.leading, threads);
    ASSERT_GT(tiles.count(), tiles.leading);
    const auto area = [](const Block& block) { return block.rows.size() * block.columns.size(); };
    for (std::int64_t tile = tiles.leading; tile < tiles.count(); ++tile)
      EXPECT_LT(4 * area(tiles[tile]), area(tiles[0]));
  }
}

}  // namespace
}  // namespace duet
