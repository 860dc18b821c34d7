/// Windows of words that all ranks change atomically. SMPI's own keep the target locked while an operation travels
/// there and back, so that 64 ranks that count on one word wait for each other's round trips, where a network card
/// takes the operations one by one as they arrive; their compare-and-swap lets a second one in before the first has
/// written; and they take time quadratic in the ranks. Here an operation takes the latency of the route, is done at
/// once, since one rank runs at a time, and takes the latency back. Only what kernels/core/mpi.hpp uses is there.

#include <mpi.h>
#include <simgrid/s4u/Actor.hpp>
#include <simgrid/s4u/Host.hpp>

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
  std::vector<std::uint64_t> words{};
  const simgrid::s4u::Host* host = nullptr;
};

/// One window, of all its ranks, which live in one process. The handle that a rank holds is its address.
struct SharedWindow {
  std::vector<Part> parts;  ///< in the order of ranks
  MPI_Comm ranks = MPI_COMM_NULL;
  std::size_t here = 0;  ///< ranks that have come
  std::size_t gone = 0;  ///< ranks that have freed it
};

SharedWindow& window_of(MPI_Win handle) { return *reinterpret_cast<SharedWindow*>(handle); }

/// The windows for which not all ranks have come yet. Creation is collective: there is one for each communicator.
std::unordered_map<MPI_Comm, SharedWindow*>& in_making() {
  static std::unordered_map<MPI_Comm, SharedWindow*> windows;
  return windows;
}

/// Does `act` on the word of `target`, and gives back what stood there before.
template <class Act>
std::uint64_t atomically(MPI_Win window, int target, MPI_Aint at, MPI_Datatype datatype, const Act& act) {
  int bytes = 0;
  check(PMPI_Type_size(datatype, &bytes));
  if (bytes != sizeof(std::uint64_t)) throw std::invalid_argument("one-sided operations are simulated on 64-bit words");
  Part& part = window_of(window).parts.at(static_cast<std::size_t>(target));
  RankRecord& record = Simulation::here().record();
  record.messages += 1;
  record.bytes += bytes;
  std::vector<simgrid::s4u::Link*> links;
  double latency = 0;
  const simgrid::s4u::Host* const here = simgrid::s4u::this_actor::get_host();
  here->route_to(part.host, links, &latency);
  simgrid::s4u::this_actor::sleep_for(latency);
  std::uint64_t& word = part.words.at(static_cast<std::size_t>(at));
  const std::uint64_t before = word;
  word = act(before);
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
int __wrap_MPI_Win_set_errhandler(MPI_Win window, MPI_Errhandler handler);
int __wrap_MPI_Win_lock_all(int assertion, MPI_Win window);
int __wrap_MPI_Win_unlock_all(MPI_Win window);
int __wrap_MPI_Win_sync(MPI_Win window);
int __wrap_MPI_Win_flush(int rank, MPI_Win window);
int __wrap_MPI_Win_free(MPI_Win* window);
int __wrap_MPI_Fetch_and_op(const void* origin, void* result, MPI_Datatype datatype, int target, MPI_Aint at, MPI_Op op,
                            MPI_Win window);
int __wrap_MPI_Compare_and_swap(const void* origin, void* compared, void* result, MPI_Datatype datatype, int target,
                                MPI_Aint at, MPI_Win window);
}

int __wrap_MPI_Win_allocate(MPI_Aint bytes, int unit, MPI_Info /*info*/, MPI_Comm ranks, void* memory,
                            MPI_Win* window) {
  if (unit != sizeof(std::uint64_t)) throw std::invalid_argument("windows are simulated for 64-bit words");
  SharedWindow*& shared = in_making()[ranks];
  if (shared == nullptr) {
    shared = new SharedWindow{};
    shared->ranks = ranks;
    shared->parts.resize(static_cast<std::size_t>(size_of(ranks)));
  }
  *window = reinterpret_cast<MPI_Win>(shared);
  Part& mine = shared->parts[static_cast<std::size_t>(rank_in(ranks))];
  mine.words.resize(static_cast<std::size_t>(bytes) / sizeof(std::uint64_t));
  mine.host = simgrid::s4u::this_actor::get_host();
  std::uint64_t* const address = mine.words.data();
  std::memcpy(memory, &address, sizeof address);
  if (++shared->here == shared->parts.size()) in_making().erase(ranks);
  return PMPI_Barrier(ranks);
}

int __wrap_MPI_Win_set_errhandler(MPI_Win /*window*/, MPI_Errhandler /*handler*/) { return MPI_SUCCESS; }
// An operation is over when its call returns: there is nothing to lock, order or wait for.
int __wrap_MPI_Win_lock_all(int /*assertion*/, MPI_Win /*window*/) { return MPI_SUCCESS; }
int __wrap_MPI_Win_unlock_all(MPI_Win /*window*/) { return MPI_SUCCESS; }
int __wrap_MPI_Win_sync(MPI_Win /*window*/) { return MPI_SUCCESS; }
int __wrap_MPI_Win_flush(int /*rank*/, MPI_Win /*window*/) { return MPI_SUCCESS; }

int __wrap_MPI_Win_free(MPI_Win* window) {
  SharedWindow* const shared = &window_of(*window);
  *window = MPI_WIN_NULL;
  const int code = PMPI_Barrier(shared->ranks);
  if (++shared->gone == shared->parts.size()) delete shared;
  return code;
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
