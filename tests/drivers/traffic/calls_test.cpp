/// Each MPI call is counted as the table of drivers/traffic/traffic.hpp says, on any number of ranks, on nodes as they
/// are told.

#include <gtest/gtest.h>
#include <mpi.h>

#include <algorithm>
#include <array>
#include <functional>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

#include "drivers/traffic/ledger.hpp"
#include "drivers/traffic/meter.hpp"
#include "kernels/core/mpi.hpp"

namespace duet {
namespace {

const MPI_Comm world = MPI_COMM_WORLD;
int my_rank() { return rank_in(world); }
int ranks() { return size_of(world); }

/// Nodes of two neighbouring ranks each: 0 0 1 1 2 2 ...
std::vector<int> pairs() {
  std::vector<int> nodes;
  for (int rank = 0; rank < ranks(); ++rank) nodes.push_back(rank / 2);
  return nodes;
}
bool on_my_node(int rank) { return rank / 2 == my_rank() / 2; }

RankTraffic counted(const std::function<void()>& act, const std::vector<int>& nodes = pairs()) {
  TrafficMeter meter{world, nodes};
  {
    const TrafficMeter::Running running{meter};
    act();
  }
  check(MPI_Barrier(world));
  return meter.total();
}

/// What is expected of one direction: `bytes` from (or to) every rank of `peers`, a message each.
Flow with_each(const std::vector<int>& peers, std::int64_t bytes) {
  Flow flow;
  for (const int peer : peers) (on_my_node(peer) ? flow.within_node : flow.between_nodes) += {1, bytes};
  return flow;
}

/// One message of `bytes` that concerns all of `peers`; none where there are none.
Flow with_all(const std::vector<int>& peers, std::int64_t bytes) {
  Flow flow;
  if (peers.empty()) return flow;
  (std::ranges::all_of(peers, on_my_node) ? flow.within_node : flow.between_nodes) += {1, bytes};
  return flow;
}

std::vector<int> ranks_from(int begin, int end) {
  std::vector<int> chosen;
  for (int rank = begin; rank < end; ++rank) {
    if (rank != my_rank()) chosen.push_back(rank);
  }
  return chosen;
}
std::vector<int> others() { return ranks_from(0, ranks()); }
std::vector<int> only(int rank) { return ranks_from(rank, rank + 1); }

/// Calls `act` and expects what `carrier` carried, and that nothing else carried anything.
void expect(const std::string& name, Carrier carrier, const Flow& received, const Flow& sent,
            const std::function<void()>& act) {
  SCOPED_TRACE(name + " on rank " + std::to_string(my_rank()));
  RankTraffic expected;
  expected.by(carrier) = {received, sent};
  const RankTraffic found = counted(act);
  for (std::size_t other = 0; other < carriers; ++other) {
    const RankTraffic::Both& is = found.by_carrier[other];
    const RankTraffic::Both& should = expected.by_carrier[other];
    const auto compare = [&](const char* what, const Volume& one, const Volume& two) {
      EXPECT_EQ(one.messages, two.messages) << what << " by " << name_of(Carrier{static_cast<int>(other)});
      EXPECT_EQ(one.bytes, two.bytes) << what << " by " << name_of(Carrier{static_cast<int>(other)});
    };
    compare("received within the node", is.received.within_node, should.received.within_node);
    compare("received between nodes", is.received.between_nodes, should.received.between_nodes);
    compare("sent within the node", is.sent.within_node, should.sent.within_node);
    compare("sent between nodes", is.sent.between_nodes, should.sent.between_nodes);
  }
}

/// A blocking call and its immediate twin.
using Start = std::function<int(MPI_Request*)>;
void expect_both(const std::string& name, Carrier carrier, const Flow& received, const Flow& sent,
                 const std::function<int()>& blocking, const Start& immediate) {
  expect(name, carrier, received, sent, [&] { check(blocking()); });
  expect("immediate " + name, carrier, received, sent, [&] {
    MPI_Request request = MPI_REQUEST_NULL;
    check(immediate(&request));
    check(MPI_Wait(&request, MPI_STATUS_IGNORE));
  });
}

/// Room for 4 elements of every rank, on both sides.
struct Buffers {
  std::vector<double> from = std::vector<double>(static_cast<std::size_t>(4 * ranks()));
  std::vector<double> to = std::vector<double>(static_cast<std::size_t>(4 * ranks()));
};

/// Rank r's share where shares differ: r modulo 3 elements, so that some are empty.
struct Uneven {
  Uneven() {
    for (int rank = 0; rank < ranks(); ++rank) {
      counts.push_back(rank % 3);
      offsets.push_back(4 * rank);
    }
  }
  [[nodiscard]] static int of(int rank) { return rank % 3; }
  [[nodiscard]] static Flow with_each(const std::vector<int>& peers) {
    Flow flow;
    for (const int peer : peers) {
      if (of(peer) > 0) flow += duet::with_each({peer}, 8 * of(peer));
    }
    return flow;
  }
  [[nodiscard]] static Flow mine_with(const std::vector<int>& peers) {
    return of(my_rank()) == 0 ? Flow{} : duet::with_each(peers, 8 * of(my_rank()));
  }

