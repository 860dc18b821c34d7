#pragma once

/// Counts what MPI calls move (traffic.hpp) between two moments. The calls come through MPI's profiling interface: a
/// program that uses a TrafficMeter has the MPI functions of mpi_calls.cpp, which count where a meter runs, and hand on
/// to PMPI. The caller's code knows nothing of it.
///
/// Cost, measured under OpenMPI 4.1.4: a call outside a count pays one test of a pointer, 1.5 ns; inside, 20 ns for a
/// broadcast and 30 ns for an atomic operation (the size of the datatype, and a look-up of the communicator's or
/// window's ranks), and a few microseconds for the first call on a communicator or window. A product of n = 32 on 2
/// ranks takes 0.1 us of 15 us longer.
///
/// Covered is every function that mpi_calls.cpp defines. Receives are counted where their messages are sent, and what
/// one-sided calls do to a target where they are made: `total` brings it to the ranks concerned. Not covered:
/// persistent and neighbourhood operations, intercommunicators, MPI-IO. A test finds what kernels use of them.

#include <mpi.h>

#include <memory>
#include <vector>

#include "drivers/traffic/traffic.hpp"

namespace duet {

class Ledger;

/// The node of each rank of `all`, by who shares memory with whom: named by the lowest rank there. Collective.
[[nodiscard]] std::vector<int> nodes_by_memory(MPI_Comm all);

/// Only one thread of a process may call MPI while a meter runs (MPI_THREAD_FUNNELED or SERIALIZED), and only one meter
/// runs at a time.
class TrafficMeter {
 public:
  /// For calls on `all` and on whatever is made of its ranks; the caller keeps it while the meter lives. Collective.
  explicit TrafficMeter(MPI_Comm all) : TrafficMeter{all, nodes_by_memory(all)} {}
  /// The same, with the node of each rank told: any numbers, equal for ranks on one node. Throws std::invalid_argument
  /// unless there is one for each rank.
  TrafficMeter(MPI_Comm all, std::vector<int> node_of_rank);
  ~TrafficMeter();
  TrafficMeter(const TrafficMeter&) = delete;
  TrafficMeter& operator=(const TrafficMeter&) = delete;

  /// Forgets what was counted.
  void clear();

  /// This rank's calls count while it lives.
  class Running {
   public:
    explicit Running(TrafficMeter& meter);
    ~Running();
    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;
  };

  /// What this rank moved since the last `clear`, by its own calls and by those of others. Collective over `all`, when
  /// all ranks have stopped counting.
  [[nodiscard]] RankTraffic total() const;

 private:
  std::unique_ptr<Ledger> ledger_;
};

/// The totals of all ranks as one record, on rank 0 of `all`; collective.
[[nodiscard]] Traffic over_all(MPI_Comm all, const RankTraffic& mine);

}  // namespace duet
