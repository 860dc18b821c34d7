#pragma once

/// C = A B in double or float, for dense matrices of any shape: A is m x k, B is k x n, C is m x n, all row-major.
///
/// Data decomposition: C is cut into rectangles, and whoever owns a rectangle computes all of it,
///
///     C(I, J) = sum over panels P of k:  A(I, P) B(P, J),
///
/// so no two workers ever write the same entry. Where k is long, workers may share it out in layers as well, and C is
/// the sum of what the layers have. The five models differ only in how A(I, P) and B(P, J) come to the worker:
///
///     serial     they are there
///     openmp     they are there, for every thread; C's rectangles ("tiles") are handed to the threads of a team
///     tbb        the same, the tiles are tasks that idle workers steal
///     mpi        they are broadcast panel by panel along the rows and columns of a grid of ranks, while the panel
///                before is multiplied (SUMMA: van de Geijn, Watts: "SUMMA: scalable universal matrix multiplication
///                algorithm", 1997)
///     hybrid     the same, and the OpenMP team of each rank shares every local product
///
/// Cost, on p = R x C x L ranks: 2 m n k operations in all; each rank receives m k / (R L) (1 - 1/C) words of A and
/// n k / (C L) (1 - 1/R) words of B, in one broadcast of each per panel, and m n / (R C) (1 - 1/L) words of C, in one
/// message from each other layer. It needs two panels of each beside what it owns, and with layers its summand of C and
/// two messages of it. Which R, C and L: grid_plan.hpp; for threads, shared_pieces.hpp.
/// In one process nothing is sent. All tiles go through the local kernel (kernels/local_product), one thread each.
///
/// Exactly, uneven blocks included: let rank (r, c, l) own k_c columns of A and k'_r rows of B of the k_l that its
/// layer multiplies (shares of k_l over C and over R; k_l one of k over L), and let its summand of C have m_r rows and
/// n_c columns (shares of m over R and n over C), of which m_rl are its own in the end (share of m_r over L). It
/// receives
///
///     w ( m_r (k_l - k_c) + n_c (k_l - k'_r) + (L - 1) m_rl n_c ) bytes, w = 8 or 4 a word,
///
/// in one message for each panel of A outside its columns, unless m_r = 0, one for each panel of B outside its rows,
/// unless n_c = 0, and one from each other layer, unless m_rl n_c = 0, as long as none has more than 2^31 - 1 words.
/// The root of a broadcast sends its panel once: w ( m_r k_c [C > 1] + n_c k'_r [R > 1] + (m_r - m_rl) n_c ) bytes
/// leave the rank. Tests hold the program to it.
///
/// The answer is within gamma_k |A| |B| of the exact product, entry by entry, whatever the division (Higham: "Accuracy
/// and stability of numerical algorithms", 2002, section 3.5), and bitwise the same from run to run for the same
/// kernel, division and worker count: summands are added in a fixed order. NaN and infinities are carried as IEEE 754
/// says.

#include <type_traits>

#include "kernels/core/execution.hpp"
#include "kernels/core/problem.hpp"
#include "kernels/core/view.hpp"
#include "kernels/data_decomposition/matmul/rank_grid.hpp"

namespace duet {

class TbbTeam;

/// An operand that the type of the result decides: a View may be given for it.
template <class Element>
using Operand = std::type_identity_t<MatrixView<const Element>>;

/// C = A B in one process, Element being double or float. Shapes must fit (a.columns == b.rows, c is a.rows x
/// b.columns), else std::invalid_argument; C must not overlap A or B and needs no value before. Tunables:
/// `local_kernel`, and for openmp and tbb `tile`, the rows and columns of a tile, and `layers`, which share k out (0:
/// chosen).
template <class Element>
void matmul_serial(Operand<Element> a, Operand<Element> b, MatrixView<Element> c, const Execution& execution);
template <class Element>
void matmul_openmp(Operand<Element> a, Operand<Element> b, MatrixView<Element> c, const Execution& execution);
template <class Element>
void matmul_tbb(Operand<Element> a, Operand<Element> b, MatrixView<Element> c, const Execution& execution);
/// The same with a team that is there already: the workers of a new one come 0.1 ms late, which is all of a product of
/// n = 200.
template <class Element>
void matmul_tbb(Operand<Element> a, Operand<Element> b, MatrixView<Element> c, const Execution& execution,
                TbbTeam& team);

/// What the calling rank owns of one product: its blocks, as `layout` divides them over `ranks`.
template <class Element>
struct OwnedBlocksOf {
  const RankGrid& ranks;
  const ProductLayout& layout;
  MatrixView<const Element> a;
  MatrixView<const Element> b;
  MatrixView<Element> c;
};
using OwnedBlocks = OwnedBlocksOf<double>;

/// C = A B over all ranks of mine.ranks, collective. Throws std::invalid_argument unless the blocks have the shapes of
/// the layout. Tunables: `local_kernel`; `panel`, the width of a panel (0: chosen); `strips`, the pieces of a local
/// product between which MPI makes progress.
template <class Element>
void matmul_mpi(const OwnedBlocksOf<Element>& mine, const Execution& execution);
/// The same with a team in each rank, and the tunable `tile` in place of `strips`. The thread that calls must be the
/// one that initialised MPI (MPI_THREAD_FUNNELED).
template <class Element>
void matmul_hybrid(const OwnedBlocksOf<Element>& mine, const Execution& execution);

/// The problem "matmul" and its five variants.
[[nodiscard]] Problem matmul_problem();

}  // namespace duet
