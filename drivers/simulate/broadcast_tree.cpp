/// MPI_Ibcast along a binomial tree. SMPI's own sends from the root to every other rank, one message each, which no MPI
/// library does: on 32 ranks of a row the root's link would carry each panel 31 times where a tree needs 5.
///
///     root 0 --> 4 --> 6 --> 7         a rank passes a message on to its children once it has it, the one with the
///          \      \--> 5               largest subtree first
///           \--> 2 --> 3
///            \-> 1
///
/// As in OpenMPI without a progress thread, a rank passes a message on only while it is inside MPI_Testall or
/// MPI_Waitall, and a broadcast is over for it when its children have the message.
///
/// Between ranks that share memory nothing moves a message but the core of the rank that receives it. It copies it when
/// it is inside MPI and the sender has announced it: at once where the announcement was there before the receiver
/// entered MPI_Ibcast, else in MPI_Testall or MPI_Waitall. So the copy never hides behind a product. That is how
/// OpenMPI's vader does it (one process_vm_readv above 4 KiB), and it is what makes n = 256 on 2 cores of one node 1.4x
/// as long as its products.

#include <mpi.h>

#include <cstdint>
#include <map>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

#include "drivers/simulate/simulation.hpp"
#include "kernels/core/mpi.hpp"

namespace duet {
namespace {

/// One rank's part in one broadcast.
class TreeBroadcast {
 public:
  TreeBroadcast(void* buffer, int count, MPI_Datatype datatype, int root, MPI_Comm ranks, int tag)
      : buffer_{buffer}, count_{count}, datatype_{datatype}, root_{root}, ranks_{ranks}, tag_{tag} {
    const int size = size_of(ranks);
    const int place = (rank_in(ranks) - root + size) % size;
    // The lowest bit of a place says whose child it is: 6 = 110b is a child of 4 = 100b and has one, 7.
    int reach = 1;
    while (reach < size && (place & reach) == 0) reach *= 2;
    for (int step = reach / 2; step > 0; step /= 2) {
      if (place + step < size) children_.push_back((place + step + root) % size);
    }
    if (place == 0) {
      pass_on();
    } else {
      parent_ = (place - reach + root) % size;
      awaited_ = true;
      if (Simulation::here().shares_memory(ranks_, parent_)) {
        copy_if_announced();
      } else {
        await();
      }
    }
  }

  /// The request that ends when the message is here; MPI_REQUEST_NULL where it has been.
  [[nodiscard]] MPI_Request arrival() {
    if (awaited_ && arrival_ == MPI_REQUEST_NULL) await();
    return arrival_;
  }
  /// To be called once the message is here.
  void pass_on() {
    awaited_ = false;
    arrival_ = MPI_REQUEST_NULL;
    RankRecord& record = Simulation::here().record();
    int element = 0;
    check(PMPI_Type_size(datatype_, &element));
    for (const int child : children_) {
      check(PMPI_Isend(buffer_, count_, datatype_, child, tag_, ranks_, &sends_.emplace_back(MPI_REQUEST_NULL)));
      record.messages += 1;
      record.bytes += std::int64_t{count_} * element;
    }
  }
  /// Whether the message has arrived and been passed on; passes it on if it can.
  bool advance() {
    int over = 0;
    if (awaited_ && arrival_ == MPI_REQUEST_NULL) {
      copy_if_announced();
      if (awaited_) return false;
    } else if (awaited_) {
      check(PMPI_Test(&arrival_, &over, MPI_STATUS_IGNORE));
      if (over == 0) return false;
      pass_on();
    }
    check(PMPI_Testall(mpi_count(std::ssize(sends_)), sends_.data(), &over, MPI_STATUSES_IGNORE));
    return over != 0;
  }
  void wait_for_children() { check(PMPI_Waitall(mpi_count(std::ssize(sends_)), sends_.data(), MPI_STATUSES_IGNORE)); }

 private:
  void await() { check(PMPI_Irecv(buffer_, count_, datatype_, parent_, tag_, ranks_, &arrival_)); }
  /// Takes as long as the message does.
  void copy_if_announced() {
    int announced = 0;
    check(PMPI_Iprobe(parent_, tag_, ranks_, &announced, MPI_STATUS_IGNORE));
    if (announced == 0) return;
    check(PMPI_Recv(buffer_, count_, datatype_, parent_, tag_, ranks_, MPI_STATUS_IGNORE));
    pass_on();
  }

