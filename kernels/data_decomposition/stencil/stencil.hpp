#pragma once

/// Jacobi sweeps over a 2-D grid of doubles: each sweep gives every point inside the weighted mean of its neighbours in
/// the sweep before (`star.hpp`), the 5-point stencil for radius 1, a star of 4 r points for radius r. The outermost r
/// rows and columns never change. Row-major, rows x columns with that frame; any extents, and where rows or columns are
/// 2 r or less nothing changes at all.
///
/// Data decomposition: the grid is cut into rectangles, and whoever has a rectangle computes all of it from the grid
/// before, so that no two workers write the same point. What a rectangle needs is itself and r points around it: its
/// halo. The models differ in how the halo comes to the worker:
///
///     serial     it is there
///     openmp     it is there, once a barrier has ended the pass before
///     tbb        the same; the rectangles are tasks
///     mpi        it is sent by the up to eight ranks around, while the middle of the block, which needs none of it, is
///                computed (`rank_block.hpp`)
///     hybrid     the same, and the OpenMP team of each rank shares the middle, then the rim
///
/// A sweep does 4 operations a point for 16 bytes (r = 1), so that memory is the limit by far. Temporal blocking lifts
/// it, in all models alike: a pass over memory does t sweeps (`advance.hpp`), and a halo r t wide comes for t sweeps at
/// once. A worker computes some points of its neighbours again instead of waiting for them:
///
///     sweep by sweep:  16 bytes of memory traffic a point and sweep, a message to each neighbour a sweep
///     t sweeps:        16 / t bytes,                                 a message to each neighbour every t sweeps,
///                      and (1 + r (t - 1) / m) (1 + r (t - 1) / w) of the operations, with m rows to a piece and w
///                      columns to a strip
///
/// Cost: s sweeps of (5 r - 1) operations a point. Two grids of memory. On R x C ranks, rank (i, j) has a share of rows
/// m_i and columns n_j of the whole grid, V = [i > 0] + [i < R - 1] neighbours above and below, H = [j > 0] +
/// [j < C - 1] beside. In a pass of t sweeps it receives, and sends,
///
///     8 ( r t (V n_j + H m_i) + (r (t - 1))^2 V H ) bytes in V + H + [t > 1] V H messages,
///
/// as long as no message has more than 2^27 words, and nothing else. There are ceil(s / t_max) passes, as even as can
/// be, where t_max is the tunable `temporal`, or less: a halo must not be wider than a block (`BlockLayout`). Nothing
/// is sent where nothing changes. Tests hold the program to it.
///
/// The answer is the same to the last bit in every model, for every number of workers and every tunable, since each
/// point's sum is added in one order. NaN and infinities are carried as IEEE 754 says.
///
/// Errors: std::invalid_argument for grids of different shapes or a negative number of sweeps; MpiError.

#include "kernels/core/execution.hpp"
#include "kernels/core/problem.hpp"
#include "kernels/core/view.hpp"
#include "kernels/data_decomposition/stencil/rank_block.hpp"
#include "kernels/data_decomposition/stencil/star.hpp"

namespace duet {

class TbbTeam;

/// The grid after the sweeps. `grid` holds it before; `scratch`, of the same shape and without overlap, needs no value.
/// Returns the one of both that holds the answer; the other then holds nothing of use. Tunables: `temporal`, the most
/// sweeps of a pass; `strip`, columns of a strip; `stores`, whether passes store past the caches.
[[nodiscard]] View stencil_serial(const Sweeps& sweeps, View grid, View scratch, const Execution& execution);
[[nodiscard]] View stencil_openmp(const Sweeps& sweeps, View grid, View scratch, const Execution& execution);
[[nodiscard]] View stencil_tbb(const Sweeps& sweeps, View grid, View scratch, const Execution& execution);
/// The same with a team that is there already: the workers of a new one come 0.1 ms late.
[[nodiscard]] View stencil_tbb(const Sweeps& sweeps, View grid, View scratch, const Execution& execution,
                               TbbTeam& team);

/// The same over all ranks of `block`, collective: `grid` and `scratch` have the block's local shape, and of `grid`
/// what the rank owns must be set. Of the answer, what the rank owns is. The passes are the layout's; the other
/// tunables as above. The thread that calls must be the one that initialised MPI (MPI_THREAD_FUNNELED).
[[nodiscard]] View stencil_mpi(const RankBlock& block, const Sweeps& sweeps, View grid, View scratch,
                               const Execution& execution);
[[nodiscard]] View stencil_hybrid(const RankBlock& block, const Sweeps& sweeps, View grid, View scratch,
                                  const Execution& execution);

/// Throws std::invalid_argument unless the two fit each other, and the block where there is one.
void require_conforming(const Sweeps& sweeps, ConstView grid, ConstView scratch);
void require_conforming(const RankBlock& block, const Sweeps& sweeps, ConstView grid, ConstView scratch);

/// The problem "stencil" and its five variants.
[[nodiscard]] Problem stencil_problem();

}  // namespace duet
