#pragma once

/// matrix_batch: C_i = A_i B_i for many independent products of very uneven size, mapped to workers.
///
/// Input: shapes (`MatrixBatch`), and operands that a process holds. Output: each C_i, or each block of it, where it
/// was computed; nothing is gathered. Any count and any extents, also 0, and less items than there are workers.
///
/// Every task of a division (`division.hpp`) is one local call: a run of equal small products, one product, or a block
/// of rows or columns of one that is too large for one worker's fair share. Tasks tile all C_i, and each is dealt to
/// exactly one worker (kernels/mapping/schedule/deal.hpp). An entry is the sum over k that the local kernel makes of
/// its row and its column, whatever the task: with the kernel `duet` all models, schedules and worker counts give the
/// same bits.
///
/// One tunable, `schedule`, says how tasks meet workers. What the models differ in is where operands are:
///
///     openmp, tbb     in memory that all workers reach. longest_first: tasks sorted by estimated cost, giants divided,
///                     dealt from a counter. All seven schedules.
///     mpi, hybrid,    bound: a task is assigned before the clock starts, by arithmetic (block, cyclic) or by Graham's
///     block, cyclic,  and McNaughton's rules on estimated costs (longest_first), and its rank holds its operands. Of
///     longest_first   a divided item, whose parts all need the one operand that is not cut, every rank that has a part
///                     holds an equal slice of rows of that operand and sends it to the others, while the small tasks
///                     are computed. Nothing else is sent.
///     mpi, hybrid,    every rank holds the operands of an equal share of the pieces, in a window. Who takes a piece
///     dynamic,        whose operands another rank holds gets them from there (MPI_Get: A and B of a piece in one go).
///     guided,         Nothing is divided. The price of balancing that knows no costs is that operands move: about
///     stealing        (p-1)/p of them under dynamic and guided, those of stolen pieces under stealing.
///
/// There is no spawn_each under message passing, where a worker is a process. serial has no schedule.
///
/// Exactly, for bound schedules: an item that is cut by rows (columns) into parts on P > 1 ranks has B, k x n (A, m x
/// k) in slices of rows, shares of the rows over these ranks in their order. Each of them receives what the others
/// hold, and sends its own slice P - 1 times:
///
///     received  e (rows - mine) columns bytes in one message for each other slice that is not empty,
///     sent      e mine columns (P - 1) bytes in P - 1 messages, none where its slice is empty,
///
/// with e bytes a word, as long as no slice has more than 2^31 - 1 words. Otherwise: a barrier; for a piece that was
/// got, in one message, e times the words of A and B of its products, each operand filled up to whole cache lines; and
/// what dealing takes (deal.hpp). Tests hold the program to both.
///
/// Cost: 2 m n k operations an item. Memory: A, B and C once, in whole cache lines; a rank with a part of an item holds
/// all of the operand that is not cut; operands and results of pieces that moved are held by both.
///
/// Errors: std::invalid_argument for shapes that do not fit, a schedule that the model does not have, a negative grain;
/// MpiError.
///
/// Sources: R. Graham, "Bounds on multiprocessing timing anomalies", 1969; R. McNaughton, "Scheduling with deadlines
/// and loss functions", 1959; A. Heinecke, G. Henry, M. Hutchinson, H. Pabst, "LIBXSMM: accelerating small matrix
/// multiplications by runtime code generation", SC16, for why small products need code of their own.

#include <span>

#include "kernels/core/execution.hpp"
#include "kernels/core/problem.hpp"
#include "kernels/local_product/small_product.hpp"
#include "kernels/mapping/matrix_batch/rank_batch.hpp"
#include "kernels/mapping/matrix_batch/shared_batch.hpp"

namespace duet {

class TbbTeam;

/// C_i = A_i B_i for every product of every run, in one process. No C may overlap any other operand. Tunables:
/// schedule, grain, split and local_kernel. For double and float.
template <class Element>
void matrix_batch_serial(std::span<const ProductRun<Element>> runs, const Execution& execution);
template <class Element>
void matrix_batch_openmp(std::span<const ProductRun<Element>> runs, const Execution& execution);
template <class Element>
void matrix_batch_tbb(std::span<const ProductRun<Element>> runs, const Execution& execution);

/// The same for a batch that was divided before, as often as wanted. The division was made for `execution`.
template <class Element>
void matrix_batch_serial(const DividedRuns<Element>& tasks, const Execution& execution);
template <class Element>
void matrix_batch_openmp(const DividedRuns<Element>& tasks, const Execution& execution);
template <class Element>
void matrix_batch_tbb(const DividedRuns<Element>& tasks, const Execution& execution, TbbTeam& team);

/// The same over all ranks that `batch` was made on; collective. What each rank computed stays in its `batch`. Tunable:
/// local_kernel. The thread that calls must be the one that initialised MPI (MPI_THREAD_FUNNELED).
template <class Element>
void matrix_batch_mpi(RankBatch<Element>& batch, const Execution& execution);
template <class Element>
void matrix_batch_hybrid(RankBatch<Element>& batch, const Execution& execution);

/// The problem "matrix_batch" and its five variants. Size: count. Parameters: spread, largest, precision.
[[nodiscard]] Problem matrix_batch_problem();

}  // namespace duet
