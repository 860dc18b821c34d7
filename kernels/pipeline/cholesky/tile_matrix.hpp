#pragma once

/// The lower triangle of a symmetric matrix, or L itself, by square tiles, over a grid of ranks or in one process.

#include <cstdint>
#include <functional>
#include <vector>

#include "kernels/core/partition.hpp"
#include "kernels/core/view.hpp"
#include "kernels/local_product/packing_space.hpp"
#include "kernels/pipeline/cholesky/tile_kernels.hpp"

namespace duet {

/// The shape of a tiled matrix and who owns which tile: block-cyclic, tile (i, j) on rank (i mod R, j mod C) of an
/// R x C grid. Tiles have `tile` rows and columns, a multiple of `strip`; the last row and column of tiles as many
/// whole strips as it takes. What that is more than n is the identity matrix: it changes nothing.
class TileLayout {
 public:
  /// `tile` is rounded up to whole strips. Throws std::invalid_argument for n < 0 or tile < 1.
  TileLayout(std::int64_t n, std::int64_t tile, Grid grid = {});

  [[nodiscard]] std::int64_t n() const { return n_; }
  [[nodiscard]] std::int64_t tile() const { return tile_; }
  [[nodiscard]] const Grid& grid() const { return grid_; }
  /// Rows, and columns, of tiles.
  [[nodiscard]] std::int64_t count() const { return count_; }
  /// Rows of tile row i, and columns of tile column i, whole strips.
  [[nodiscard]] std::int64_t extent(std::int64_t i) const { return i + 1 < count_ ? tile_ : last_; }
  /// Rows of the matrix before tile row i.
  [[nodiscard]] std::int64_t begin(std::int64_t i) const { return i * tile_; }
  [[nodiscard]] std::int64_t row_of(std::int64_t rank) const { return grid_.row_of(rank); }
  [[nodiscard]] std::int64_t column_of(std::int64_t rank) const { return grid_.column_of(rank); }
  [[nodiscard]] std::int64_t owner(std::int64_t i, std::int64_t j) const {
    return i % grid_.rows * grid_.columns + j % grid_.columns;
  }
  /// The first tile row after k that the ranks of grid row `row` own: the least i > k with i mod R = row.
  [[nodiscard]] std::int64_t first_row_after(std::int64_t k, std::int64_t row) const {
    return k + 1 + ((row - k - 1) % grid_.rows + grid_.rows) % grid_.rows;
  }

 private:
  std::int64_t n_;
  std::int64_t tile_;
  std::int64_t count_;
  std::int64_t last_;
  Grid grid_;
};

/// One rank's tiles on and below the diagonal. A column of tiles is contiguous, in the form in which it is sent:
///
///     | state | diagonal tile, where it is mine |     | state | tiles below, ascending |
///
/// A state is a line of the cache whose first word says how far the factorisation came (see panel_exchange.hpp).
class TileMatrix {
 public:
  static constexpr std::int64_t state_words = 8;

  /// Allocates, and writes nothing: pages belong to who first fills them. Throws std::bad_alloc.
  explicit TileMatrix(const TileLayout& layout, std::int64_t rank = 0);

  [[nodiscard]] const TileLayout& layout() const { return layout_; }
  [[nodiscard]] std::int64_t rank() const { return rank_; }
  [[nodiscard]] bool owns(std::int64_t i, std::int64_t j) const { return layout_.owner(i, j) == rank_; }

  /// Tile (i, j), i >= j, of this rank, in the form of `TileKernels`. No bounds are checked.
  [[nodiscard]] double* tile(std::int64_t i, std::int64_t j) const;
  /// Entry (row, column), row >= column, which must be this rank's. For tests and for reading the answer.
  [[nodiscard]] double& entry(std::int64_t row, std::int64_t column) const;

  /// The diagonal tile of column k with its state before it, and the tiles below with theirs; the words of both.
  [[nodiscard]] double* diagonal_message(std::int64_t k) const;
  [[nodiscard]] std::int64_t diagonal_words(std::int64_t k) const;
  [[nodiscard]] double* below_message(std::int64_t k) const;
  /// Words of the message that the rank of column k in grid row `row` sends.
  [[nodiscard]] std::int64_t below_words(std::int64_t k, std::int64_t row) const;

  /// My tiles, column by column.
  struct Place {
    std::int64_t i = 0;
    std::int64_t j = 0;
  };
  [[nodiscard]] const std::vector<Place>& mine() const { return mine_; }

 private:
  TileLayout layout_;
  std::int64_t rank_;
  std::vector<Place> mine_;
  std::vector<std::int64_t> columns_;  ///< where each of my columns of tiles begins, in words
  PackingSpace space_;
  double* words_ = nullptr;
};

/// Writes tile (i, j), i >= j, of a symmetric matrix.
using FillTile = std::function<void(const TileLayout& layout, std::int64_t i, std::int64_t j, double* to)>;

/// Writes tile (i, j) to `to` from entry(row, column), row >= column: zeros above the diagonal, and the identity behind
/// the matrix's end. A template, so that entries made by arithmetic are inlined.
template <class Entry>
void fill_tile(const TileLayout& layout, std::int64_t i, std::int64_t j, double* to, Entry&& entry) {
  const std::int64_t rows = layout.extent(i);
  const std::int64_t columns = layout.extent(j);
  for (std::int64_t s = 0; s < rows; s += strip) {
    for (std::int64_t p = 0; p < columns; ++p) {
      const std::int64_t column = layout.begin(j) + p;
      for (std::int64_t r = 0; r < strip; ++r, ++to) {
        const std::int64_t row = layout.begin(i) + s + r;
        *to = row < layout.n() && column <= row ? entry(row, column) : row == column ? 1 : 0;
      }
    }
  }
}

/// Copies row-major matrices in and out, tile by tile, for callers who have the whole. `a` is n x n, and only what is
/// on and below its diagonal is read or written. Throws std::invalid_argument for another shape.
void load(ConstView a, const TileMatrix& to);
void store(const TileMatrix& l, View to);

}  // namespace duet
