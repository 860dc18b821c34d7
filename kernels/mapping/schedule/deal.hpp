#pragma once

/// Deals the pieces of a plan to the workers of one model: each piece to exactly one worker, since the only way to a
/// piece hands it out once: its number modulo the workers, an atomic counter, or an atomic compare-and-swap on the word
/// that holds it. What a problem does with its pieces comes from the caller.
///
///     schedule        openmp                   tbb                        mpi, and between the ranks of hybrid
///     block, cyclic   for schedule(static, 1)  static_partitioner         arithmetic on the rank; no message
///     dynamic         for schedule(dynamic, 1) atomic counter             MPI_Fetch_and_op on a counter of rank 0
///     guided          for schedule(guided, 1)  atomic counter of chunks   the same, on a counter of chunks
///     longest_first   dynamic, items sorted    dynamic, items sorted      dynamic, items sorted by every rank
///     stealing        compare-and-swap         parallel_for               MPI_Compare_and_swap on a word of each rank
///     spawn_each      a std::thread each       a std::thread each         (none)
///
/// spawn_each is the literal policy: a new thread for each piece, at most `threads` alive at a time. There is none
/// under mpi and hybrid, where a worker is a process: starting one takes 0.3 s. In hybrid, the ranks deal with each
/// other as in mpi, and the team of a rank shares what the rank has taken. A share that TBB was to give a worker that
/// does not come (more threads than TBB grants) is done by another.
///
/// Costs, for P pieces and p workers: dynamic, guided and longest_first: one atomic operation a piece or chunk on one
/// counter; stealing: one a piece on the worker's own word, O(p log P) steals in a quiet run; nothing else is
/// communicated. Message passing waits once, in a barrier at the start.
///
/// What `act` throws comes back to the caller, the first of several, when the workers have stopped; under message
/// passing that ends the job.

#include <functional>

#include "kernels/core/execution.hpp"
#include "kernels/mapping/schedule/plan.hpp"
#include "kernels/mapping/schedule/rank_words.hpp"

namespace duet {

class TbbTeam;

/// Does the work of consecutive pieces, never none, as worker `worker` of this process, 0 to threads - 1. For any
/// number of workers at once.
using PieceAct = std::function<void(Range pieces, int worker)>;

void deal_openmp(const Plan& plan, Schedule schedule, const PieceAct& act, const Execution& execution);
void deal_tbb(const Plan& plan, Schedule schedule, const PieceAct& act, const Execution& execution, TbbTeam& team);

/// What ranks do with pieces.
struct RankActs {
  PieceAct act;
  /// Brings what the pieces need from other ranks. Called by the thread that called, the only one that may call MPI,
  /// once for each piece before it is acted on. Null where nothing is needed.
  std::function<void(Range pieces)> bring{};
  /// Estimated cost of a piece; for hybrid alone.
  std::function<double(std::int64_t piece)> nanoseconds{};
};

/// Collective over the communicator of `words`.
void deal_mpi(const Plan& plan, Schedule schedule, const RankActs& acts, RankWords& words, const Execution& execution);
void deal_hybrid(const Plan& plan, Schedule schedule, const RankActs& acts, RankWords& words,
                 const Execution& execution);

}  // namespace duet
