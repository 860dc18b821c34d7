#pragma once

/// Several sweeps in one pass over memory: the one kernel that every model uses.
///
/// A pass of depth t reads a rectangle of level 0, the grid before, and writes level t, the grid t sweeps later. It
/// runs down the rows, one strip of columns at a time, with all t levels under way at once, each r rows behind the one
/// below:
///
///        columns of the strip
///      +----------------------+
///      |  level 3 is written  |   row i - 2r   ->  `to`, past the caches where the grid is larger than they are
///      |  level 2             |   row i - r    ->  2 r + 1 rows kept in cache
///      |  level 1             |   row i        ->  2 r + 1 rows kept in cache
///      |  level 0 is read     |   row i + r    <-  `from`
///      +----------------------+
///
/// so that memory is read once and written once for t sweeps. Level l of a strip needs level l - 1 on r columns more at
/// either side: a level is computed r (t - l) columns wider than the strip at each side and as many rows higher, and
/// what neighbouring strips and pieces both compute comes out the same. Hence pieces need not wait for each other
/// within a pass, in any model, and no division changes a bit. (Overlapped tiling: Krishnamoorthy et al., "Effective
/// automatic parallelization of stencil computations", PLDI 2007; the wavefront of rows: Wellein et al., "Efficient
/// temporal blocking for stencil computations by multicore-aware wavefront parallelization", COMPSAC 2009.)
///
/// Cost of a piece of m x n points: 16 m n bytes from and to memory, (1 + r (t - 1) / m) (1 + r (t - 1) / w) of the
/// compulsory operations with strips of w columns, and 8 (2 r + 1) (t - 1) (w + 2 r t) bytes of scratch.

#include <cstdint>
#include <vector>

#include "kernels/core/view.hpp"
#include "kernels/data_decomposition/stencil/region.hpp"
#include "kernels/data_decomposition/stencil/row_sweep.hpp"
#include "kernels/data_decomposition/stencil/star.hpp"

namespace duet {

/// One pass over a grid, or over the part of it that a process holds. All regions are in the coordinates of the views.
struct Pass {
  ConstView from;
  View to;          ///< of the same shape, no overlap
  Region interior;  ///< the points that sweeps change; what surrounds them by r is in `from` for good
  Star star;
  std::int64_t depth = 1;  ///< sweeps, >= 1
  std::int64_t strip = 0;  ///< columns of a strip, >= 1
  Stores stores = Stores::cached;
};

/// The points of `out`, a part of the interior, `pass.depth` sweeps later. Reads `from` on `out` and r * depth points
/// around it, as far as it is the interior and its frame; of what lies diagonally, the star's own dependencies alone
/// count: points beyond them are read but change nothing. Throws std::bad_alloc where there is no memory for scratch.
void advance(const Pass& pass, const Region& out);

/// Copies those points of `part` that are not in `interior`.
void copy_frame(ConstView from, View to, const Region& interior, const Region& part);

/// The columns of a strip whose levels fit the cache of one core, and never fewer than keep the overlap small.
[[nodiscard]] std::int64_t chosen_strip(std::int64_t radius, std::int64_t depth);

}  // namespace duet
