#include "drivers/topology.hpp"

#include <stdexcept>

namespace duet {

Topology loaded_topology() {
  hwloc_topology_t raw = nullptr;
  if (hwloc_topology_init(&raw) != 0) throw std::runtime_error("hwloc cannot start");
  Topology topology{raw};
  if (hwloc_topology_load(raw) != 0) throw std::runtime_error("hwloc cannot read this machine's topology");
  return topology;
}

}  // namespace duet