  std::vector<int> counts;
  std::vector<int> offsets;
};

constexpr MPI_Datatype real() { return MPI_DOUBLE; }

class EveryRoot : public testing::Test {
 protected:
  static std::vector<int> roots() { return {0, ranks() - 1}; }
};

TEST(TrafficCalls, CountAMessageWhereItIsSentAndWhereItArrives) {
  const int next = (my_rank() + 1) % ranks();
  const int before = (my_rank() + ranks() - 1) % ranks();
  using Send = int (*)(const void*, int, MPI_Datatype, int, int, MPI_Comm);
  using Isend = int (*)(const void*, int, MPI_Datatype, int, int, MPI_Comm, MPI_Request*);
  double from = 1;
  std::array<double, 5> to{};
  std::vector<char> attached(1 << 16);
  check(MPI_Buffer_attach(attached.data(), static_cast<int>(attached.size())));
  // The receiver's room is larger than the message: what arrives counts, not what would fit.
  const auto around = [&](const std::function<void()>& send) {
    MPI_Request arriving = MPI_REQUEST_NULL;
    check(MPI_Irecv(to.data(), 5, MPI_DOUBLE, before, 0, world, &arriving));
    send();
    check(MPI_Wait(&arriving, MPI_STATUS_IGNORE));
  };
  const Flow received = with_each(only(before), 8);
  const Flow sent = with_each(only(next), 8);
  for (const Send send : {Send{MPI_Send}, Send{MPI_Bsend}}) {
    expect("send", Carrier::point_to_point, received, sent,
           [&] { around([&] { check(send(&from, 1, MPI_DOUBLE, next, 0, world)); }); });
  }
  for (const Isend send : {Isend{MPI_Isend}, Isend{MPI_Issend}, Isend{MPI_Ibsend}}) {
    expect("immediate send", Carrier::point_to_point, received, sent, [&] {
      MPI_Request leaving = MPI_REQUEST_NULL;
      around([&] { check(send(&from, 1, MPI_DOUBLE, next, 0, world, &leaving)); });
      check(MPI_Wait(&leaving, MPI_STATUS_IGNORE));
    });
  }
  expect("sendrecv", Carrier::point_to_point, received, sent, [&] {
    check(MPI_Sendrecv(&from, 1, MPI_DOUBLE, next, 0, to.data(), 5, MPI_DOUBLE, before, 0, world, MPI_STATUS_IGNORE));
  });
  expect("sendrecv_replace", Carrier::point_to_point, received, sent,
         [&] { check(MPI_Sendrecv_replace(&from, 1, MPI_DOUBLE, next, 0, before, 0, world, MPI_STATUS_IGNORE)); });
  expect("an empty message", Carrier::point_to_point, with_each(only(before), 0), with_each(only(next), 0), [&] {
    check(MPI_Sendrecv(&from, 0, MPI_DOUBLE, next, 0, to.data(), 5, MPI_DOUBLE, before, 0, world, MPI_STATUS_IGNORE));
  });
  expect("a message to nobody", Carrier::point_to_point, {}, {},
         [&] { check(MPI_Send(&from, 1, MPI_DOUBLE, MPI_PROC_NULL, 0, world)); });
  void* detached = nullptr;
  int size = 0;
  check(MPI_Buffer_detach(static_cast<void*>(&detached), &size));
}

TEST(TrafficCalls, CountSynchronousAndReadySends) {
  if (ranks() < 2) GTEST_SKIP() << "it takes two ranks";
  double word = 1;
  const Flow one = my_rank() < 2 ? with_each({1 - my_rank()}, 8) : Flow{};
  for (const bool ready : {false, true}) {
    const Flow received = my_rank() == 1 ? one : Flow{};
    const Flow sent = my_rank() == 0 ? one : Flow{};
    // A ready send may only start when its receive was posted: the barrier outside the count says so.
    MPI_Request arriving = MPI_REQUEST_NULL;
    const auto post = [&] {
      if (my_rank() == 1) check(MPI_Irecv(&word, 1, MPI_DOUBLE, 0, 0, world, &arriving));
      check(MPI_Barrier(world));
    };
    post();
    expect("blocking", Carrier::point_to_point, received, sent, [&] {
      if (my_rank() == 0) check((ready ? MPI_Rsend : MPI_Ssend)(&word, 1, MPI_DOUBLE, 1, 0, world));
      if (my_rank() == 1) check(MPI_Wait(&arriving, MPI_STATUS_IGNORE));
    });
    post();
    expect("immediate", Carrier::point_to_point, received, sent, [&] {
      MPI_Request leaving = MPI_REQUEST_NULL;
      if (my_rank() == 0) check((ready ? MPI_Irsend : MPI_Issend)(&word, 1, MPI_DOUBLE, 1, 0, world, &leaving));
      if (my_rank() == 0) check(MPI_Wait(&leaving, MPI_STATUS_IGNORE));
      if (my_rank() == 1) check(MPI_Wait(&arriving, MPI_STATUS_IGNORE));
    });
  }
}

TEST(TrafficCalls, CountABarrierAsAMessageOfNoBytes) {
  const Flow one = with_all(others(), 0);
  expect_both(
      "barrier", Carrier::barrier, one, one, [] { return MPI_Barrier(world); },
      [](MPI_Request* request) { return MPI_Ibarrier(world, request); });
}

TEST_F(EveryRoot, SendsABroadcastOnce) {
  std::array<double, 3> words{};
  for (const int root : roots()) {
    const bool mine = my_rank() == root;
    expect_both(
        "broadcast", Carrier::broadcast, mine ? Flow{} : with_each({root}, 24), mine ? with_all(others(), 24) : Flow{},
        [&] { return MPI_Bcast(words.data(), 3, MPI_DOUBLE, root, world); },
        [&](MPI_Request* request) { return MPI_Ibcast(words.data(), 3, MPI_DOUBLE, root, world, request); });
    expect("an empty broadcast", Carrier::broadcast, {}, {},
           [&] { check(MPI_Bcast(words.data(), 0, MPI_DOUBLE, root, world)); });
  }
}

TEST_F(EveryRoot, GathersFromEachAndScattersToEach) {
  Buffers b;
  const Uneven uneven;
  const int mine = Uneven::of(my_rank());
  for (const int root : roots()) {
    const bool at_root = my_rank() == root;
    const Flow from_others = at_root ? with_each(others(), 16) : Flow{};
    const Flow to_root = at_root ? Flow{} : with_each({root}, 16);
    // What is no root's business is described by nothing there: a null type must not be looked at.
    const MPI_Datatype at_root_alone = at_root ? MPI_DOUBLE : MPI_DATATYPE_NULL;
    expect_both(
        "gather", Carrier::gathering, from_others, to_root,
        [&] { return MPI_Gather(b.from.data(), 2, real(), b.to.data(), 2, at_root_alone, root, world); },
        [&](MPI_Request* r) {
          return MPI_Igather(b.from.data(), 2, real(), b.to.data(), 2, at_root_alone, root, world, r);
        });
    expect("gather in place", Carrier::gathering, from_others, to_root, [&] {
      check(MPI_Gather(at_root ? MPI_IN_PLACE : b.from.data(), 2, real(), b.to.data(), 2, real(), root, world));
    });
    expect_both(
        "scatter", Carrier::gathering, to_root, from_others,
        [&] { return MPI_Scatter(b.from.data(), 2, at_root_alone, b.to.data(), 2, real(), root, world); },
        [&](MPI_Request* r) {
          return MPI_Iscatter(b.from.data(), 2, at_root_alone, b.to.data(), 2, real(), root, world, r);
        });
    expect("scatter in place", Carrier::gathering, to_root, from_others, [&] {
      check(MPI_Scatter(b.from.data(), 2, real(), at_root ? MPI_IN_PLACE : b.to.data(), 2, real(), root, world));
    });

    const Flow uneven_from_others = at_root ? Uneven::with_each(others()) : Flow{};
    const Flow uneven_to_root = at_root ? Flow{} : Uneven::mine_with({root});
    const int* const counts = uneven.counts.data();
    const int* const offsets = uneven.offsets.data();
    expect_both(
        "gatherv", Carrier::gathering, uneven_from_others, uneven_to_root,
        [&] { return MPI_Gatherv(b.from.data(), mine, real(), b.to.data(), counts, offsets, real(), root, world); },
        [&](MPI_Request* r) {
          return MPI_Igatherv(b.from.data(), mine, real(), b.to.data(), counts, offsets, real(), root, world, r);
        });
    expect_both(
        "scatterv", Carrier::gathering, uneven_to_root, uneven_from_others,
        [&] { return MPI_Scatterv(b.from.data(), counts, offsets, real(), b.to.data(), mine, real(), root, world); },
        [&](MPI_Request* r) {
          return MPI_Iscatterv(b.from.data(), counts, offsets, real(), b.to.data(), mine, real(), root, world, r);
        });
  }
}

TEST(TrafficCalls, CountAnAllgatherAsOneBlockFromEach) {
  Buffers b;
  const Uneven uneven;
  const int* const counts = uneven.counts.data();
  const int* const offsets = uneven.offsets.data();
  const int mine = Uneven::of(my_rank());
  const Flow received = with_each(others(), 16);
  const Flow sent = with_all(others(), 16);
  expect_both(
      "allgather", Carrier::gathering, received, sent,
      [&] { return MPI_Allgather(b.from.data(), 2, real(), b.to.data(), 2, real(), world); },
      [&](MPI_Request* r) { return MPI_Iallgather(b.from.data(), 2, real(), b.to.data(), 2, real(), world, r); });
  expect("allgather in place", Carrier::gathering, received, sent,
         [&] { check(MPI_Allgather(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, b.to.data(), 2, real(), world)); });
  expect_both(
      "allgatherv", Carrier::gathering, Uneven::with_each(others()), mine == 0 ? Flow{} : with_all(others(), 8 * mine),
      [&] { return MPI_Allgatherv(b.from.data(), mine, real(), b.to.data(), counts, offsets, real(), world); },
      [&](MPI_Request* r) {
        return MPI_Iallgatherv(b.from.data(), mine, real(), b.to.data(), counts, offsets, real(), world, r);
      });
}

TEST(TrafficCalls, CountAnAlltoallAsABlockToAndFromEach) {
  Buffers b;
  const Flow each = with_each(others(), 16);
  expect_both(
      "alltoall", Carrier::gathering, each, each,
      [&] { return MPI_Alltoall(b.from.data(), 2, real(), b.to.data(), 2, real(), world); },
      [&](MPI_Request* r) { return MPI_Ialltoall(b.from.data(), 2, real(), b.to.data(), 2, real(), world, r); });
  expect("alltoall in place", Carrier::gathering, each, each,
         [&] { check(MPI_Alltoall(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, b.to.data(), 2, real(), world)); });

  // To rank r go r modulo 3 elements, so that each receives its own share from all.
  const Uneven uneven;
  const int* const counts = uneven.counts.data();
  const int* const offsets = uneven.offsets.data();
  const std::vector<int> wanted(uneven.counts.size(), Uneven::of(my_rank()));
  const Flow received = Uneven::mine_with(others());
  const Flow sent = Uneven::with_each(others());
  expect_both(
      "alltoallv", Carrier::gathering, received, sent,
      [&] {
        return MPI_Alltoallv(b.from.data(), counts, offsets, real(), b.to.data(), wanted.data(), offsets, real(),
                             world);
      },
      [&](MPI_Request* r) {
        return MPI_Ialltoallv(b.from.data(), counts, offsets, real(), b.to.data(), wanted.data(), offsets, real(),
                              world, r);
      });
  const std::vector<MPI_Datatype> types(uneven.counts.size(), real());
  expect_both(
      "alltoallw", Carrier::gathering, received, sent,
      [&] {
        return MPI_Alltoallw(b.from.data(), counts, offsets, types.data(), b.to.data(), wanted.data(), offsets,
                             types.data(), world);
      },
      [&](MPI_Request* r) {
        return MPI_Ialltoallw(b.from.data(), counts, offsets, types.data(), b.to.data(), wanted.data(), offsets,
                              types.data(), world, r);
      });
  const std::vector<int> two(uneven.counts.size(), 2);
  expect("alltoallv in place", Carrier::gathering, each, each, [&] {
    check(MPI_Alltoallv(MPI_IN_PLACE, nullptr, nullptr, MPI_DATATYPE_NULL, b.to.data(), two.data(), offsets, real(),
                        world));
  });
}

TEST_F(EveryRoot, ReducesToOneSum) {
  Buffers b;
  for (const int root : roots()) {
    const bool at_root = my_rank() == root;
    const Flow received = at_root ? with_all(others(), 16) : Flow{};
    const Flow sent = at_root ? Flow{} : with_each({root}, 16);
    expect_both(
        "reduce", Carrier::reduction, received, sent,
        [&] { return MPI_Reduce(b.from.data(), b.to.data(), 2, real(), MPI_SUM, root, world); },
        [&](MPI_Request* r) { return MPI_Ireduce(b.from.data(), b.to.data(), 2, real(), MPI_SUM, root, world, r); });
    expect("reduce in place", Carrier::reduction, received, sent, [&] {
      check(MPI_Reduce(at_root ? MPI_IN_PLACE : b.from.data(), b.to.data(), 2, real(), MPI_SUM, root, world));
    });
  }
}

TEST(TrafficCalls, CountASumOnceOnEveryRankThatGetsIt) {
  Buffers b;
  const Flow whole = with_all(others(), 16);
  expect_both(
      "allreduce", Carrier::reduction, whole, whole,
      [&] { return MPI_Allreduce(b.from.data(), b.to.data(), 2, real(), MPI_SUM, world); },
      [&](MPI_Request* r) { return MPI_Iallreduce(b.from.data(), b.to.data(), 2, real(), MPI_SUM, world, r); });
  expect("allreduce in place", Carrier::reduction, whole, whole,
         [&] { check(MPI_Allreduce(MPI_IN_PLACE, b.to.data(), 2, real(), MPI_SUM, world)); });
  expect_both(
      "reduce_scatter_block", Carrier::reduction, whole, with_each(others(), 16),
      [&] { return MPI_Reduce_scatter_block(b.from.data(), b.to.data(), 2, real(), MPI_SUM, world); },
      [&](MPI_Request* r) {
        return MPI_Ireduce_scatter_block(b.from.data(), b.to.data(), 2, real(), MPI_SUM, world, r);
      });
  const Uneven uneven;
  const int mine = Uneven::of(my_rank());
  const int* const counts = uneven.counts.data();
  expect_both(
      "reduce_scatter", Carrier::reduction, mine == 0 ? Flow{} : with_all(others(), 8 * mine),
      Uneven::with_each(others()),
      [&] { return MPI_Reduce_scatter(b.from.data(), b.to.data(), counts, real(), MPI_SUM, world); },
      [&](MPI_Request* r) {
        return MPI_Ireduce_scatter(b.from.data(), b.to.data(), counts, real(), MPI_SUM, world, r);
      });
  const Flow from_before = with_all(ranks_from(0, my_rank()), 16);
  const Flow to_after = with_all(ranks_from(my_rank() + 1, ranks()), 16);
  expect_both(
      "scan", Carrier::reduction, from_before, to_after,
      [&] { return MPI_Scan(b.from.data(), b.to.data(), 2, real(), MPI_SUM, world); },
      [&](MPI_Request* r) { return MPI_Iscan(b.from.data(), b.to.data(), 2, real(), MPI_SUM, world, r); });
  expect_both(
      "exscan", Carrier::reduction, from_before, to_after,
      [&] { return MPI_Exscan(b.from.data(), b.to.data(), 2, real(), MPI_SUM, world); },
      [&](MPI_Request* r) { return MPI_Iexscan(b.from.data(), b.to.data(), 2, real(), MPI_SUM, world, r); });
}

/// Every rank calls on the next one's window; the one before calls on its own.
class OneSided : public testing::Test {
 protected:
  void expect_around(const std::string& name, std::int64_t to_target, std::int64_t to_origin,
                     const std::function<int(int)>& act) {
    const auto flow = [](int peer, std::int64_t bytes) { return bytes == 0 ? Flow{} : with_each(only(peer), bytes); };
    Flow received = flow(before_, to_target);
    received += flow(next_, to_origin);
    Flow sent = flow(next_, to_target);
    sent += flow(before_, to_origin);
    expect(name, Carrier::one_sided, received, sent, [&] {
      check(act(next_));
      check(MPI_Win_flush(next_, win_));
    });
  }
  void expect_request(const std::string& name, std::int64_t to_target, std::int64_t to_origin,
                      const std::function<int(int, MPI_Request*)>& act) {
    expect_around(name, to_target, to_origin, [&](int target) {
      MPI_Request request = MPI_REQUEST_NULL;
      check(act(target, &request));
      return MPI_Wait(&request, MPI_STATUS_IGNORE);
    });
  }

