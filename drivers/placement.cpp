#include "drivers/placement.hpp"

#include <fmt/format.h>
#include <hwloc.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <fstream>
#include <limits>
#include <memory>
#include <set>
#include <stdexcept>
#include <utility>

#include "drivers/topology.hpp"

namespace duet {
namespace {

/// Read once: it only says what the machine has, and hwloc's queries of a loaded topology may run in parallel.
hwloc_topology_t topology() {
  static const Topology loaded = loaded_topology();
  return loaded.get();
}

std::string host_name() {
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) != 0) return "?";
  return name.data();
}

/// How many processors' worth of time the control group grants, at the least one; infinity without a quota.
double processor_quota() {
  std::ifstream file{"/sys/fs/cgroup/cpu.max"};
  std::string quota;
  double period = 0;
  if (!(file >> quota >> period) || quota == "max" || period <= 0) return std::numeric_limits<double>::infinity();
  return std::max(1.0, std::stod(quota) / period);
}

}  // namespace

std::vector<int> processors_of_this_thread() {
  // cpu_set_t holds 1024 processors; hwloc grows its set as needed.
  hwloc_bitmap_t set = hwloc_bitmap_alloc();
  std::vector<int> processors;
  if (hwloc_get_cpubind(topology(), set, HWLOC_CPUBIND_THREAD) == 0) {
    for (int p = hwloc_bitmap_first(set); p >= 0; p = hwloc_bitmap_next(set, p)) processors.push_back(p);
  }
  hwloc_bitmap_free(set);
  return processors;
}

std::vector<UsableCore> all_cores() {
  std::vector<UsableCore> cores;
  const int count = hwloc_get_nbobjs_by_type(topology(), HWLOC_OBJ_CORE);
  for (int i = 0; i < count; ++i) {
    const hwloc_obj* const object = hwloc_get_obj_by_type(topology(), HWLOC_OBJ_CORE, static_cast<unsigned>(i));
    UsableCore core;
    core.core = static_cast<int>(object->logical_index);
    core.numa_node = std::max(0, hwloc_bitmap_first(object->nodeset));
    for (int p = hwloc_bitmap_first(object->cpuset); p >= 0; p = hwloc_bitmap_next(object->cpuset, p)) {
      core.processors.push_back(p);
    }
    cores.push_back(std::move(core));
  }
  if (cores.empty()) {  // A machine that hides its cores: each processor counts as one.
    for (const int p : processors_of_this_thread()) cores.push_back({p, 0, {p}});
  }
  return cores;
}

std::vector<UsableCore> restricted_to(const std::vector<UsableCore>& cores, const std::vector<int>& allowed) {
  std::vector<UsableCore> restricted;
  for (UsableCore core : cores) {
    std::erase_if(core.processors, [&](int p) { return std::ranges::find(allowed, p) == allowed.end(); });
    if (!core.processors.empty()) restricted.push_back(std::move(core));
  }
  return restricted;
}

std::vector<UsableCore> usable_cores() {
  std::vector<UsableCore> cores = restricted_to(all_cores(), processors_of_this_thread());
  const double quota = processor_quota();
  if (static_cast<double>(cores.size()) > std::ceil(quota)) cores.resize(static_cast<std::size_t>(std::ceil(quota)));
  return cores;
}

std::vector<WorkerPlace> places_for(const std::vector<UsableCore>& cores, int first, int count) {
  const std::string host = host_name();
  std::vector<WorkerPlace> places;
  for (int worker = first; worker < first + count; ++worker) {
    const UsableCore& core = cores[static_cast<std::size_t>(worker) % cores.size()];
    WorkerPlace place;
    place.host = host;
    place.bound_to = {core.processors.front()};
    place.core = core.core;
    place.numa_node = core.numa_node;
    places.push_back(std::move(place));
  }
  return places;
}

void bind_this_thread(const WorkerPlace& place) {
  hwloc_bitmap_t set = hwloc_bitmap_alloc();
  for (const int p : place.bound_to) hwloc_bitmap_set(set, static_cast<unsigned>(p));
  const int result = hwloc_set_cpubind(topology(), set, HWLOC_CPUBIND_THREAD | HWLOC_CPUBIND_STRICT);
  const int reason = errno;
  hwloc_bitmap_free(set);
  if (result != 0) {
    throw std::runtime_error(
        fmt::format("cannot bind a worker to processor {}: {}", place.bound_to.front(), std::strerror(reason)));
  }
}

bool shares_a_core(const std::vector<WorkerPlace>& places) {
  std::set<std::pair<std::string, int>> taken;
  return std::ranges::any_of(places, [&](const WorkerPlace& place) {
    return place.core < 0 || !taken.emplace(place.host, place.core).second;
  });
}

}  // namespace duet