  void* buffer_;
  int count_;
  MPI_Datatype datatype_;
  int root_;
  MPI_Comm ranks_;
  int tag_;
  int parent_ = MPI_PROC_NULL;
  bool awaited_ = false;
  std::vector<int> children_;
  MPI_Request arrival_ = MPI_REQUEST_NULL;
  std::vector<MPI_Request> sends_;
};

/// The broadcasts under way on all ranks. A handle that a kernel holds is the address of its broadcast.
std::unordered_map<MPI_Request, std::unique_ptr<TreeBroadcast>>& under_way() {
  static std::unordered_map<MPI_Request, std::unique_ptr<TreeBroadcast>> broadcasts;
  return broadcasts;
}

TreeBroadcast* broadcast_of(MPI_Request request) {
  const auto found = under_way().find(request);
  return found == under_way().end() ? nullptr : found->second.get();
}

/// How many broadcasts each rank has started in each communicator.
std::map<std::pair<MPI_Comm, int>, int>& started() {
  static std::map<std::pair<MPI_Comm, int>, int> numbers;
  return numbers;
}

/// Tells the broadcasts of one communicator apart that are under way together: all ranks count alike. Few tags, since
/// SMPI keeps a count for each pair of ranks and tag, in a table that gets slow (10x at 1024 ranks with a tag each).
int next_tag(MPI_Comm ranks) {
  constexpr int first = 1 << 20;
  constexpr int different = 16;
  int& number = started()[{ranks, rank_in(MPI_COMM_WORLD)}];
  number = (number + 1) % different;
  return first + number;
}

}  // namespace

extern "C" {
int __wrap_MPI_Ibcast(void* buffer, int count, MPI_Datatype datatype, int root, MPI_Comm ranks, MPI_Request* request);
int __wrap_MPI_Isend(const void* buffer, int count, MPI_Datatype datatype, int to, int tag, MPI_Comm ranks,
                     MPI_Request* request);
int __wrap_MPI_Waitall(int count, MPI_Request* requests, MPI_Status* statuses);
int __wrap_MPI_Testall(int count, MPI_Request* requests, int* flag, MPI_Status* statuses);
int __wrap_MPI_Comm_free(MPI_Comm* ranks);
}

int __wrap_MPI_Ibcast(void* buffer, int count, MPI_Datatype datatype, int root, MPI_Comm ranks, MPI_Request* request) {
  if (rank_in(ranks) == root) {
    // The kernels gather what they broadcast from the rows of a block: that is a part of sending it.
    int element = 0;
    check(PMPI_Type_size(datatype, &element));
    Simulation& simulation = Simulation::here();
    simulation.spend(simulation.rates().seconds_per_gathered_byte * count * element);
  }
  auto broadcast = std::make_unique<TreeBroadcast>(buffer, count, datatype, root, ranks, next_tag(ranks));
  *request = reinterpret_cast<MPI_Request>(broadcast.get());
  under_way().emplace(*request, std::move(broadcast));
  return MPI_SUCCESS;
}

// SMPI's own, counted.
int __wrap_MPI_Isend(const void* buffer, int count, MPI_Datatype datatype, int to, int tag, MPI_Comm ranks,
                     MPI_Request* request) {
  int element = 0;
  check(PMPI_Type_size(datatype, &element));
  RankRecord& record = Simulation::here().record();
  record.messages += 1;
  record.bytes += std::int64_t{count} * element;
  return PMPI_Isend(buffer, count, datatype, to, tag, ranks, request);
}

int __wrap_MPI_Waitall(int count, MPI_Request* requests, MPI_Status* statuses) {
  std::vector<TreeBroadcast*> broadcasts;
  std::vector<MPI_Request> arrivals;
  for (int i = 0; i < count; ++i) {
    if (TreeBroadcast* const broadcast = broadcast_of(requests[i])) {
      broadcasts.push_back(broadcast);
      arrivals.push_back(broadcast->arrival());  // announced or not: this rank stays until all have come
    }
  }
  if (broadcasts.empty()) return PMPI_Waitall(count, requests, statuses);
  for (;;) {
    int which = MPI_UNDEFINED;
    check(PMPI_Waitany(mpi_count(std::ssize(arrivals)), arrivals.data(), &which, MPI_STATUS_IGNORE));
    if (which == MPI_UNDEFINED) break;
    broadcasts[static_cast<std::size_t>(which)]->pass_on();
  }
  for (TreeBroadcast* const broadcast : broadcasts) broadcast->wait_for_children();
  for (int i = 0; i < count; ++i) {
    if (under_way().erase(requests[i]) != 0) requests[i] = MPI_REQUEST_NULL;
  }
  return PMPI_Waitall(count, requests, statuses);
}

int __wrap_MPI_Testall(int count, MPI_Request* requests, int* flag, MPI_Status* statuses) {
  bool over = true;
  bool any = false;
  for (int i = 0; i < count; ++i) {
    if (TreeBroadcast* const broadcast = broadcast_of(requests[i])) {
      any = true;
      over = broadcast->advance() && over;
    }
  }
  if (!any) return PMPI_Testall(count, requests, flag, statuses);
  *flag = over ? 1 : 0;
  if (!over) return MPI_SUCCESS;
  for (int i = 0; i < count; ++i) {
    if (under_way().erase(requests[i]) != 0) requests[i] = MPI_REQUEST_NULL;
  }
  return PMPI_Testall(count, requests, flag, statuses);
}

// The next communicator may have the same handle.
int __wrap_MPI_Comm_free(MPI_Comm* ranks) {
  started().erase({*ranks, rank_in(MPI_COMM_WORLD)});
  return PMPI_Comm_free(ranks);
}

}  // namespace duet
