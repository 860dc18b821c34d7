#pragma once

/// fib_batch: F(n_i) for many inputs, exactly or modulo m: independent items of very uneven cost, mapped to workers.
///
/// Input: a list n_0, n_1, ... that every worker can read (`FibInputs`). Output: each answer on the shelf of the worker
/// that found it, with its index (`Answers`); nothing is gathered, so that a rank holds only what it computed. Any
/// count, also 0 and less than there are workers.
///
/// Every item is answered exactly once, since a plan (`plan.hpp`) cuts the items into disjoint pieces, and the only way
/// to a piece is one that hands it out once: its number modulo the workers, an atomic counter, or an atomic
/// compare-and-swap on the word that holds it. Items do not depend on each other, so that any order is right.
///
/// One tunable, `schedule`, says how pieces meet workers; what the models differ in, and what it costs, stands in
/// kernels/mapping/schedule/deal.hpp. Under longest_first the threads of a process compute a number together that takes
/// longer than a worker's share of the rest; ranks do not. serial has no schedule: one worker meets all items. Exact
/// answers: about 3 M(size) each, for M the cost of a product; residues: `fibonacci_residue.hpp`.
///
/// Errors: std::invalid_argument for a schedule that the model does not have, a negative grain, and answers with
/// another number of shelves than threads; std::length_error for an exact n above largest_fibonacci_index; MpiError.
///
/// Sources: Graham, "Bounds on multiprocessing timing anomalies", 1969; Polychronopoulos and Kuck, "Guided
/// self-scheduling", 1987; Blumofe and Leiserson, "Scheduling multithreaded computations by work stealing", 1999.

#include <string>

#include "kernels/core/execution.hpp"
#include "kernels/core/problem.hpp"
#include "kernels/core/vocabulary.hpp"
#include "kernels/mapping/fib_batch/answers.hpp"
#include "kernels/mapping/fib_batch/inputs.hpp"
#include "kernels/mapping/schedule/rank_words.hpp"

namespace duet {

class TbbTeam;

/// The algorithms. `answers` has as many shelves as execution.threads, and the answers are added to what it holds.
/// Tunables: schedule and grain.
void fib_batch_serial(const FibBatch& batch, Answers& answers, const Execution& execution);
void fib_batch_openmp(const FibBatch& batch, Answers& answers, const Execution& execution);
void fib_batch_tbb(const FibBatch& batch, Answers& answers, const Execution& execution);
/// The same with a team that is there already: the workers of a new one come 0.1 ms late and more.
void fib_batch_tbb(const FibBatch& batch, Answers& answers, const Execution& execution, TbbTeam& team);
/// Collective over execution.communicator, over which `words` was made too. A caller with many batches makes the words
/// once: a window takes 50 us.
void fib_batch_mpi(const FibBatch& batch, Answers& answers, RankWords& words, const Execution& execution);
void fib_batch_hybrid(const FibBatch& batch, Answers& answers, RankWords& words, const Execution& execution);

/// The answers to `batch` by any model, each on the rank and worker that found it. Collective over
/// execution.communicator where the model passes messages.
[[nodiscard]] Answers fib_batch(const FibBatch& batch, Model model, const Execution& execution);

/// The bytes that the answers of all ranks take together, and those that all processes of one node need at the most.
[[nodiscard]] double fib_batch_answer_bytes(const FibBatch& batch);
[[nodiscard]] double fib_batch_memory(const FibBatch& batch, Model model, int ranks, int threads);

/// Doubling steps, the bits of all n_i: what is counted as work in every model.
[[nodiscard]] double fib_batch_steps(const FibBatch& batch);

/// Judges `answers` to `batch` by other mathematics than the kernels'. Every item must be answered exactly once, over
/// all ranks. An exact answer must agree with F(n) modulo two random primes of 60 to 62 bits by Lucas' V chain, and its
/// logarithm with n log2(phi) - log2(5)/2. A residue must agree with doubling on neighbours by plain division.
/// Collective over execution.communicator; uses execution.threads threads that it makes and ends;
/// the verdict is the same on every rank and names the first wrong item. `seed` draws the primes.
[[nodiscard]] Judgement judge_fib_batch(const FibBatch& batch, const Answers& answers, std::uint64_t seed,
                                        const Execution& execution);

/// A hash of all answers with their indices, the same however they are distributed: equal batches have equal digests in
/// every model. Collective over `communicator`.
[[nodiscard]] std::string digest_of_fib_batch(const FibBatch& batch, const Answers& answers, MPI_Comm communicator);

/// The problem as the harness sees it. Size: count. Parameters: largest, modulus, inputs.
[[nodiscard]] Problem fib_batch_problem();

}  // namespace duet
