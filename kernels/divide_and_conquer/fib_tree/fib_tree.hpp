#pragma once

/// fib_tree: the recursion F(n) = F(n-1) + F(n-2) run as a tree of tasks. The answer could be had in nanoseconds; what
/// the problem asks is what a spawn, a steal and a message cost, and how large a task must be for them not to matter.
///
///                    5                  cut-off 2: the calls of index 2 and less are leaves (*), run by the plain
///                  /   \                recursion; a call above them spawns its first child as a task and runs the
///                4       3              second one itself:
///               / \     / \                 F(5 - 2 + 2) = 5 tasks, the root among them
///              3   2*  2*  1*               2 F(6) - 1 = 15 calls, those below the leaves included
///             / \                       cut-off 1: every call is a leaf or spawns; F(n+1) tasks.
///            2*  1*
///
/// The tree, its leaves and the recursion below them (`plain_fibonacci`, one function) are the same in every model, and
/// so is what is counted: each model returns F(n), the calls and the tasks as they came about, and a verifier holds all
/// three to closed formulas. The models differ in how a task finds its worker:
///
///     serial     the plain recursion; one task
///     openmp     each call above the cut-off makes an `omp task`
///     tbb        each of them spawns into a task_group
///     mpi        no spawns: the tasks are numbered from left to right, and ranks take them by number (`distribution`):
///                static     an equal share of consecutive ones each; no message
///                counter    the next one, from a counter of rank 0: an MPI_Fetch_and_op each
///                stealing   shares, of which an idle rank takes the upper half: MPI_Compare_and_swap on a word of each
///     hybrid     ranks take subtrees of more calls in the same way, and the OpenMP team of a rank runs each of them as
///                openmp does, down to the cut-off
///
/// Threads put results together in one of two ways (`join`). `call` is fork and join: every call waits for what it has
/// spawned and adds the two. `end` makes use of F(n) being a plain sum over all leaves: a worker adds up what its own
/// leaves give, nobody waits before the end, and a task costs a third to a half.
///
/// Dividing by number is right because the tasks are disjoint and together are all leaves, F(n) is the sum of what they
/// find, and the inner calls are as many as the tasks but one: whoever runs task k > 0 counts the call at which the
/// paths to task k - 1 and to task k part. An equal share of many tasks is met by the recursion; a single task, which
/// took a message, by its number.
///
/// Costs: 2 F(n+1) - 1 calls of 1.4 ns; for each task, on one thread of an AMD Zen 4 guest and beside its calls, 8 ns
/// in openmp and 25 in tbb for `end`, 39 and 46 for `call`, 50 ns in mpi for `counter`. Message passing: a barrier and
/// a sum of 24 bytes, and beside them under `counter` one atomic operation for each task and one for each rank, which
/// finds none left.
///
/// Errors: std::invalid_argument for n outside [0, 93] (F(94) needs 65 bits), for a tree of more than twelve
/// hours (`require_feasible`), and for a distribution that does not exist; MpiError.
///
/// Sources: Blumofe and Leiserson, "Scheduling multithreaded computations by work stealing", 1999; Slaughter et al.,
/// "Task Bench: a parameterized benchmark for evaluating parallel runtime performance", 2020 (METG).

#include "kernels/core/execution.hpp"
#include "kernels/core/problem.hpp"
#include "kernels/divide_and_conquer/fib_tree/tree.hpp"
#include "kernels/mapping/schedule/rank_words.hpp"

namespace duet {

class TbbTeam;

/// The algorithms. Tunables: `cutoff`, the largest index that is run as one task; 0, the preset, is 1 here: it is the
/// problem that calibrates (`cutoff.hpp`). For mpi and hybrid also `distribution`.
///
///     duet::fib_tree_openmp(40, {.threads = 8}).value
[[nodiscard]] TreeCount fib_tree_serial(std::int64_t n, const Execution& execution);
[[nodiscard]] TreeCount fib_tree_openmp(std::int64_t n, const Execution& execution);
[[nodiscard]] TreeCount fib_tree_tbb(std::int64_t n, const Execution& execution);
/// The same with a team that is there already: the workers of a new one come 0.1 ms late and more.
[[nodiscard]] TreeCount fib_tree_tbb(std::int64_t n, const Execution& execution, TbbTeam& team);
/// Collective over execution.communicator, over which `words` was made too; the answer is on every rank.
[[nodiscard]] TreeCount fib_tree_mpi(std::int64_t n, RankWords& words, const Execution& execution);
[[nodiscard]] TreeCount fib_tree_hybrid(std::int64_t n, RankWords& words, const Execution& execution);

/// The problem "fib_tree" and its five variants.
[[nodiscard]] Problem fib_tree_problem();

}  // namespace duet
