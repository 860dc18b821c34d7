#pragma once

/// What starts the processes of a cell: nothing or mpirun on this machine, mpirun over a list of hosts, srun inside a
/// SLURM allocation. A launcher is plain data and gives the words that stand before the program's own; nothing here
/// starts anything.

#include <string>
#include <vector>

#include "drivers/study/hosts.hpp"

namespace duet {

/// A program, looked up in PATH where it has no slash, and its arguments.
using Command = std::vector<std::string>;

struct Launcher {
  enum class Kind {
    local,  ///< this machine: one process directly, ranks through mpirun
    hosts,  ///< mpirun over `hosts`; one process through it too, so that every model runs on the same first host
    srun,   ///< steps of an allocation; one process too
  };
  Kind kind = Kind::local;
  Command words{"mpirun"};  ///< the program that starts ranks, and the flags that every launch has
  int cores_per_node = 1;   ///< more workers than these on a node is oversubscription
  int nodes = 1;
  std::vector<Host> hosts{};  ///< of kind hosts, one a node, in the order in which they are taken
};

/// What is to be started: `ranks` processes in all, in equal parts (as `share_of` divides) on the first `nodes` nodes,
/// of `threads` threads each.
struct Processes {
  int nodes = 1;
  int ranks = 1;
  int threads = 1;
  bool passes_messages = false;
};

/// What stands before the program; nothing for one process on this machine. Pure.
[[nodiscard]] Command starting(const Launcher& launcher, const Processes& processes);

/// The mpirun of the MPI that duet was built with.
[[nodiscard]] std::string default_mpirun();

/// The flags of OpenMPI's mpirun that a launch has, each for a reason:
///
///     --bind-to none                       duet binds its workers itself; mpirun would put two threads on one core
///     --map-by slot                        over several hosts: one host is filled before the next
///     --mca osc sm,pt2pt                   the default for one-sided calls, rdma, ends them with SIGSEGV (4.1.4)
///     --mca pml ob1                        on one node: what is chosen anyway, without 0.2 s of probing for networks
///     --mca odls_base_sigkill_timeout 0    the ranks beside one that failed end a second sooner
///     --allow-run-as-root                  for root only, who is refused otherwise
///
/// A parameter that the caller's environment sets (OMPI_MCA_pml=ucx) is left to it; `environment` are its variables,
/// "name=value" each. Pure.
[[nodiscard]] Command mpirun_words(const std::string& mpirun, int nodes, bool root,
                                   const std::vector<std::string>& environment);

/// srun's: --mpi=pmix, no binding, the step ends with its first rank that fails, and it may share the allocation with
/// the step that duet itself runs in.
[[nodiscard]] Command srun_words();

}  // namespace duet
