#pragma once

/// The message-passing kernels on machines that are described and not there: thousands of ranks on a fat tree, in one
/// process on two cores.
///
/// How it works. `duet_simulated` is made of the sources of the kernels, unchanged, compiled against SMPI, the MPI of
/// SimGrid (Degomme, Legrand, Markomanolis, Quinson, Stillwell, Suter: "Simulating MPI applications: the SMPI
/// approach", IEEE TPDS 28(8), 2017). Every rank is a thread of control of one process; communicators, panels,
/// broadcasts, one-sided counters and overlap are the kernels' own code, and SimGrid says how long each message takes
/// on the described links, sharing them among all that travels. What a kernel *computes* is not done but charged, at
/// the rates that `jobs/simulate.sh --calibrate` measured on this machine (rates.hpp). For that, some calls of the
/// kernels end elsewhere; the linker (--wrap) sees to it, and the kernels know nothing of it:
///
///     what the kernel calls        what happens instead                                     file
///     local_kernel(...).multiply   2 m n k flop are charged, at the rate of the shape       substitutes.cpp
///     fibonacci, FibonacciModulo   the cost of the items is charged                         substitutes.cpp
///     fib_batch_plan               it plans, and the time for planning is charged           substitutes.cpp
///     operator new, for a Matrix   large matrices of all ranks are one block of memory      folded_memory.cpp
///     MPI_Ibcast, and its waiting  a binomial tree, where SMPI sends from the root to all,  broadcast_tree.cpp
///                                  and copies by the receiver's core inside a node
///     windows and atomics          a round trip, where SMPI locks the target for all of it  one_sided.cpp
///
/// The blocks of A, B and C, which a kernel only reads from and writes to, are views of one row with stride 0
/// (modelled.cpp): a product of order 65536 on 1024 ranks takes the memory of its communicators, not 96 GiB.
///
/// With `--compute` everything is charged the same and computed besides, in memory of its own, placed and verified by
/// the problem's own code. Simulated times are then the same, but for the rounding of a clock that has run for longer;
/// tests hold that. So where a large simulation is not computed, its communication is nonetheless that of a kernel
/// whose answers were judged.
///
/// What is charged. A core of speed 1 Gf in the platform computes as a core of the machine that was measured does; 2 Gf
/// is twice as fast. Gathering a panel into its buffer is charged to the root of its broadcast. Where two ranks share
/// memory the receiver's core copies the message and computes nothing meanwhile (broadcast_tree.cpp). All other time is
/// the network's. SMPI's corrections for TCP on gigabit Ethernet are switched off:
/// a link has the latency and bandwidth that its description says.
///
/// What is not modelled, and which way that errs:
///   - Between nodes whole messages move while ranks compute, as a network card that reads and writes memory by itself
///     moves them; only what a tree passes on waits until the rank is inside MPI. OpenMPI over TCP moves nothing
///     before. Too short where little can be hidden.
///   - Caches, memory bandwidth and clocks that ranks of a node share, beyond what two busy cores showed when they were
///     measured. Too short for many ranks a node.
///   - Noise of the operating system, and time-slicing. Too short for many ranks.
///   - An MPI library's choice of algorithms: a broadcast is a tree at every size, other collectives are SimGrid's own.
///   - An atomic operation costs a round trip, and nothing at its target.
/// So a simulated time says how cost grows with ranks on a described network, and how two networks or two settings
/// compare; it is no measurement, is marked with its platform wherever it is kept, and never enters a verdict.
///
/// SMPI is deterministic: the same question, platform and rates give the same seconds to the last bit.

#include <mpi.h>

#include <cstdint>
#include <string>
#include <vector>

#include "drivers/simulate/rates.hpp"

namespace duet {

/// What one simulated rank did in the part that is timed.
struct RankRecord {
  double useful_seconds = 0;  ///< charged
  std::int64_t messages = 0;  ///< sent, in broadcasts or one to one, and one-sided operations started
  std::int64_t bytes = 0;     ///< in them
  double seconds = 0;         ///< that the timed part took it
  std::string host{};         ///< where it is
};

/// What the substitutes need to know. There is one in the process, for all ranks: the linker gives the substitutes the
/// arguments of what they replace, and no others. Ranks run one at a time, so nothing is locked.
class Simulation {
 public:
  /// Of this process.
  [[nodiscard]] static Simulation& here();

  /// Every rank says the same before it starts MPI.
  void set_up(const Rates& rates, bool computing);

  [[nodiscard]] const Rates& rates() const { return rates_; }
  /// Whether answers are computed besides.
  [[nodiscard]] bool computing() const { return computing_; }
  /// Of the rank that calls.
  [[nodiscard]] RankRecord& record();
  /// Of all ranks. One rank reads what others wrote: no message is needed, and gathering from 1024 ranks would take the
  /// simulator longer than many a kernel.
  [[nodiscard]] const std::vector<RankRecord>& records() const { return records_; }
  /// Lets the rank that calls compute for so long on a core of speed 1 Gf.
  void charge(double seconds);
  /// The same for what the kernels book as nothing useful.
  void spend(double seconds);

  /// Says where the rank that calls is; collective, before the others ask.
  void settle();
  /// Whether the rank that calls has its memory on the same node as rank `other` of `ranks`: on the same host, or on
  /// hosts whose property "memory" has the same value, which is how a platform describes cores of one node.
  [[nodiscard]] bool shares_memory(MPI_Comm ranks, int other) const;

 private:
  Rates rates_;
  bool computing_ = false;
  std::vector<std::string> memories_;  ///< of the ranks of MPI_COMM_WORLD
  bool any_shared_ = false;            ///< whether two of them are the same
  std::vector<RankRecord> records_;
};

}  // namespace duet
