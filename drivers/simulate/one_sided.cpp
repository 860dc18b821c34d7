/// Atomic operations on another rank's word. SMPI's own keep the target locked while they travel there and back, so
/// that 64 ranks that count on one word wait for each other's round trips, where a network card takes the operations
/// one by one as they arrive; and its compare-and-swap lets a second one in before the first has written. Here an
/// operation takes the latency of the route, is done at once, since one rank runs at a time, and takes the latency
/// back.

#include <mpi.h>
#include <simgrid/s4u/Actor.hpp>
#include <simgrid/s4u/Host.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <unordered_map>
#include <vector>

#include "drivers/simulate/simulation.hpp"
#include "kernels/core/mpi.hpp"

namespace duet {
namespace {

/// What one rank contributes to a window.
struct Part {
  std::byte* memory = nullptr;
  std::int64_t unit = 1;
  const simgrid::s4u::Host* host = nullptr;
};

/// The parts of each window, in the order of ranks. A window has a handle of its own on every rank.
std::unordered_map<MPI_Win, std::vector<Part>>& windows() {
  static std::unordered_map<MPI_Win, std::vector<Part>> parts;
  return parts;
}

/// Does `act` on the word of `target`, and gives back what stood there before.
template <class Act>
std::uint64_t atomically(MPI_Win window, int target, MPI_Aint at, MPI_Datatype datatype, const Act& act) {
  int bytes = 0;
  check(PMPI_Type_size(datatype, &bytes));
  const auto found = windows().find(window);
  if (bytes != 8 || found == windows().end()) {
    throw std::invalid_argument("an atomic operation is simulated on 64-bit words of MPI_Win_allocate only");
  }
  const Part part = found->second.at(static_cast<std::size_t>(target));
  Ledger& ledger = Simulation::here().ledger();
  ledger.messages += 1;
  ledger.bytes += bytes;
  std::vector<simgrid::s4u::Link*> links;
  double latency = 0;
  const simgrid::s4u::Host* const here = simgrid::s4u::this_actor::get_host();
  here->route_to(part.host, links, &latency);
  simgrid::s4u::this_actor::sleep_for(latency);
  auto* const word = reinterpret_cast<std::uint64_t*>(part.memory + at * part.unit);
  const std::uint64_t before = *word;
  *word = act(before);
  simgrid::s4u::this_actor::sleep_for(latency);
  return before;
}

std::uint64_t word_at(const void* memory) {
  std::uint64_t word = 0;
  std::memcpy(&word, memory, sizeof word);
  return word;
}

}  // namespace

extern "C" {
int __wrap_MPI_Win_allocate(MPI_Aint bytes, int unit, MPI_Info info, MPI_Comm ranks, void* memory, MPI_Win* window);
int __wrap_MPI_Win_free(MPI_Win* window);
int __wrap_MPI_Fetch_and_op(const void* origin, void* result, MPI_Datatype datatype, int target, MPI_Aint at, MPI_Op op,
                            MPI_Win window);
int __wrap_MPI_Compare_and_swap(const void* origin, void* compared, void* result, MPI_Datatype datatype, int target,
                                MPI_Aint at, MPI_Win window);
}

int __wrap_MPI_Win_allocate(MPI_Aint bytes, int unit, MPI_Info info, MPI_Comm ranks, void* memory, MPI_Win* window) {
  check(PMPI_Win_allocate(bytes, unit, info, ranks, memory, window));
  // All ranks live in one process: an address is good on each of them.
  Part mine{nullptr, unit, simgrid::s4u::this_actor::get_host()};
  std::memcpy(&mine.memory, memory, sizeof mine.memory);
  std::vector<Part>& parts = windows()[*window];
  parts.resize(static_cast<std::size_t>(size_of(ranks)));
  return PMPI_Allgather(&mine, sizeof mine, MPI_BYTE, parts.data(), sizeof mine, MPI_BYTE, ranks);
}

int __wrap_MPI_Win_free(MPI_Win* window) {
  windows().erase(*window);
  return PMPI_Win_free(window);
}

int __wrap_MPI_Fetch_and_op(const void* origin, void* result, MPI_Datatype datatype, int target, MPI_Aint at, MPI_Op op,
                            MPI_Win window) {
  if (op != MPI_SUM && op != MPI_REPLACE && op != MPI_NO_OP) return MPI_ERR_OP;
  const std::uint64_t operand = word_at(origin);
  const std::uint64_t before = atomically(window, target, at, datatype, [&](std::uint64_t word) {
    return op == MPI_SUM ? word + operand : op == MPI_REPLACE ? operand : word;
  });
  std::memcpy(result, &before, sizeof before);
  return MPI_SUCCESS;
}

int __wrap_MPI_Compare_and_swap(const void* origin, void* compared, void* result, MPI_Datatype datatype, int target,
                                MPI_Aint at, MPI_Win window) {
  const std::uint64_t desired = word_at(origin);
  const std::uint64_t expected = word_at(compared);
  const std::uint64_t before =
      atomically(window, target, at, datatype, [&](std::uint64_t word) { return word == expected ? desired : word; });
  std::memcpy(result, &before, sizeof before);
  return MPI_SUCCESS;
}

}  // namespace duet
