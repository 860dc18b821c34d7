#pragma once

/// What one rank has to do, in the order in which it does it: a pure function of the layout.

#include <cstdint>
#include <vector>

#include "kernels/pipeline/cholesky/tile_matrix.hpp"

namespace duet {

/// One task of a rank: factor(k) of tile (k, k), solve(i, k) of tile (i, k), or update of tile (i, j) by column k.
struct WavefrontStep {
  enum class Stage { factor, solve, update };
  Stage stage = Stage::update;
  std::int32_t tile = 0;  ///< which of the rank's tiles changes: its index in `TileMatrix::mine`
  std::int32_t i = 0;
  std::int32_t j = 0;
  std::int32_t k = 0;  ///< the column of L that is read; of factor and solve, j
  friend bool operator==(const WavefrontStep&, const WavefrontStep&) = default;
};

/// The tasks of the rank that owns `a`. For each column k, in this order:
///
///     updates by column k of tiles in column k + 1, the diagonal first, which is factored at once
///     `ahead` updates by column k of other tiles: time for the factor to be made, or to come from another rank
///     solves of column k + 1: now it can be sent
///     all other updates by column k, during which column k + 1 is on its way
///
/// Every task depends only on tasks before it, of this rank or of others in the same order of columns: a rank that
/// works off its list in this order, waiting for what it needs, never waits in a circle.
[[nodiscard]] std::vector<WavefrontStep> wavefront(const TileMatrix& a, std::int64_t ahead);

}  // namespace duet
