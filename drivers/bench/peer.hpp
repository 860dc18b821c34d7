#pragma once

/// What a peer does in its own process: the same question as the variant it is compared with, timed and judged the same
/// way, and told in the same record.

#include <functional>
#include <map>
#include <string>

#include "drivers/study/trials.hpp"
#include "kernels/core/problem.hpp"

namespace duet {

/// A peer as its process is asked to run it.
struct PeerOptions {
  std::string name;  ///< "openblas-pthread", "gmp-loop", ...
  std::string size;
  std::map<std::string, std::string> parameters;  ///< of the question; `largest` among them for matrix_batch
  int threads = 1;
  int repeat = 1;    ///< trials that count, after one to warm up
  std::string json;  ///< the file that trials are appended to
};

/// Runs the peer called `options.name` and appends its trials. Gives the exit status. Throws std::invalid_argument for
/// a name that is unknown, std::runtime_error where its library cannot be had.
int run_peer(const PeerOptions& options);

/// What a trial of a peer says before it runs: the question, its work, and so many ranks where the model passes
/// messages, else threads.
[[nodiscard]] Trial trial_of(const Problem& problem, const Instance& instance, Model model, int workers);

/// act(k) on `count` threads at once, each on a core of its own where there are `cores` for them. Rethrows an
/// exception.
void side_by_side(int count, int cores, const std::function<void(int)>& act);

/// The time that `execute` takes, `repeat` times after one to warm up, each judged by `judge`. `trial` holds what is
/// said of every trial; `share` is the part of the time that counts.
void time_and_judge(const PeerOptions& options, Trial trial, const std::function<void()>& reset,
                    const std::function<void()>& execute, const std::function<Judgement()>& judge, double share = 1);

/// A dgemm of a threaded BLAS of the system: "openblas-pthread", "openblas-openmp" or "blis-openmp". Code path and
/// threads are what the environment of this process says: a library reads it when it is loaded.
void run_blas_peer(const PeerOptions& options);

/// A dpotrf of a threaded LAPACK of the system: "dpotrf-openblas-pthread", "dpotrf-openblas-openmp", as run_blas_peer.
void run_dpotrf_peer(const PeerOptions& options);

/// ScaLAPACK's pdpotrf on the ranks that this process was started with: "pdpotrf-R-B" on a grid of R rows with blocks
/// of B rows, a multiple of 24. The BLAS below it is what LD_LIBRARY_PATH says.
void run_pdpotrf_peer(const PeerOptions& options);

/// ScaLAPACK's pdgemm, the same: "pdgemm-R-B", where R and the other side of the grid times B divide every extent.
void run_pdgemm_peer(const PeerOptions& options);

/// The loop over GMP's mpz_fib_ui that one would write: "gmp-loop" on one thread, "gmp-openmp" with
/// `schedule(dynamic)`.
void run_gmp_peer(const PeerOptions& options);

/// One exact number at a time, "number-QUESTION-WHO", where WHO is gmp, which has one thread, or serial, openmp or tbb
/// for the library's own calls:
///
///     number-fib-gmp       mpz_fib_ui of the size
///     number-text-WHO      the decimal digits of F(n), from nothing to the text
///     number-product-WHO   a product of two random numbers with as many bits as the size says
///     number-square-WHO    a square of one
void run_number_peer(const PeerOptions& options);

/// F(n) mod m by doubling, input by input on one thread: "doubling-remainder" with a 128-bit remainder for each
/// product, "doubling-montgomery" without.
void run_modulo_peer(const PeerOptions& options);

/// A call of OpenBLAS on one thread for each product of a batch, in a loop over all threads: "batch-blas-static" and
/// "batch-blas-dynamic"; and "batch-ideal", the batch at the rates of its products, divided evenly by nothing.
void run_batch_peer(const PeerOptions& options);

/// What fib_tree is compared with. "tree-ideal": the plain recursion, divided evenly by nothing. Loops over what a
/// runtime offers, as often as the tree without a cut-off has tasks, in equal shares on all threads:
///
///     tree-spawn-openmp, tree-spawn-tbb    spawns an empty task; waits at the end, TBB once in 1000 spawns
///     tree-join-openmp, tree-join-tbb      spawns an empty task and waits for it
///     tree-steal-openmp, tree-steal-tbb    spawns a task that the other one of two threads has to take, and looks on
void run_tree_peer(const PeerOptions& options);

/// The same for the ranks that this process was started with: "tree-message-mpi", an atomic addition to a word of rank
/// 0, by all ranks in turn until they have as many numbers; "tree-steal-mpi", by every rank but 0 a word of rank 0 read
/// and swapped and one of its own written.
void run_tree_rank_peer(const PeerOptions& options);

/// The library's product called in a plain loop, with no harness around it: "call-serial", "call-openmp". What the
/// harness costs is what a variant needs more.
void run_library_peer(const PeerOptions& options);

/// The streaming triad on all threads: "triad". Its time is what the sweeps of the stencil would take at its bandwidth,
/// if each moved 16 bytes a point.
void run_triad_peer(const PeerOptions& options);

/// What matrix_stream is compared with:
///
///     stream-apart             serial streams side by side, one a worker, which share nothing
///     stream-disk-R-W          the same files read by R threads and as many written by W, and nothing else
///     stream-hash-R            the same files read by R threads, which hash what they have read, as the stream does
///     stream-lbzip2            lbzip2 on all blocks as one file
///     stream-python-KIND       Python's bz2 in a pool of its standard library: processes or threads
void run_stream_peer(const PeerOptions& options);

/// Appends one trial to the file `path`. Throws std::runtime_error where it cannot.
void append_trial(const std::string& path, const Trial& trial);

/// Fused multiply-adds in registers on all threads at once: "fma-peak".
void run_peak_peer(const PeerOptions& options);

}  // namespace duet