  const int next_ = (my_rank() + 1) % ranks();
  const int before_ = (my_rank() + ranks() - 1) % ranks();
  Window<double> window_{4, world};
  const MPI_Win win_ = window_.get();
  std::array<double, 4> o_{};
  std::array<double, 4> r_{};
};

TEST_F(OneSided, CountsWhatCallsMoveIntoAndOutOfTheirTargets) {
  const MPI_Datatype d = MPI_DOUBLE;
  expect_around("put", 16, 0, [&](int t) { return MPI_Put(o_.data(), 2, d, t, 0, 2, d, win_); });
  expect_request("rput", 16, 0, [&](int t, MPI_Request* r) { return MPI_Rput(o_.data(), 2, d, t, 0, 2, d, win_, r); });
  expect_around("get", 0, 24, [&](int t) { return MPI_Get(o_.data(), 3, d, t, 0, 3, d, win_); });
  expect_request("rget", 0, 24, [&](int t, MPI_Request* r) { return MPI_Rget(o_.data(), 3, d, t, 0, 3, d, win_, r); });
  expect_around("accumulate", 16, 0, [&](int t) { return MPI_Accumulate(o_.data(), 2, d, t, 0, 2, d, MPI_SUM, win_); });
  expect_request("raccumulate", 16, 0,
                 [&](int t, MPI_Request* r) { return MPI_Raccumulate(o_.data(), 2, d, t, 0, 2, d, MPI_SUM, win_, r); });
  expect_around("get_accumulate", 16, 16,
                [&](int t) { return MPI_Get_accumulate(o_.data(), 2, d, r_.data(), 2, d, t, 0, 2, d, MPI_SUM, win_); });
  expect_around("get_accumulate without operand", 0, 16,
                [&](int t) { return MPI_Get_accumulate(nullptr, 0, d, r_.data(), 2, d, t, 0, 2, d, MPI_NO_OP, win_); });
  expect_request("rget_accumulate", 16, 16, [&](int t, MPI_Request* r) {
    return MPI_Rget_accumulate(o_.data(), 2, d, r_.data(), 2, d, t, 0, 2, d, MPI_SUM, win_, r);
  });
  expect_around("fetch_and_op", 8, 8,
                [&](int t) { return MPI_Fetch_and_op(o_.data(), r_.data(), d, t, 0, MPI_SUM, win_); });
  expect_around("an atomic read", 0, 8,
                [&](int t) { return MPI_Fetch_and_op(o_.data(), r_.data(), d, t, 0, MPI_NO_OP, win_); });
  Window<std::int64_t> words{1, world};
  std::array<std::int64_t, 3> w{};
  const auto received = [&](int peer, std::int64_t bytes) { return with_each(only(peer), bytes); };
  Flow in = received(before_, 16);
  in += received(next_, 8);
  Flow out = received(next_, 16);
  out += received(before_, 8);
  expect("compare_and_swap", Carrier::one_sided, in, out, [&] {
    check(MPI_Compare_and_swap(w.data(), &w[1], &w[2], MPI_INT64_T, next_, 0, words.get()));
    check(MPI_Win_flush(next_, words.get()));
  });
}

TEST_F(OneSided, CountsNothingThatARankDoesToItself) {
  const RankTraffic traffic = counted([&] {
    check(MPI_Put(o_.data(), 2, MPI_DOUBLE, my_rank(), 0, 2, MPI_DOUBLE, win_));
    check(MPI_Win_flush(my_rank(), win_));
    check(MPI_Sendrecv(o_.data(), 1, MPI_DOUBLE, my_rank(), 0, r_.data(), 1, MPI_DOUBLE, my_rank(), 0, world,
                       MPI_STATUS_IGNORE));
    check(MPI_Allreduce(MPI_IN_PLACE, o_.data(), 1, MPI_DOUBLE, MPI_SUM, MPI_COMM_SELF));
  });
  EXPECT_EQ(traffic, RankTraffic{});
}

TEST(TrafficMeter, CountsOnlyWhileItRuns) {
  double word = my_rank();
  check(MPI_Allreduce(MPI_IN_PLACE, &word, 1, MPI_DOUBLE, MPI_SUM, world));
  TrafficMeter meter{world, pairs()};
  check(MPI_Bcast(&word, 1, MPI_DOUBLE, 0, world));
  EXPECT_EQ(meter.total(), RankTraffic{});
  for (int times = 1; times <= 3; ++times) {
    {
      const TrafficMeter::Running running{meter};
      check(MPI_Allreduce(MPI_IN_PLACE, &word, 1, MPI_DOUBLE, MPI_SUM, world));
    }
    check(MPI_Bcast(&word, 1, MPI_DOUBLE, 0, world));
    const Flow sum = meter.total().by(Carrier::reduction).received;
    EXPECT_EQ(sum.whole(), (ranks() == 1 ? Volume{} : Volume{times, 8 * times}));
    EXPECT_EQ(meter.total().received(), sum);
  }
  meter.clear();
  EXPECT_EQ(meter.total(), RankTraffic{});
}

TEST(TrafficMeter, StopsWhereTheCountedCodeThrows) {
  TrafficMeter meter{world};
  EXPECT_THROW(
      {
        const TrafficMeter::Running running{meter};
        throw std::runtime_error("as asked");
      },
      std::runtime_error);
  check(MPI_Barrier(world));
  EXPECT_EQ(meter.total(), RankTraffic{});
}

TEST(TrafficMeter, RunsOneAtATime) {
  TrafficMeter first{world};
  TrafficMeter second{world};
  const TrafficMeter::Running running{first};
  EXPECT_THROW(TrafficMeter::Running{second}, std::logic_error);
}

TEST(TrafficMeter, WantsTheNodeOfEveryRank) {
  std::vector<int> nodes(static_cast<std::size_t>(ranks()) + 1);
  EXPECT_THROW((TrafficMeter{world, nodes}), std::invalid_argument);
}

TEST(TrafficMeter, FindsNodesByTheMemoryThatRanksShare) {
  // The tests run on one host: all share.
  EXPECT_EQ(nodes_by_memory(world), std::vector<int>(static_cast<std::size_t>(ranks()), 0));
  TrafficMeter meter{world};
  {
    const TrafficMeter::Running running{meter};
    check(MPI_Barrier(world));
  }
  EXPECT_EQ(meter.total().received().between_nodes, Volume{});
}

TEST(TrafficMeter, KnowsNodesUnderAnyNumberingOfTheRanks) {
  // Ranks in reverse in a communicator of their own, which a second one numbers as before.
  const Communicator reversed = Communicator::split(world, 0, -my_rank());
  const int next = (rank_in(reversed.get()) + 1) % ranks();
  const int next_in_world = ranks() - 1 - next;
  const RankTraffic traffic = counted([&] {
    double word = 0;
    check(MPI_Sendrecv_replace(&word, 1, MPI_DOUBLE, next, 0, MPI_ANY_SOURCE, 0, reversed.get(), MPI_STATUS_IGNORE));
  });
  EXPECT_EQ(traffic.sent(), with_each(only(next_in_world), 8));
}

TEST(TrafficMeter, ForgetsTheNodesOfOneMeterInTheNext) {
  std::vector<int> apart;
  for (int rank = 0; rank < ranks(); ++rank) apart.push_back(rank);
  for (const bool separate : {false, true, false}) {
    const RankTraffic traffic =
        counted([] { check(MPI_Barrier(world)); }, separate ? apart : std::vector<int>(apart.size(), 7));
    const Volume one{ranks() == 1 ? 0 : 1, 0};
    EXPECT_EQ(traffic.received().between_nodes, separate ? one : Volume{});
    EXPECT_EQ(traffic.received().within_node, separate ? Volume{} : one);
  }
}

TEST(TrafficMeter, SumsUpOverAllRanks) {
  double word = 0;
  const RankTraffic mine = counted([&] {
    check(MPI_Bcast(&word, 1, MPI_DOUBLE, 0, world));
    check(MPI_Barrier(world));
  });
  const Traffic traffic = over_all(world, mine);
  if (my_rank() != 0) return;
  const int p = ranks();
  const std::int64_t several = p > 1 ? 1 : 0;
  EXPECT_EQ(traffic.received.in_all, (Volume{(p - 1) + p * several, 8 * (p - 1)}));
  EXPECT_EQ(traffic.received.most, (Volume{2 * several, 8 * several}));
  EXPECT_EQ(traffic.sent.in_all, (Volume{several + p * several, 8 * several}));
  EXPECT_EQ(traffic.sent.most, (Volume{2 * several, 8 * several}));
  // Rank 1 is on the root's node, ranks 2 and above are not; the barrier is between nodes as soon as there are two.
  const std::int64_t far = std::max(0, p - 2);
  EXPECT_EQ(traffic.received_between_nodes.in_all, (Volume{far + (p > 2 ? p : 0), 8 * far}));
  EXPECT_EQ(traffic.received_by[static_cast<std::size_t>(Carrier::broadcast)], (Volume{p - 1, 8 * (p - 1)}));
  EXPECT_EQ(traffic.received_by[static_cast<std::size_t>(Carrier::barrier)], (Volume{p * several, 0}));
}

TEST(TrafficBytes, AreThoseOfTheDataBeyondTwoToTheThirtyOneToo) {
  const Datatype run = Datatype::run_of(std::int64_t{1} << 30, MPI_DOUBLE);
  EXPECT_EQ(bytes_of(3, run.get()), std::int64_t{24} << 30);
  EXPECT_EQ(bytes_of(std::numeric_limits<int>::max(), MPI_DOUBLE), 8 * std::int64_t{std::numeric_limits<int>::max()});
  MPI_Datatype strided = MPI_DATATYPE_NULL;
  check(MPI_Type_vector(3, 2, 5, MPI_DOUBLE, &strided));
  const Datatype owned{strided};
  EXPECT_EQ(bytes_of(2, owned.get()), 2 * 3 * 2 * 8);
}

}  // namespace
}  // namespace duet
