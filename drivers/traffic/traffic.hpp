#pragma once

/// Messages and bytes that ranks move, as plain figures: what is counted, and how.
///
/// Counted is what the *definition* of an MPI operation makes enter and leave a rank, not what one implementation sends
/// for it. So a count is a property of the algorithm that made the calls: the same on every machine, in every MPI and
/// in every run (where the calls themselves do not depend on timing), and comparable with the words that each rank
/// receives in the literature (SUMMA, the lower bounds of Al Daas, Ballard, Grigori, Kumar and Rouse: "Tight
/// memory-independent parallel matrix multiplication communication lower bounds", 2022). With b bytes in the block that
/// one rank gives or gets, on p ranks:
///
///     operation                 enters this rank                    leaves this rank
///     point to point            b for each message sent to it       b for each message it sends
///     broadcast                 b, but at the root                  b, at the root
///     gather                    b from each other, at the root      b, but at the root
///     scatter                   b, but at the root                  b to each other, at the root
///     allgather                 b from each other                   b
///     alltoall                  b from each other                   b to each other
///     reduce                    b, at the root                      b, but at the root
///     allreduce                 b                                   b
///     reduce_scatter            b: its own block of the sum         b for each other's block
///     scan, exscan              b, but at the first rank            b, but at the last rank
///     put, accumulate           b, at the target                    b, at the origin
///     get                       b, at the origin                    b, at the target
///     get_accumulate,           both: the operand enters the target (not for MPI_NO_OP), what was there before enters
///     fetch_and_op              the origin
///     compare_and_swap          the same; its operand is two elements
///     barrier                   a message of no bytes               a message of no bytes
///
/// Each entry of b is one message. Two rules stand behind the table: a word that several ranks want leaves once
/// (broadcast, allgather), since who copies it is the implementation's affair; and a sum enters once, since who adds is
/// too. Therefore what leaves all ranks together can be less than what enters them. What a rank gives itself is not
/// moved. Empty parts of collective operations move nothing and are no messages; an empty point-to-point message is
/// one.
///
/// A message is *between nodes* where its two ranks are on different nodes. A word that leaves once for many, and a sum
/// that enters from many, are between nodes as soon as one of the many is on another node.
///
/// Not counted: what creating and freeing communicators and windows moves, the requests of MPI_Win_flush and the like,
/// the loads and stores in windows of shared memory, and anything outside MPI.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace duet {

/// By what words are moved.
enum class Carrier {
  point_to_point,
  broadcast,
  gathering,  ///< gather, scatter, allgather, alltoall: every block has one source and is not combined
  reduction,  ///< reduce, allreduce, reduce_scatter, scan
  one_sided,
  barrier,
};
inline constexpr std::size_t carriers = 6;
[[nodiscard]] constexpr std::string_view name_of(Carrier carrier) {
  constexpr std::array<std::string_view, carriers> names{"point_to_point", "broadcast", "gathering",
                                                         "reduction",      "one_sided", "barrier"};
  return names[static_cast<std::size_t>(carrier)];
}

struct Volume {
  std::int64_t messages = 0;
  std::int64_t bytes = 0;

  constexpr Volume& operator+=(const Volume& more) {
    messages += more.messages;
    bytes += more.bytes;
    return *this;
  }
  friend constexpr Volume operator+(Volume one, const Volume& other) { return one += other; }
  friend bool operator==(const Volume&, const Volume&) = default;
};

/// One direction: what came from, or went to, ranks of the same node and of other nodes.
struct Flow {
  Volume within_node;
  Volume between_nodes;

  [[nodiscard]] Volume whole() const { return within_node + between_nodes; }
  Flow& operator+=(const Flow& more) {
    within_node += more.within_node;
    between_nodes += more.between_nodes;
    return *this;
  }
  friend bool operator==(const Flow&, const Flow&) = default;
};

/// What one rank moved.
struct RankTraffic {
  struct Both {
    Flow received;
    Flow sent;
    friend bool operator==(const Both&, const Both&) = default;
  };
  std::array<Both, carriers> by_carrier{};

  [[nodiscard]] Both& by(Carrier carrier) { return by_carrier[static_cast<std::size_t>(carrier)]; }
  [[nodiscard]] const Both& by(Carrier carrier) const { return by_carrier[static_cast<std::size_t>(carrier)]; }
  [[nodiscard]] Flow received() const { return sum_of(&Both::received); }
  [[nodiscard]] Flow sent() const { return sum_of(&Both::sent); }
  friend bool operator==(const RankTraffic&, const RankTraffic&) = default;

 private:
  [[nodiscard]] Flow sum_of(Flow Both::*direction) const {
    Flow sum;
    for (const Both& both : by_carrier) sum += both.*direction;
    return sum;
  }
};

/// One figure of all ranks: their sum, and the largest of one rank.
struct AcrossRanks {
  Volume in_all;
  Volume most;  ///< messages and bytes each by itself: they may be of two ranks
  friend bool operator==(const AcrossRanks&, const AcrossRanks&) = default;
};

/// What all ranks moved in one trial.
struct Traffic {
  AcrossRanks received{};                ///< within and between nodes
  AcrossRanks received_between_nodes{};  ///< the part of it from other nodes
  AcrossRanks sent{};
  AcrossRanks sent_between_nodes{};
  std::array<Volume, carriers> received_by{};  ///< `received.in_all` by carrier
  friend bool operator==(const Traffic&, const Traffic&) = default;
};

}  // namespace duet
