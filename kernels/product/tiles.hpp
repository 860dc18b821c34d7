#pragma once

/// How one process divides C among its threads.

#include <algorithm>
#include <cstdint>
#include <vector>

#include "kernels/core/partition.hpp"
#include "kernels/core/view.hpp"

namespace duet {

/// Rectangles that together are all of C. The first `leading` of them are one large block for each thread, thread by
/// thread; all that follow are smaller and go to whoever is free.
///
/// A local product packs its rows of A and columns of B anew, in time proportional to mk + kn, so few large tiles are
/// fast and many small ones are even. Both at once:
///
///     +--------------+--------------+   Each thread has a part of C, as square as can be (grid_for). Three quarters of
///     |              |              |   it are its own from the start, and it touched the pages first; the last
///     |  thread 0    |  thread 1    |   quarter is cut into small tiles that the faster threads take. On quiet cores
///     |              |              |   that costs 1 % against one block each; where a neighbour takes half of one
///     +------+-------+------+-------+   core, it is 1.3x as fast.
///     |      |       |      |       |
///     +------+-------+------+-------+
///
/// Small parts, below `divisible_extent`, are left whole.
struct Tiles {
  std::vector<Block> blocks;
  std::int64_t leading = 0;

  [[nodiscard]] std::int64_t count() const { return std::ssize(blocks); }
  [[nodiscard]] const Block& operator[](std::int64_t tile) const { return blocks[static_cast<std::size_t>(tile)]; }
};

/// The longer side from which on a thread's part is cut: its last quarter is then two tiles of 128, still efficient.
inline constexpr std::int64_t divisible_extent = 1024;

/// The division of an m x n matrix for `threads` threads. With `tile` > 0 there is no leading block, and no tile has
/// more than `tile` rows or columns.
[[nodiscard]] Tiles tiles_of(std::int64_t m, std::int64_t n, int threads, std::int64_t tile);

/// The views that a tile of C is computed from: all columns of its rows of A, all rows of its columns of B.
template <class Element>
struct TileViews {
  MatrixView<const Element> a;
  MatrixView<const Element> b;
  MatrixView<Element> c;
};
template <class Element>
[[nodiscard]] TileViews<Element> views_of(const Block& tile, MatrixView<const Element> a, MatrixView<const Element> b,
                                          MatrixView<Element> c) {
  return {a.block(tile.rows.begin, 0, tile.rows.size(), a.columns),
          b.block(0, tile.columns.begin, b.rows, tile.columns.size()),
          c.block(tile.rows.begin, tile.columns.begin, tile.rows.size(), tile.columns.size())};
}

/// C = 0: a product over no k.
template <class Element>
void fill_with_zeros(MatrixView<Element> c) {
  if (c.empty()) return;
  for (std::int64_t row = 0; row < c.rows; ++row) std::fill_n(&c(row, 0), c.columns, Element{0});
}

/// Throws std::invalid_argument unless A is m x k, B k x n and C m x n for some m, n, k.
template <class Element>
void require_conforming(MatrixView<const Element> a, MatrixView<const Element> b, MatrixView<const Element> c);

}  // namespace duet
