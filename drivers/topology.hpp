#pragma once

#include <hwloc.h>

#include <memory>

namespace duet {

struct DestroyTopology {
  void operator()(hwloc_topology* topology) const { hwloc_topology_destroy(topology); }
};
using Topology = std::unique_ptr<hwloc_topology, DestroyTopology>;

/// What hwloc finds on this machine. Throws std::runtime_error where it finds nothing.
[[nodiscard]] Topology loaded_topology();

}  // namespace duet
