#pragma once

/// Why nothing moves: from what each rank does and waits for, the ranks that wait for each other, in words and as JSON.
/// Pure: knows nothing of MPI, of threads or of clocks. Ranks are those of MPI_COMM_WORLD everywhere.
///
///     rank 0: MPI_Recv from 1, tag 7 ----> rank 1: MPI_Ssend to 2, tag 3 ----> rank 2: MPI_Barrier with 0 and 1
///        ^                                                                        |
///        +------------------------------------------------------------------------+
///
/// A rank waits for another one where it can only go on when that one acts: the peer of its message, the target of its
/// lock, and in the n-th collective call on a communicator every member that has begun fewer than n there. A send and a
/// receive that match are a transfer: neither rank waits for the other. Found is the first of these that holds:
///
///     mismatch     the n-th collective call on a communicator is not the same on two ranks, or has two roots
///     cycle        a shortest cycle of ranks that wait for each other; those without a doubt go first (see Wait)
///     ended        a rank waits for one that has ended
///     outside      a rank is outside MPI and takes no processor time, or shows no sign of life, and others wait
///     any_source   all wait, some for a message from anybody, and nobody is left to send one
///     elsewhere    all wait, some for ranks that are not described: those of other nodes
///     threads      a process without message passing takes no processor time
///     waiting      all wait, and it cannot be told why
///
/// The operations of a diagnosis are O(ranks + waits) but for collective calls, which name members: O(ranks^2) at most.

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace duet {

/// One message, or one other thing, that a rank waits for.
struct Wait {
  static constexpr int any = -1;       ///< as peer or tag: MPI_ANY_SOURCE, MPI_ANY_TAG
  static constexpr int all = -2;       ///< as peer: the other members of the communicator
  static constexpr int not_told = -3;  ///< as peer or tag: there is none, or it is not known

  enum class Way { receives, sends, collective, window };

  std::string call{};  ///< "MPI_Recv"; for a request the call that made it, "MPI_Irecv"
  Way way = Way::receives;
  int peer = not_told;
  int tag = not_told;
  int root = not_told;         ///< of a collective call that has one
  std::string communicator{};  ///< a name that is the same on all its ranks; empty where it is not known
  int size = 0;                ///< ranks of the communicator or window; 0: not known
  std::uint64_t ordinal = 0;   ///< of a collective call: the n-th on the communicator, from 1; 0: not known
  std::vector<int> members{};  ///< of the communicator, where peer is `any` or `all`, this rank too; empty: not known

  friend bool operator==(const Wait&, const Wait&) = default;
};

struct RankState {
  enum class Doing {
    computes,  ///< takes processor time outside MPI, or has just done something
    waits,     ///< is in a call that has not come back
    polls,     ///< tests or probes again and again, in vain, and computes nothing in between
    idles,     ///< is outside MPI and takes no processor time: asleep, or its threads wait for each other
    ended,     ///< has left MPI_Finalize
    silent,    ///< shows no sign of life: stopped or gone
  };

  int rank = 0;
  Doing doing = Doing::computes;
  std::string call{};         ///< "MPI_Recv", "MPI_Waitall", "MPI_Test"; of ranks that wait or poll
  std::vector<Wait> waits{};  ///< what for: one, or more for MPI_Sendrecv and for requests
  int requests = 0;           ///< of MPI_Wait..., MPI_Test...: how many; may be more than `waits` tells of
  bool one_suffices = false;  ///< MPI_Waitany, MPI_Waitsome: any of `waits` ends the waiting
  std::map<std::string, std::uint64_t> collectives{};  ///< begun so far, by communicator
  double seconds = 0;                                  ///< for so long
  std::string phase{};                                 ///< "trial 3: executing"
  int trial = -1;                                      ///< -1: before the first

  /// Of several requests some may be done: each is waited for perhaps.
  [[nodiscard]] bool perhaps() const { return requests > 1 || waits.size() > 1 || one_suffices; }

  friend bool operator==(const RankState&, const RankState&) = default;
};
[[nodiscard]] std::string_view name_of(RankState::Doing doing);

void to_json(nlohmann::json& json, const Wait& wait);
void from_json(const nlohmann::json& json, Wait& wait);
void to_json(nlohmann::json& json, const RankState& state);
void from_json(const nlohmann::json& json, RankState& state);

struct Diagnosis {
  enum class Kind { mismatch, cycle, ended, outside, any_source, elsewhere, threads, waiting, computing };

  Kind kind = Kind::computing;
  /// One line: "rank 0 waits for rank 1 in MPI_Recv (tag 7) and rank 1 for rank 0 in MPI_Recv (tag 3): a cycle".
  std::string headline{};
  std::vector<std::string> hints{};  ///< what usually lies behind it, a line each
  std::vector<int> cycle{};          ///< ranks in the order of waiting; empty where there is none
  /// Whether some of these ranks can never go on, whatever ranks do that are not described or that compute.
  bool certain = false;
  std::vector<RankState> ranks{};  ///< as given

  /// The phase of most of the ranks that live, and the latest trial.
  [[nodiscard]] std::string phase() const;
  [[nodiscard]] int trial() const;
  /// A line for each rank, those of the cycle first, `most` at the most; then the hints.
  [[nodiscard]] std::vector<std::string> lines(std::size_t most = 32) const;
};
[[nodiscard]] std::string_view name_of(Diagnosis::Kind kind);

/// {"kind", "headline", "hints", "cycle", "certain", "ranks": [{"rank", "doing", "seconds", "phase", "call", "waits":
/// [{"call", "way", "peer", "tag", "root", "communicator", "size"}], ...}]}. What is not known is left out; "any"
/// stands for MPI_ANY_SOURCE and MPI_ANY_TAG.
void to_json(nlohmann::json& json, const Diagnosis& diagnosis);

/// `states` are some ranks of `ranks` in all, each once: those of one node. Kind `computing` where a rank computes and
/// no others can never go on; the headline then says who waits for whom.
[[nodiscard]] Diagnosis diagnose(std::vector<RankState> states, int ranks);

/// "waits for rank 1 in MPI_Recv (tag 7)".
[[nodiscard]] std::string what_it_does(const RankState& state);

}  // namespace duet
