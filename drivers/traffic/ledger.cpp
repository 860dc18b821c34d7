#include "drivers/traffic/ledger.hpp"

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include "kernels/core/mpi.hpp"

namespace duet {
namespace {

int free_peers(MPI_Comm /*communicator*/, int /*key*/, void* peers, void* /*extra*/) {
  delete static_cast<Peers*>(peers);
  return MPI_SUCCESS;
}

int free_peers_of_window(MPI_Win /*window*/, int /*key*/, void* peers, void* /*extra*/) {
  delete static_cast<Peers*>(peers);
  return MPI_SUCCESS;
}

}  // namespace

std::int64_t bytes_of(std::int64_t count, MPI_Datatype type) {
  MPI_Count size = 0;
  check(PMPI_Type_size_x(type, &size));
  return count * static_cast<std::int64_t>(size);
}

Ledger::Ledger(MPI_Comm all, std::vector<int> node_of_rank)
    : all_{all}, node_of_rank_{std::move(node_of_rank)}, rank_{rank_in(all)} {
  const auto ranks = static_cast<std::size_t>(size_of(all));
  if (node_of_rank_.size() != ranks) {
    throw std::invalid_argument("the nodes of " + std::to_string(node_of_rank_.size()) +
                                " ranks were told, and there are " + std::to_string(ranks));
  }
  at_peer_.resize(ranks);
  // A copy of a communicator gets its own: its ranks are other ones in the eyes of MPI.
  check(PMPI_Comm_create_keyval(MPI_COMM_NULL_COPY_FN, free_peers, &of_communicators_, nullptr));
  check(PMPI_Win_create_keyval(MPI_WIN_NULL_COPY_FN, free_peers_of_window, &of_windows_, nullptr));
}

// Communicators and windows that are still there keep their Peers until they are freed.
Ledger::~Ledger() {
  PMPI_Comm_free_keyval(&of_communicators_);
  PMPI_Win_free_keyval(&of_windows_);
}

void Ledger::clear() {
  own_ = {};
  at_peer_.assign(at_peer_.size(), {});
}

Peers* Ledger::peers_of_group(MPI_Group group) const {
  int size = 0;
  auto peers = std::make_unique<Peers>();
  check(PMPI_Group_size(group, &size));
  check(PMPI_Group_rank(group, &peers->mine));
  std::vector<int> here(static_cast<std::size_t>(size));
  for (int rank = 0; rank < size; ++rank) here[static_cast<std::size_t>(rank)] = rank;
  peers->rank_in_all.resize(here.size());
  peers->elsewhere.resize(here.size());
  MPI_Group all = MPI_GROUP_NULL;
  check(PMPI_Comm_group(all_, &all));
  check(PMPI_Group_translate_ranks(group, size, here.data(), all, peers->rank_in_all.data()));
  check(PMPI_Group_free(&all));
  const int my_node = node_of_rank_[static_cast<std::size_t>(rank_)];
  for (std::size_t peer = 0; peer < here.size(); ++peer) {
    const int rank = peers->rank_in_all[peer];
    const bool elsewhere = rank == MPI_UNDEFINED || node_of_rank_[static_cast<std::size_t>(rank)] != my_node;
    peers->elsewhere[peer] = elsewhere ? 1 : 0;
    if (static_cast<int>(peer) != peers->mine) ++(elsewhere ? peers->others_elsewhere : peers->others_here);
  }
  return peers.release();  // MPI keeps it, until the delete function
}

const Peers& Ledger::peers_of(MPI_Comm communicator) const {
  void* known = nullptr;
  int found = 0;
  check(PMPI_Comm_get_attr(communicator, of_communicators_, static_cast<void*>(&known), &found));
  if (found == 0) {
    MPI_Group group = MPI_GROUP_NULL;
    check(PMPI_Comm_group(communicator, &group));
    known = peers_of_group(group);
    check(PMPI_Group_free(&group));
    check(PMPI_Comm_set_attr(communicator, of_communicators_, known));
  }
  return *static_cast<const Peers*>(known);
}

const Peers& Ledger::peers_of(MPI_Win window) const {
  void* known = nullptr;
  int found = 0;
  check(PMPI_Win_get_attr(window, of_windows_, static_cast<void*>(&known), &found));
  if (found == 0) {
    MPI_Group group = MPI_GROUP_NULL;
    check(PMPI_Win_get_group(window, &group));
    known = peers_of_group(group);
    check(PMPI_Group_free(&group));
    check(PMPI_Win_set_attr(window, of_windows_, known));
  }
  return *static_cast<const Peers*>(known);
}

void Ledger::book(Carrier carrier, Direction direction, bool elsewhere, Volume volume) {
  RankTraffic::Both& both = own_.by(carrier);
  Flow& flow = direction == Direction::received ? both.received : both.sent;
  (elsewhere ? flow.between_nodes : flow.within_node) += volume;
}

void Ledger::book_once(Carrier carrier, Direction direction, const Peers& peers, std::int64_t bytes) {
  if (!peers.alone()) book(carrier, direction, peers.others_elsewhere > 0, {1, bytes});
}

void Ledger::book_each(Carrier carrier, Direction direction, const Peers& peers, const Parts& parts) {
  if (parts.equal()) {
    const std::int64_t bytes = parts.of(0);
    if (bytes == 0) return;
    book(carrier, direction, false, {peers.others_here, peers.others_here * bytes});
    book(carrier, direction, true, {peers.others_elsewhere, peers.others_elsewhere * bytes});
    return;
  }
  for (int peer = 0; peer < peers.size(); ++peer) {
    const std::int64_t bytes = parts.of(peer);
    if (peer == peers.mine || bytes == 0) continue;
    book(carrier, direction, peers.elsewhere[static_cast<std::size_t>(peer)] != 0, {1, bytes});
  }
}

void Ledger::message(MPI_Comm communicator, int destination, std::int64_t bytes) {
  if (destination == MPI_PROC_NULL) return;
  const Peers& peers = peers_of(communicator);
  if (destination == peers.mine) return;
  const auto to = static_cast<std::size_t>(destination);
  book(Carrier::point_to_point, Direction::sent, peers.elsewhere[to] != 0, {1, bytes});
  if (const int rank = peers.rank_in_all[to]; rank != MPI_UNDEFINED) {
    at_peer_[static_cast<std::size_t>(rank)].messages_received += {1, bytes};
  }
}

void Ledger::barrier(MPI_Comm communicator) {
  const Peers& peers = peers_of(communicator);
  book_once(Carrier::barrier, Direction::received, peers, 0);
  book_once(Carrier::barrier, Direction::sent, peers, 0);
}

void Ledger::broadcast(MPI_Comm communicator, int root, std::int64_t bytes) {
  if (bytes == 0) return;
  const Peers& peers = peers_of(communicator);
  if (root == peers.mine) return book_once(Carrier::broadcast, Direction::sent, peers, bytes);
  book(Carrier::broadcast, Direction::received, peers.elsewhere[static_cast<std::size_t>(root)] != 0, {1, bytes});
}

void Ledger::gather(MPI_Comm communicator, int root, const Parts& parts) {
  const Peers& peers = peers_of(communicator);
  if (root == peers.mine) return book_each(Carrier::gathering, Direction::received, peers, parts);
  const std::int64_t bytes = parts.of(peers.mine);
  if (bytes == 0) return;
  book(Carrier::gathering, Direction::sent, peers.elsewhere[static_cast<std::size_t>(root)] != 0, {1, bytes});
}

void Ledger::scatter(MPI_Comm communicator, int root, const Parts& parts) {
  const Peers& peers = peers_of(communicator);
  if (root == peers.mine) return book_each(Carrier::gathering, Direction::sent, peers, parts);
  const std::int64_t bytes = parts.of(peers.mine);
  if (bytes == 0) return;
  book(Carrier::gathering, Direction::received, peers.elsewhere[static_cast<std::size_t>(root)] != 0, {1, bytes});
}

void Ledger::allgather(MPI_Comm communicator, const Parts& parts) {
  const Peers& peers = peers_of(communicator);
  book_each(Carrier::gathering, Direction::received, peers, parts);
  if (const std::int64_t mine = parts.of(peers.mine); mine != 0) {
    book_once(Carrier::gathering, Direction::sent, peers, mine);
  }
}

void Ledger::alltoall(MPI_Comm communicator, const Parts& sent, const Parts& received) {
  const Peers& peers = peers_of(communicator);
  book_each(Carrier::gathering, Direction::sent, peers, sent);
  book_each(Carrier::gathering, Direction::received, peers, received);
}

void Ledger::reduce(MPI_Comm communicator, int root, std::int64_t bytes) {
  if (bytes == 0) return;
  const Peers& peers = peers_of(communicator);
  if (root == peers.mine) return book_once(Carrier::reduction, Direction::received, peers, bytes);
  book(Carrier::reduction, Direction::sent, peers.elsewhere[static_cast<std::size_t>(root)] != 0, {1, bytes});
}

void Ledger::allreduce(MPI_Comm communicator, std::int64_t bytes) {
  if (bytes == 0) return;
  const Peers& peers = peers_of(communicator);
  book_once(Carrier::reduction, Direction::received, peers, bytes);
  book_once(Carrier::reduction, Direction::sent, peers, bytes);
}

void Ledger::reduce_scatter(MPI_Comm communicator, const Parts& blocks) {
  const Peers& peers = peers_of(communicator);
  book_each(Carrier::reduction, Direction::sent, peers, blocks);
  if (const std::int64_t mine = blocks.of(peers.mine); mine != 0) {
    book_once(Carrier::reduction, Direction::received, peers, mine);
  }
}

void Ledger::scan(MPI_Comm communicator, std::int64_t bytes) {
  if (bytes == 0) return;
  const Peers& peers = peers_of(communicator);
  const auto any_elsewhere = [&](int begin, int end) {
    for (int peer = begin; peer < end; ++peer) {
      if (peers.elsewhere[static_cast<std::size_t>(peer)] != 0) return true;
    }
    return false;
  };
  if (peers.mine > 0) book(Carrier::reduction, Direction::received, any_elsewhere(0, peers.mine), {1, bytes});
  if (peers.mine + 1 < peers.size()) {
    book(Carrier::reduction, Direction::sent, any_elsewhere(peers.mine + 1, peers.size()), {1, bytes});
  }
}

void Ledger::one_sided(MPI_Win window, int target, std::int64_t to_target, std::int64_t to_origin) {
  if (target == MPI_PROC_NULL) return;
  const Peers& peers = peers_of(window);
  if (target == peers.mine) return;
  const auto at = static_cast<std::size_t>(target);
  const bool elsewhere = peers.elsewhere[at] != 0;
  const int rank = peers.rank_in_all[at];
  if (to_target > 0) book(Carrier::one_sided, Direction::sent, elsewhere, {1, to_target});
  if (to_origin > 0) book(Carrier::one_sided, Direction::received, elsewhere, {1, to_origin});
  if (rank == MPI_UNDEFINED) return;
  AtPeer& peer = at_peer_[static_cast<std::size_t>(rank)];
  if (to_target > 0) peer.one_sided_received += {1, to_target};
  if (to_origin > 0) peer.one_sided_sent += {1, to_origin};
}

RankTraffic Ledger::total() const {
  RankTraffic total = own_;
  // Most algorithms leave nothing to tell, and a message to each rank from each is a lot on thousands of ranks.
  int something = 0;
  for (const AtPeer& peer : at_peer_) {
    const Volume any = peer.messages_received + peer.one_sided_received + peer.one_sided_sent;
    if (any.messages > 0) something = 1;
  }
  check(PMPI_Allreduce(MPI_IN_PLACE, &something, 1, MPI_INT, MPI_MAX, all_));
  if (something == 0) return total;

  static_assert(sizeof(AtPeer) == 6 * sizeof(std::int64_t));
  std::vector<AtPeer> by_peer(at_peer_.size());
  check(PMPI_Alltoall(at_peer_.data(), 6, MPI_INT64_T, by_peer.data(), 6, MPI_INT64_T, all_));
  for (std::size_t peer = 0; peer < by_peer.size(); ++peer) {
    const bool elsewhere = node_of_rank_[peer] != node_of_rank_[static_cast<std::size_t>(rank_)];
    const auto add = [elsewhere](Flow& flow, Volume volume) {
      (elsewhere ? flow.between_nodes : flow.within_node) += volume;
    };
    add(total.by(Carrier::point_to_point).received, by_peer[peer].messages_received);
    add(total.by(Carrier::one_sided).received, by_peer[peer].one_sided_received);
    add(total.by(Carrier::one_sided).sent, by_peer[peer].one_sided_sent);
  }
  return total;
}

}  // namespace duet
