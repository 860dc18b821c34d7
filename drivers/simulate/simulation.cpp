#include "drivers/simulate/simulation.hpp"

#include <mpi.h>
#include <simgrid/host.h>
#include <smpi/smpi.h>

#include <algorithm>
#include <set>

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
  record().useful_seconds += seconds;
  spend(seconds);
}

void Simulation::spend(double seconds) {
  constexpr double unit_speed = 1e9;
  if (seconds > 0) smpi_execute_flops(seconds * unit_speed);
}

void Simulation::settle() {
  const sg_host_t host = sg_host_self();
  const char* const memory = sg_host_get_property_value(host, "memory");
  memories_.resize(static_cast<std::size_t>(size_of(MPI_COMM_WORLD)));
  memories_[static_cast<std::size_t>(rank_in(MPI_COMM_WORLD))] =
      memory == nullptr ? std::string{"host "} + sg_host_get_name(host) : std::string{"memory "} + memory;
  check(MPI_Barrier(MPI_COMM_WORLD));
  const std::set<std::string> different{memories_.begin(), memories_.end()};
  any_shared_ = different.size() < memories_.size();
  check(MPI_Barrier(MPI_COMM_WORLD));
}

bool Simulation::shares_memory(MPI_Comm ranks, int other) const {
  if (!any_shared_) return false;
  MPI_Group group = MPI_GROUP_NULL;
  MPI_Group world = MPI_GROUP_NULL;
  check(MPI_Comm_group(ranks, &group));
  check(MPI_Comm_group(MPI_COMM_WORLD, &world));
  int rank = 0;
  check(MPI_Group_translate_ranks(group, 1, &other, world, &rank));
  check(MPI_Group_free(&group));
  check(MPI_Group_free(&world));
  return memories_[static_cast<std::size_t>(rank)] == memories_[static_cast<std::size_t>(rank_in(MPI_COMM_WORLD))];
}

}  // namespace duet
