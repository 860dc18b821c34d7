#pragma once

/// C = A B in double, for dense matrices of any shape: A is m x k, B is k x n, C is m x n, all row-major.
///
/// Data decomposition: C is cut into rectangles, and whoever owns a rectangle computes all of it,
///
///     C(I, J) = sum over panels P of k:  A(I, P) B(P, J),
///
/// so no two workers ever write the same entry, and nothing is summed across workers. The five models differ only in
/// how A(I, P) and B(P, J) come to the worker:
///
///     serial     they are there
///     openmp     they are there, for every thread; C's rectangles ("tiles") are handed to the threads of a team
///     tbb        the same, the tiles are tasks that idle workers steal
///     mpi        they are broadcast panel by panel along the rows and columns of a grid of ranks, while the panel
///                before is multiplied (SUMMA: van de Geijn, Watts: "SUMMA: scalable universal matrix multiplication
///                algorithm", 1997)
///     hybrid     the same, and the OpenMP team of each rank shares every local product
///
/// Cost, on p = R x C ranks: 2 m n k operations in all; each rank receives m k / R (1 - 1/C) words of A and
/// n k / C (1 - 1/R) words of B, in one broadcast of each per panel, and needs two panels of each beside what it owns.
/// In one process nothing is sent. All tiles go through the local kernel (kernels/local_product), one thread each.
///
/// Exactly, uneven blocks included: let rank (r, c) own m_r rows and n_c columns of C, k_c columns of A and k'_r rows of
/// B (shares of m over R, of n over C, of k over C and of k over R). It receives
///
///     8 ( m_r (k - k_c) + n_c (k - k'_r) ) bytes,
///
/// in one message for each panel of A outside its columns, unless m_r = 0, and one for each panel of B outside its rows,
/// unless n_c = 0, as long as a panel has no more than 2^31 - 1 words. The root of a broadcast sends its panel once:
/// 8 ( m_r k_c [C > 1] + n_c k'_r [R > 1] ) bytes leave the rank. Tests hold the program to it.
///
/// The answer is within gamma_k |A| |B| of the exact product, entry by entry, whatever the division (Higham: "Accuracy
/// and stability of numerical algorithms", 2002, section 3.5), and bitwise the same from run to run for the same
/// kernel, division and worker count. NaN and infinities are carried as IEEE 754 says.

#include "kernels/core/execution.hpp"
#include "kernels/core/problem.hpp"
#include "kernels/core/view.hpp"
#include "kernels/data_decomposition/matmul/rank_grid.hpp"

namespace duet {

class TbbTeam;

/// C = A B in one process. Shapes must fit (a.columns == b.rows, c is a.rows x b.columns), else std::invalid_argument;
/// C must not overlap A or B and needs no value before. Tunables: `local_kernel`, and for openmp and tbb `tile`, the
/// rows and columns of a tile (0: chosen).
void matmul_serial(ConstView a, ConstView b, View c, const Execution& execution);
void matmul_openmp(ConstView a, ConstView b, View c, const Execution& execution);
void matmul_tbb(ConstView a, ConstView b, View c, const Execution& execution);
/// The same with a team that is there already: the workers of a new one come 0.1 ms late, which is all of a product of
/// n = 200.
void matmul_tbb(ConstView a, ConstView b, View c, const Execution& execution, TbbTeam& team);

/// What the calling rank owns of one product: its blocks, as `layout` divides them over `ranks`.
struct OwnedBlocks {
  const RankGrid& ranks;
  const ProductLayout& layout;
  ConstView a;
  ConstView b;
  View c;
};

/// C = A B over all ranks of mine.ranks, collective. Throws std::invalid_argument unless the blocks have the shapes of
/// the layout. Tunables: `local_kernel`; `panel`, the width of a panel (0: chosen); `strips`, the pieces of a local
/// product between which MPI makes progress.
void matmul_mpi(const OwnedBlocks& mine, const Execution& execution);
/// The same with a team in each rank, and the tunable `tile` in place of `strips`. The thread that calls must be the
/// one that initialised MPI (MPI_THREAD_FUNNELED).
void matmul_hybrid(const OwnedBlocks& mine, const Execution& execution);

/// The problem "matmul" and its five variants.
[[nodiscard]] Problem matmul_problem();

}  // namespace duet
