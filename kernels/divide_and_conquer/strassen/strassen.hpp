#pragma once

/// C = A B by Strassen-Winograd, in double or float, for dense matrices of any shape: A is m x k, B is k x n, C is
/// m x n, all row-major.
///
/// Divide and conquer: a product of twice the extents is seven products and 15 additions of quadrants (winograd.hpp),
/// so with L levels 2 m n k (7/8)^L operations are left for the local kernel, at the price of additions at the speed of
/// memory. Levels are worth it down to leaves that memory does not hold up, `leaf`; below two of them there is no
/// level, and the product is the one of "matmul". The models differ in who computes which product:
///
///     serial     one after another
///     openmp     one after another, each shared by all threads: strips of the additions, tiles of the leaf products
///                are tasks. Or, as `breadth` asks, seven products at a time as tasks, which takes 2.75 n^2 words and
///                more for what the other way does in 0.25 to 0.64 n^2
///     tbb        the same in a task_group
///     mpi        every rank has the same part of every quadrant of every level (plan.hpp), so that additions need no
///                communication, and only leaf products do, over all ranks; or seven products at a time by groups of
///                ranks, where memory allows it and fewer words travel
///     hybrid     the same, and the OpenMP team of each rank shares its part
///
/// In one process what is beyond a multiple of 2^L is peeled off each extent, and multiplied as it is: at most 2^L - 1
/// rows, columns and inner indices. Over ranks the layout is ours, and extents are rounded up with zeros. Measured on
/// one thread beside the next multiple of 8, which is what padding would compute: even just above a multiple (n = 1025,
/// 2049, 4097: 1.01 times its time), and 1.10 and 1.14 just below one (2047, 4093), where peeling goes with a level
/// less. But zeros need copies of all three matrices, 3 n^2 words, five times the workspace.
///
/// Workspace, all levels together, for square matrices: 0.25 n^2 words for one level, 0.5625 n^2 for two, 0.641 n^2 for
/// three. Ranks share these; each needs buffers for the panels of a leaf besides (`RankPlan::workspace`).
///
/// Words and messages: leaf products of m_l x n_l x k_l on a grid of R x C ranks move what rank_product.hpp says, 7^L
/// times; levels of breadth what breadth_product.hpp says. RankPlan::moved is exact, and tests hold the program to it.
///
/// Errors: |C - AB| <= strassen_error(k, L) u max|A| max|B| in each entry, beside the gamma_k |A||B| of any product.
/// That is a normwise bound, weaker than that of "matmul": an entry that is small beside the others may have no right
/// digit. What is not finite spreads: an infinity in A meets itself with opposite signs, and any entry of C may become
/// NaN. The entries that are not finite by IEEE 754 never become finite.
///
/// For the same plan (levels, order, number of ranks) and local kernel the answer is bitwise the same from run to run,
/// and with the kernel "duet" for any number of threads.
///
/// Sources: winograd.hpp and plan.hpp name them.

#include "kernels/core/execution.hpp"
#include "kernels/core/problem.hpp"
#include "kernels/core/view.hpp"
#include "kernels/divide_and_conquer/strassen/rank_team.hpp"
#include "kernels/local_product/packing_space.hpp"

namespace duet {

class TbbTeam;

/// C = A B in one process, for Element double or float. Shapes must fit, else std::invalid_argument; C must not overlap
/// A or B and needs no value before. `space` is where the workspace is taken from, and kept for the next call.
/// Tunables: `local_kernel`, `levels`, `leaf` (0: chosen); for openmp and tbb also `tile`, the rows and columns of a
/// tile (0: chosen), and `breadth`, how many levels from the top make tasks of their products.
///
///     duet::PackingSpace space;
///     duet::strassen_openmp<double>(a.view(), b.view(), c.view(), {.threads = 8}, space);
template <class Element>
void strassen_serial(MatrixView<const Element> a, MatrixView<const Element> b, MatrixView<Element> c,
                     const Execution& execution, PackingSpace& space);
template <class Element>
void strassen_openmp(MatrixView<const Element> a, MatrixView<const Element> b, MatrixView<Element> c,
                     const Execution& execution, PackingSpace& space);
template <class Element>
void strassen_tbb(MatrixView<const Element> a, MatrixView<const Element> b, MatrixView<Element> c,
                  const Execution& execution, PackingSpace& space);
/// The same with a team that is there already.
template <class Element>
void strassen_tbb(MatrixView<const Element> a, MatrixView<const Element> b, MatrixView<Element> c,
                  const Execution& execution, PackingSpace& space, TbbTeam& team);

/// What the calling rank has of one product, as ranks.plan() divides the padded matrices.
template <class Element>
struct StrassenParts {
  RankTeam& ranks;
  MatrixView<const Element> a;
  MatrixView<const Element> b;
  MatrixView<Element> c;
};

/// C = A B over all ranks of mine.ranks, collective. Throws std::invalid_argument unless the parts have the shapes of
/// the plan. Tunables: `local_kernel`; the plan says the rest.
template <class Element>
void strassen_mpi(const StrassenParts<Element>& mine, const Execution& execution);
/// The same with a team in each rank, and the tunable `tile`. The thread that calls must be the one that initialised
/// MPI (MPI_THREAD_FUNNELED).
template <class Element>
void strassen_hybrid(const StrassenParts<Element>& mine, const Execution& execution);

/// The problem "strassen" and its five variants.
[[nodiscard]] Problem strassen_problem();

}  // namespace duet
