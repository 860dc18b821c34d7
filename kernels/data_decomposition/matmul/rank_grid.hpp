#pragma once

/// Ranks as a grid, and which block of each operand a rank of it owns.

#include <mpi.h>

#include <cstdint>
#include <string>
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

/// Ranks as a grid of rows, columns and layers. Rank (l R + r) C + c stands in row r of R, column c of C and layer l of
/// L; ranks beyond R C L stay idle.
struct ProductGrid {
  std::int64_t rows = 1;
  std::int64_t columns = 1;
  std::int64_t layers = 1;

  [[nodiscard]] constexpr std::int64_t size() const { return rows * columns * layers; }
  [[nodiscard]] constexpr std::int64_t row_of(std::int64_t rank) const { return rank / columns % rows; }
  [[nodiscard]] constexpr std::int64_t column_of(std::int64_t rank) const { return rank % columns; }
  [[nodiscard]] constexpr std::int64_t layer_of(std::int64_t rank) const { return rank / (rows * columns); }
  friend constexpr bool operator==(const ProductGrid&, const ProductGrid&) = default;
};

/// "2x3", or "2x3x4" where there are several layers.
[[nodiscard]] std::string grid_text(const ProductGrid& grid);

/// Columns of A, and the same rows of B, that each have one owner: the ranks of one grid column own this part of A, the
/// ranks of one grid row own this part of B.
struct Panel {
  Range inner;
  int a_column = 0;
  int b_row = 0;
};

/// The division of a product over a grid of ranks. Each layer multiplies its own share of k, and in a layer all three
/// matrices are cut the same way, so nothing is aligned to anything and any shape fits any grid:
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
///
/// The blocks of C that the layers compute are summands of one C: the rank of layer l owns share l of the rows of the
/// sum. Idle ranks own nothing.
class ProductLayout {
 public:
  ProductLayout(ProductShape shape, ProductGrid grid) : shape_{shape}, grid_{grid} {}

  [[nodiscard]] const ProductShape& shape() const { return shape_; }
  [[nodiscard]] const ProductGrid& grid() const { return grid_; }
  [[nodiscard]] Block a_of(std::int64_t rank) const;
  [[nodiscard]] Block b_of(std::int64_t rank) const;
  [[nodiscard]] Block c_of(std::int64_t rank) const;
  /// The block of C whose summand `rank` computes; the same as c_of where there is one layer.
  [[nodiscard]] Block summand_of(std::int64_t rank) const;

  /// All panels of a layer's share of k in ascending order, none wider than `width` >= 1.
  [[nodiscard]] std::vector<Panel> panels(std::int64_t width, std::int64_t layer = 0) const;

 private:
  [[nodiscard]] bool idle(std::int64_t rank) const { return rank >= grid_.size(); }
  /// Part `part` of `parts` of the layer's share of k.
  [[nodiscard]] Range inner_share(std::int64_t layer, std::int64_t parts, std::int64_t part) const;

  ProductShape shape_;
  ProductGrid grid_;
};

/// The caller's place in a grid of ranks, with communicators for its row (ranked by column), its column (ranked by row)
/// and its place in all layers (ranked by layer). Owns duplicates: messages never mix with the caller's own. An idle
/// rank has no communicator but `all`.
class RankGrid {
 public:
  /// One process alone, without MPI.
  RankGrid() = default;
  /// Collective over `ranks`. Throws std::invalid_argument where the grid is larger than their number.
  RankGrid(ProductGrid grid, MPI_Comm ranks);

  [[nodiscard]] const ProductGrid& shape() const { return shape_; }
  [[nodiscard]] int rank() const { return rank_; }
  [[nodiscard]] bool idle() const { return rank_ >= shape_.size(); }
  [[nodiscard]] int row() const { return static_cast<int>(shape_.row_of(rank_)); }
  [[nodiscard]] int column() const { return static_cast<int>(shape_.column_of(rank_)); }
  [[nodiscard]] int layer() const { return static_cast<int>(shape_.layer_of(rank_)); }
  [[nodiscard]] MPI_Comm all() const { return all_.get(); }
  [[nodiscard]] MPI_Comm along_row() const { return along_row_.get(); }
  [[nodiscard]] MPI_Comm along_column() const { return along_column_.get(); }
  [[nodiscard]] MPI_Comm along_layers() const { return along_layers_.get(); }
  /// All ranks of my row, of all layers; and of my column.
  [[nodiscard]] MPI_Comm same_row() const { return shape_.layers == 1 ? along_row() : same_row_.get(); }
  [[nodiscard]] MPI_Comm same_column() const { return shape_.layers == 1 ? along_column() : same_column_.get(); }

 private:
  ProductGrid shape_;
  int rank_ = 0;
  Communicator all_;
  Communicator along_row_;
  Communicator along_column_;
  Communicator along_layers_;
  Communicator same_row_;
  Communicator same_column_;
};

}  // namespace duet
