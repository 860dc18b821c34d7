#include "drivers/simulate/simulation.hpp"

#include <mpi.h>
#include <smpi/smpi.h>

#include "kernels/core/mpi.hpp"

namespace duet {

Simulation& Simulation::here() {
  static Simulation simulation;
  return simulation;
}

void Simulation::set_up(const Rates& rates, bool computing) {
  rates_ = rates;
  computing_ = computing;
}

RankRecord& Simulation::record() {
  const auto rank = static_cast<std::size_t>(rank_in(MPI_COMM_WORLD));
  if (rank >= records_.size()) records_.resize(static_cast<std::size_t>(size_of(MPI_COMM_WORLD)));
  return records_[rank];
}

void Simulation::charge(double seconds) {
  constexpr double unit_speed = 1e9;
  record().useful_seconds += seconds;
  smpi_execute_flops(seconds * unit_speed);
}

}  // namespace duet
