#pragma once

/// A grid over ranks: who owns which block of it, and how blocks get what they need of their neighbours.

#include <mpi.h>

#include <array>
#include <cstdint>
#include <vector>

#include "kernels/core/mpi.hpp"
#include "kernels/core/view.hpp"
#include "kernels/data_decomposition/stencil/region.hpp"

namespace duet {

/// The whole grid, rows x columns of points with the frame that does not change.
struct GridShape {
  std::int64_t rows = 0;
  std::int64_t columns = 0;
};

/// The division of a grid over ranks. Each block is at least one halo wide, so that a halo never reaches beyond the
/// next rank: where blocks would be smaller, passes have fewer sweeps, and where they would be smaller than the
/// radius, fewer ranks take part. Ranks beyond ranks().size() own nothing.
class BlockLayout {
 public:
  /// For `ranks` ranks and passes of up to `temporal` sweeps. `rows_of_ranks` is the grid's number of rows, a divisor
  /// of `ranks`, or 0 for the grid with the least half-perimeter of a block among those of the most ranks. Throws
  /// std::invalid_argument where it does not divide.
  BlockLayout(GridShape shape, std::int64_t radius, std::int64_t temporal, int ranks, std::int64_t rows_of_ranks = 0);

  [[nodiscard]] const GridShape& shape() const { return shape_; }
  [[nodiscard]] const Grid& ranks() const { return ranks_; }
  [[nodiscard]] std::int64_t radius() const { return radius_; }
  /// The most sweeps of a pass.
  [[nodiscard]] std::int64_t temporal() const { return temporal_; }
  /// The points that rank `rank` owns; empty beyond the ranks that take part.
  [[nodiscard]] Region owned_by(std::int64_t rank) const;

 private:
  GridShape shape_;
  std::int64_t radius_;
  std::int64_t temporal_;
  Grid ranks_;
};

/// The caller's block with room for its halo. Local coordinates begin at the block's memory:
///
///            west   owned    east
///          +------+--------+------+
///    north |      |        |      |     `local_shape` rows and columns in all; owned() is the middle,
///          +------+--------+------+     whose first column stands on the boundary of a cache line
///          |      |        |      |
///          +------+--------+------+
///    south |      |        |      |
///          +------+--------+------+
class RankBlock {
 public:
  /// Collective over `ranks`, whose number must be the layout's. Owns a duplicate: halos never mix with the caller's
  /// messages.
  RankBlock(const BlockLayout& layout, MPI_Comm ranks);

  [[nodiscard]] const BlockLayout& layout() const { return layout_; }
  [[nodiscard]] MPI_Comm all() const { return all_.get(); }
  [[nodiscard]] int rank() const { return rank_; }
  /// In the coordinates of the whole grid.
  [[nodiscard]] Region owned_in_whole() const { return layout_.owned_by(rank_); }
  /// In local coordinates: what this rank owns, and all that sweeps change, also beyond this block.
  [[nodiscard]] Region owned() const { return shifted(owned_in_whole(), -first_row_, -first_column_); }
  [[nodiscard]] Region interior() const;
  /// Of the views that hold the block and its halo. Nothing for a rank that owns nothing.
  [[nodiscard]] GridShape local_shape() const { return local_; }
  /// The position of local (0, 0) in the whole grid; may be negative.
  [[nodiscard]] std::int64_t first_row() const { return first_row_; }
  [[nodiscard]] std::int64_t first_column() const { return first_column_; }
  /// The rank `rows` down and `columns` right of this one, or MPI_PROC_NULL. Each -1, 0 or 1.
  [[nodiscard]] int neighbour(int rows, int columns) const;

 private:
  BlockLayout layout_;
  Communicator all_;
  int rank_;
  GridShape local_;
  std::int64_t first_row_ = 0;
  std::int64_t first_column_ = 0;
};

/// The halo of one pass on its way: all messages at once, diagonal ones for passes of more than one sweep.
class HaloExchange {
 public:
  /// No MPI call carries more than `limit` words: what is more goes in pieces.
  explicit HaloExchange(const RankBlock& block, std::int64_t limit = std::int64_t{1} << 27)
      : block_{block}, limit_{limit} {}

  /// Starts to bring the halo for a pass of `depth` sweeps into `grid`, which has the block's local shape. All ranks
  /// of the layout start the same passes. Until `wait`, the points owned within the halo's width of a neighbour may be
  /// read, and the halo may not.
  void start(View grid, std::int64_t depth);
  /// Gives MPI the occasion to move data: OpenMPI does nothing in the background.
  void progress();
  void wait();

 private:
  enum class Direction { in, out };
  void transfer(Direction direction, View grid, const Region& region, int rank, int tag);

  const RankBlock& block_;
  std::int64_t limit_;
  std::vector<MPI_Request> requests_;  ///< of one pass, none between `wait` and `start`
};

/// What one rank receives in a pass of `depth` sweeps, and sends as well: by the formula of stencil.hpp.
struct HaloVolume {
  std::int64_t messages = 0;
  std::int64_t words = 0;
};
[[nodiscard]] HaloVolume halo_volume(const BlockLayout& layout, std::int64_t rank, std::int64_t depth);

/// The parts of a block in the order in which a pass computes them: `inner` needs no halo and is computed while
/// messages travel; the others are disjoint, and with it they are the whole block's interior.
struct BlockParts {
  Region inner;
  std::vector<Region> rim;
};
[[nodiscard]] BlockParts parts_of(const RankBlock& block, std::int64_t depth);

}  // namespace duet
