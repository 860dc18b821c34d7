#pragma once

/// How one process divides C among its threads.

#include <cstdint>
#include <vector>

#include "kernels/core/view.hpp"
#include "kernels/data_decomposition/matmul/rank_grid.hpp"

namespace duet {

/// Rectangles that together are all of an m x n matrix, in the order in which they are best handed out. With `tile` = 0
/// the division is chosen: one block for each of `threads` threads; else no tile has more than `tile` rows or columns.
[[nodiscard]] std::vector<Block> tiles_of(std::int64_t m, std::int64_t n, int threads, std::int64_t tile);

/// Throws std::invalid_argument unless A is m x k, B k x n and C m x n for some m, n, k.
void require_conforming(ConstView a, ConstView b, ConstView c);

/// The views that a tile of C is computed from: all columns of its rows of A, all rows of its columns of B.
struct TileViews {
  ConstView a;
  ConstView b;
  View c;
};
[[nodiscard]] inline TileViews views_of(const Block& tile, ConstView a, ConstView b, View c) {
  return {a.block(tile.rows.begin, 0, tile.rows.size(), a.columns),
          b.block(0, tile.columns.begin, b.rows, tile.columns.size()),
          c.block(tile.rows.begin, tile.columns.begin, tile.rows.size(), tile.columns.size())};
}

}  // namespace duet
