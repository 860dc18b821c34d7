#include "drivers/machine.hpp"

#include <fmt/format.h>
#include <gmp.h>
#include <hwloc.h>
#include <mpi.h>
#include <omp.h>
#include <oneapi/tbb/version.h>
#include <sys/utsname.h>

#include <Eigen/Core>
#include <algorithm>
#include <array>
#include <boost/version.hpp>
#include <cmath>
#include <fstream>
#include <limits>
#include <memory>

#include "drivers/command.hpp"
#include "drivers/placement.hpp"
#include "drivers/topology.hpp"

namespace duet {
namespace {

constexpr double kibibyte = 1024;

/// The value behind "key :" or "key:" in a file of such lines; empty where there is none.
std::string value_in(const char* path, std::string_view key) {
  std::ifstream file{path};
  for (std::string line; std::getline(file, line);) {
    const auto colon = line.find(':');
    if (colon == std::string::npos || !line.starts_with(key)) continue;
    if (line.find_last_not_of(" \t", colon - 1) + 1 != key.size()) continue;
    const auto begin = line.find_first_not_of(" \t", colon + 1);
    return begin == std::string::npos ? "" : line.substr(begin);
  }
  return {};
}

/// The tightest "limit - use" over this process's control group and its parents, or infinity. Version 2 alone: version
/// 1 shows its limit in memory.limit_in_bytes of one mounted folder.
double memory_left_in_control_group() {
  double left = std::numeric_limits<double>::infinity();
  std::ifstream membership{"/proc/self/cgroup"};
  std::string folder;
  for (std::string line; std::getline(membership, line);) {
    if (line.starts_with("0::")) folder = line.substr(3);
  }
  const auto number_in = [](const std::string& path) {
    std::ifstream file{path};
    double value = std::numeric_limits<double>::infinity();
    file >> value;
    return file ? value : std::numeric_limits<double>::infinity();
  };
  while (true) {
    const std::string base = "/sys/fs/cgroup" + folder;
    const double limit = number_in(base + "/memory.max");
    const double used = number_in(base + "/memory.current");
    if (std::isfinite(limit) && std::isfinite(used)) left = std::min(left, std::max(0.0, limit - used));
    if (folder.empty() || folder == "/") break;
    folder.erase(folder.rfind('/'));
  }
  const double limit = number_in("/sys/fs/cgroup/memory/memory.limit_in_bytes");
  const double used = number_in("/sys/fs/cgroup/memory/memory.usage_in_bytes");
  if (std::isfinite(limit) && std::isfinite(used)) left = std::min(left, std::max(0.0, limit - used));
  return left;
}

std::string size_text(std::uint64_t bytes) {
  const double kib = static_cast<double>(bytes) / kibibyte;
  return kib < kibibyte ? fmt::format("{:g} KiB", kib) : fmt::format("{:g} MiB", kib / kibibyte);
}

int count_of(hwloc_topology_t topology, hwloc_obj_type_t type) {
  return std::max(1, hwloc_get_nbobjs_by_type(topology, type));
}

}  // namespace

Machine describe_machine() {
  const Topology owner = loaded_topology();
  const hwloc_topology_t topology = owner.get();

  Machine machine;
  utsname system{};
  if (uname(&system) == 0) {
    machine.host = system.nodename;
    machine.operating_system = fmt::format("{} {}", system.sysname, system.release);
  }
  machine.processor = value_in("/proc/cpuinfo", "model name");
  machine.sockets = count_of(topology, HWLOC_OBJ_PACKAGE);
  machine.numa_nodes = count_of(topology, HWLOC_OBJ_NUMANODE);
  machine.threads_per_core = count_of(topology, HWLOC_OBJ_PU) / count_of(topology, HWLOC_OBJ_CORE);
  machine.cores = static_cast<int>(usable_cores().size());
  machine.memory_bytes = available_memory();
  constexpr std::array<std::pair<hwloc_obj_type_t, const char*>, 4> levels{
      {{HWLOC_OBJ_L1CACHE, "L1d"}, {HWLOC_OBJ_L2CACHE, "L2"}, {HWLOC_OBJ_L3CACHE, "L3"}, {HWLOC_OBJ_L4CACHE, "L4"}}};
  for (const auto& [type, label] : levels) {
    const hwloc_obj* const cache = hwloc_get_obj_by_type(topology, type, 0);
    if (cache != nullptr) machine.caches.push_back(fmt::format("{} {}", label, size_text(cache->attr->cache.size)));
  }
  std::string sets;
  const std::string flags = " " + value_in("/proc/cpuinfo", "flags") + " ";
  for (const char* flag : {"sse4_2", "avx", "avx2", "fma", "avx512f", "avx512ifma", "avx512_bf16", "amx_tile"}) {
    if (flags.find(fmt::format(" {} ", flag)) != std::string::npos)
      sets += (sets.empty() ? "" : " ") + std::string{flag};
  }
  machine.instruction_sets = sets;
  return machine;
}

std::string duet_version() { return DUET_VERSION; }

std::string running_kernel() {
  std::ifstream file{"/proc/sys/kernel/random/boot_id"};
  std::string kernel;
  file >> kernel;
  return kernel;
}

double available_memory() {
  const std::string text = value_in("/proc/meminfo", "MemAvailable");
  const double system = text.empty() ? std::numeric_limits<double>::infinity() : std::stod(text) * kibibyte;
  return std::min(system, memory_left_in_control_group());
}

std::map<std::string, std::string> describe_versions() {
  std::array<char, MPI_MAX_LIBRARY_VERSION_STRING> mpi{};
  int length = 0;
  MPI_Get_library_version(mpi.data(), &length);
  std::string mpi_text{mpi.data(), static_cast<std::size_t>(length)};
  mpi_text = mpi_text.substr(0, mpi_text.find(','));
  return {{"duet", duet_version()},
          {"compiler", fmt::format("g++ {}", __VERSION__)},
          {"flags", DUET_FLAGS},
          {"mpi", mpi_text},
          {"openmp", fmt::format("{}", _OPENMP)},
          {"tbb", fmt::format("{}", TBB_runtime_version())},
          {"eigen", fmt::format("{}.{}.{}", EIGEN_WORLD_VERSION, EIGEN_MAJOR_VERSION, EIGEN_MINOR_VERSION)},
          {"gmp", gmp_version},
          {"boost", BOOST_LIB_VERSION},
          {"hwloc", HWLOC_VERSION}};
}

void refuse_without_memory(const std::string& what, double bytes) {
  const double available = available_memory();
  if (bytes <= available) return;
  constexpr double gigabyte = 1e9;
  throw UsageError(fmt::format("{} needs about {:.3g} GB of memory, and {:.3g} GB are available here", what,
                               bytes / gigabyte, available / gigabyte));
}

}  // namespace duet
