#pragma once

/// Where counted MPI calls are booked. For meter.cpp and mpi_calls.cpp alone.

#include <mpi.h>

#include <cstdint>
#include <vector>

#include "drivers/traffic/traffic.hpp"

namespace duet {

/// The ranks of a communicator or window, as one of them sees them.
struct Peers {
  int mine = 0;
  std::vector<int> rank_in_all;  ///< by rank here; MPI_UNDEFINED for ranks outside `all`
  std::vector<char> elsewhere;   ///< by rank here: whether on another node than this rank; 1 for ranks outside `all`
  int others_here = 0;           ///< ranks on this node, without this one
  int others_elsewhere = 0;

  [[nodiscard]] int size() const { return static_cast<int>(rank_in_all.size()); }
  [[nodiscard]] bool alone() const { return size() == 1; }
};

/// Bytes of `count` elements: the data, without the gaps of the datatype.
[[nodiscard]] std::int64_t bytes_of(std::int64_t count, MPI_Datatype type);

/// The bytes of rank r's part, whichever way a call describes it.
class Parts {
 public:
  /// Parts of equal size.
  explicit Parts(std::int64_t bytes) : bytes_{bytes} {}
  /// `counts[r]` elements of one type.
  Parts(const int* counts, MPI_Datatype type) : counts_{counts}, bytes_{bytes_of(1, type)} {}
  /// `counts[r]` elements of `types[r]`.
  Parts(const int* counts, const MPI_Datatype* types) : counts_{counts}, types_{types} {}

  [[nodiscard]] std::int64_t of(int rank) const {
    if (types_ != nullptr) return bytes_of(counts_[rank], types_[rank]);
    return counts_ != nullptr ? counts_[rank] * bytes_ : bytes_;
  }
  [[nodiscard]] bool equal() const { return counts_ == nullptr; }

 private:
  const int* counts_ = nullptr;
  const MPI_Datatype* types_ = nullptr;
  std::int64_t bytes_ = 0;
};

class Ledger {
 public:
  Ledger(MPI_Comm all, std::vector<int> node_of_rank);
  ~Ledger();
  Ledger(const Ledger&) = delete;
  Ledger& operator=(const Ledger&) = delete;

  void clear();
  [[nodiscard]] RankTraffic total() const;

  // The definitions of traffic.hpp, a function for each way in which blocks go from ranks to ranks. Bytes are those of
  // one block.
  void message(MPI_Comm communicator, int destination, std::int64_t bytes);
  void barrier(MPI_Comm communicator);
  void broadcast(MPI_Comm communicator, int root, std::int64_t bytes);
  /// At the root the parts of all ranks, elsewhere this rank's own.
  void gather(MPI_Comm communicator, int root, const Parts& parts);
  void scatter(MPI_Comm communicator, int root, const Parts& parts);
  void allgather(MPI_Comm communicator, const Parts& parts);
  void alltoall(MPI_Comm communicator, const Parts& sent, const Parts& received);
  void reduce(MPI_Comm communicator, int root, std::int64_t bytes);
  void allreduce(MPI_Comm communicator, std::int64_t bytes);
  void reduce_scatter(MPI_Comm communicator, const Parts& blocks);
  void scan(MPI_Comm communicator, std::int64_t bytes);
  /// Bytes each way; 0 where nothing goes that way.
  void one_sided(MPI_Win window, int target, std::int64_t to_target, std::int64_t to_origin);

 private:
  enum class Direction { received, sent };

  void book(Carrier carrier, Direction direction, bool elsewhere, Volume volume);
  /// One message between this rank and the others as a whole.
  void book_once(Carrier carrier, Direction direction, const Peers& peers, std::int64_t bytes);
  /// A message between this rank and each of the others.
  void book_each(Carrier carrier, Direction direction, const Peers& peers, const Parts& parts);
  [[nodiscard]] const Peers& peers_of(MPI_Comm communicator) const;
  [[nodiscard]] const Peers& peers_of(MPI_Win window) const;
  [[nodiscard]] Peers* peers_of_group(MPI_Group group) const;

  /// What this rank's calls moved into and out of another rank, which makes no call for it.
  struct AtPeer {
    Volume messages_received;
    Volume one_sided_received;
    Volume one_sided_sent;
  };

  MPI_Comm all_;
  std::vector<int> node_of_rank_;
  int rank_ = 0;
  int of_communicators_ = MPI_KEYVAL_INVALID;  ///< under which a communicator keeps its Peers
  int of_windows_ = MPI_KEYVAL_INVALID;
  RankTraffic own_;
  std::vector<AtPeer> at_peer_;
};

/// Where this process's calls are booked now; null while nothing is counted.
extern Ledger* open_ledger;

}  // namespace duet
