#pragma once

/// A = L L^T in double, for a symmetric positive definite matrix A of any order n: L is lower triangular with a
/// positive diagonal. A's lower triangle is given by tiles (tile_matrix.hpp), and L takes its place.
///
/// A pipeline: tiles of b x b entries flow through three stages, for each column k of tiles
///
///     factor   L(k, k)                    from  A(k, k) = L(k, k) L(k, k)^T
///     solve    L(i, k) = A(i, k) L(k, k)^-T                              for i > k
///     update   A(i, j) = A(i, j) - L(i, k) L(j, k)^T                     for i >= j > k
///
/// and column k + 1 enters as soon as its own tiles are updated, while the updates of column k to all other tiles still
/// run: the wavefront moves on ahead of the work behind it (look-ahead).
///
///     k   | F |                         F, S: factor and solve, on the critical path
///         | S | F |                     U: updates, nearly all of the n^3 / 3 operations; any order that keeps each
///         | S | S | U |                    tile's own will do
///         | S | S | U | U |
///
/// A tile is always updated by columns 0, 1, 2, ... in this order, then solved or factored, whoever does it: every
/// model gives the same bits for the same tile size, from run to run and from machine to machine with the same vector
/// width. The models differ in how a tile knows that its turn has come:
///
///     serial     one loop; a tile takes all its updates at once, while it stays in the cache
///     openmp     `task depend`: the runtime orders tasks by the tiles that they name
///     tbb        each tile counts the columns that it has taken; whoever completes a tile starts those that waited
///     mpi        tiles are dealt block-cyclically to a grid of ranks; columns of L travel by broadcasts while the
///                updates before them run; each rank works off one list, the wavefront first
///     hybrid     the same, and the team of each rank works off the list together
///
/// Cost: n^3 / 3 operations, of which the critical path n / b times (factor b^3 / 3, solve b^3, update 2 b^3); memory
/// n^2 / 2 + n b words in all, half of a square array's. On a grid of R x C ranks, where c_k = k mod C is the owner of
/// column k and e_i is the number of rows of tile row i in whole strips of 24 (b, for all but the last), rank (r, c)
/// and column k, every message with a line of 64 bytes that says whether the factorisation came so far:
///
///     if c = c_k and R > 1, the tile L(k, k) is broadcast along the grid column:          64 + 8 e_k^2 bytes
///     if C > 1, the tiles L(i, k), i > k, i mod R = r, are broadcast along the grid row:  64 + 8 e_k sum of e_i bytes
///     if R > 1, for each r' the tiles L(j, k), j > k, j mod R = r', j mod C = c, if any,
///         are broadcast along the grid column by rank (r', c):                            8 e_k sum of e_j bytes
///
/// each one message that enters all but its root and leaves its root once. So a rank receives about
/// n^2 / 2 ((C - 1) / (C R) + (R - 1) / (R C)) words and, beside what it owns, keeps up to three columns of L that
/// others sent. Tests hold the program to it.
///
/// The answer satisfies |A - L L^T| <= gamma_{n+2} |L||L^T| entry by entry (Higham: "Accuracy and stability of
/// numerical algorithms", 2002, theorem 10.3; one rounding more because rows are multiplied with 1 / L(k, k)). Nothing
/// is inverted but single pivots.
///
/// Sources: A. Buttari, J. Langou, J. Kurzak, J. Dongarra, "A class of parallel tiled linear algebra algorithms for
/// multicore architectures", Parallel Computing 35, 2009; L. S. Blackford et al., "ScaLAPACK users' guide", 1997.

#include <cstdint>
#include <stdexcept>

#include "kernels/core/execution.hpp"
#include "kernels/core/problem.hpp"
#include "kernels/pipeline/cholesky/tile_matrix.hpp"

namespace duet {

class TbbTeam;
class PanelExchange;

/// The matrix has no Cholesky factor: a pivot is not positive, or not finite.
class NotPositiveDefinite : public std::domain_error {
 public:
  NotPositiveDefinite(std::int64_t pivot, std::int64_t n);
  /// The row, counted from 0, of the first such pivot. The leading minor of order `pivot` is positive definite, up to
  /// rounding.
  [[nodiscard]] std::int64_t pivot() const { return pivot_; }

 private:
  std::int64_t pivot_;
};

/// L in place of A, in one process. `a` must have the whole matrix (a grid of one rank), else std::invalid_argument.
/// Throws NotPositiveDefinite; what is left in `a` is then of no use. Of `execution`, threads and timesheet are used.
///
///     TileMatrix a{TileLayout{n, cholesky_tile(n, threads)}};
///     load(rows, a);
///     cholesky_openmp(a, {.threads = threads});
///     store(a, rows);
void cholesky_serial(const TileMatrix& a, const Execution& execution);
void cholesky_openmp(const TileMatrix& a, const Execution& execution);
void cholesky_tbb(const TileMatrix& a, const Execution& execution);
void cholesky_tbb(const TileMatrix& a, const Execution& execution, TbbTeam& team);

/// The same over all ranks of `exchange`, collective: `a` has the tiles of the calling rank. Every rank throws
/// NotPositiveDefinite, with the same pivot. The thread that calls must be the one that initialised MPI.
void cholesky_mpi(const TileMatrix& a, PanelExchange& exchange, const Execution& execution);
void cholesky_hybrid(const TileMatrix& a, PanelExchange& exchange, const Execution& execution);

/// The matrix of an instance of "cholesky": A(i, j) is random in [-1, 1), a pure function of (seed, i, j) for i >= j,
/// and the diagonal has n more, or the parameter `shift`. With n it is diagonally dominant, so positive definite.
[[nodiscard]] FillTile cholesky_matrix(const Instance& instance);

/// The tile size that is chosen for order n and so many workers.
[[nodiscard]] std::int64_t cholesky_tile(std::int64_t n, std::int64_t workers);
/// The grid that is chosen for so many ranks: as square as can be, no more rows than columns.
[[nodiscard]] Grid cholesky_grid(std::int64_t ranks);

/// The problem "cholesky" and its five variants.
[[nodiscard]] Problem cholesky_problem();

}  // namespace duet
