#pragma once

/// Ranks as a grid, and which block of each operand a rank of it owns.

#include <mpi.h>

#include <cstdint>
#include <vector>

#include "kernels/core/mpi.hpp"
#include "kernels/core/partition.hpp"

namespace duet {

/// The shape of C = A B: C is m x n, A is m x k, B is k x n.
struct ProductShape {
  std::int64_t m = 0;
  std::int64_t n = 0;
  std::int64_t k = 0;
};

/// Columns of A, and the same rows of B, that each have one owner: the ranks of one grid column own this part of A, the
/// ranks of one grid row own this part of B.
struct Panel {
  Range inner;
  int a_column = 0;
  int b_row = 0;
};

/// The division of a product over a grid of ranks. All three matrices are cut the same way, so nothing is aligned to
/// anything and any shape fits any grid:
///
///                 columns of C
///                +----+----+----+
///     B, rows:   | b00| b01| b02|        rank (r, c) owns  A: rows of share r of m, columns of share c of k
///                +----+----+----+                          B: rows of share r of k, columns of share c of n
///                | b10| b11| b12|                          C: rows of share r of m, columns of share c of n
///                +----+----+----+
///      k              k = |..|.|.|..|  the panels: k cut wherever A's columns or B's rows change their owner,
///     +--+--+--+ +----+----+----+      and then to the panel width
///     |a0|a1|a2| | c00| c01| c02|
///     +--+--+--+ +----+----+----+
///     |  |  |  | | c10| c11| c12|
///     +--+--+--+ +----+----+----+
class ProductLayout {
 public:
  ProductLayout(ProductShape shape, Grid grid) : shape_{shape}, grid_{grid} {}

  [[nodiscard]] const ProductShape& shape() const { return shape_; }
  [[nodiscard]] const Grid& grid() const { return grid_; }
  [[nodiscard]] Block a_of(std::int64_t rank) const;
  [[nodiscard]] Block b_of(std::int64_t rank) const;
  [[nodiscard]] Block c_of(std::int64_t rank) const;

  /// All panels in ascending order, none wider than `width` >= 1.
  [[nodiscard]] std::vector<Panel> panels(std::int64_t width) const;

 private:
  ProductShape shape_;
  Grid grid_;
};

/// The caller's place in a grid of ranks, with communicators for its row (ranked by column) and its column (ranked by
/// row). Owns duplicates: messages never mix with the caller's own.
class RankGrid {
 public:
  /// One process alone, without MPI.
  RankGrid() = default;
  /// Collective over `ranks`. Throws std::invalid_argument unless grid.size() is their number.
  RankGrid(Grid grid, MPI_Comm ranks);

  [[nodiscard]] const Grid& shape() const { return shape_; }
  [[nodiscard]] int rank() const { return rank_; }
  [[nodiscard]] int row() const { return static_cast<int>(shape_.row_of(rank_)); }
  [[nodiscard]] int column() const { return static_cast<int>(shape_.column_of(rank_)); }
  [[nodiscard]] MPI_Comm all() const { return all_.get(); }
  [[nodiscard]] MPI_Comm along_row() const { return along_row_.get(); }
  [[nodiscard]] MPI_Comm along_column() const { return along_column_.get(); }

 private:
  Grid shape_{1, 1};
  int rank_ = 0;
  Communicator all_;
  Communicator along_row_;
  Communicator along_column_;
};

}  // namespace duet
