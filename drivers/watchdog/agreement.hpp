#pragma once

/// Whether all nodes of a job stand still, each of which sees its own ranks alone: agreed upon by postings.
///
///     each node          posts still.NODE.3: what its ranks do, when all of them have stood still for the deadline
///     the first node     finds one of each node, and posts all.1: {NODE: 3, NODE: 1, ...}
///     each other node    finds its latest in all.1, sees by looks at its ranks that they have not moved since,
///                        and posts yes.1.NODE
///     the first node     finds a yes of each, has not moved either, and has what all ranks do
///
/// Why that is right: each node stands still from before its `still` to its `yes`, and all.1 was posted in between. At
/// that moment all stood still, and each had for the deadline before it: no message can be on its way. A node that
/// moves says nothing; when it stands still again, it posts a `still` with a higher number, and never a yes for an
/// older one.
///
/// Nothing is posted, and no thread is there, while a node moves. While it stands still its lowest living rank asks for
/// one text every half second, and the first node for one of each node. Numbers come from the node's board, so that
/// another rank can go on where one has died.

#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "drivers/watchdog/board.hpp"
#include "drivers/watchdog/diagnosis.hpp"
#include "drivers/watchdog/postings.hpp"

namespace duet {

class Agreement {
 public:
  /// A node is known by its lowest rank; `nodes` are all of them, in order, and `mine` is this rank's.
  Agreement(std::vector<int> nodes, int mine, std::shared_ptr<Board> board, Postings postings);

  // For the thread that looks at the node's ranks.

  /// With each look: all ranks of this node have stood still for the deadline.
  void node_stands_still(const std::vector<RankState>& states);
  void node_moves();
  /// On the first node: what all ranks do, once all nodes agree. Empty while this one moves.
  [[nodiscard]] std::optional<std::vector<RankState>> all() const;
  /// False where nothing can be posted.
  [[nodiscard]] bool is_served() const;

  // For the thread that posts.

  /// Posts and asks what there is to be posted and asked now.
  void step();
  /// Steps for ever, and sleeps while this node moves.
  [[noreturn]] void keep_stepping();

 private:
  /// A time of this node in which nobody moves.
  struct Standstill {
    std::uint64_t which = 0;  ///< counted by this object; 0: the node moves
    std::uint64_t looks = 0;
    std::string states{};
  };
  /// How far it has come to be known to others; by the posting thread alone.
  struct Posted {
    std::uint64_t which = 0;
    std::uint64_t number = 0;         ///< of its `still`
    std::uint64_t proposal = 0;       ///< the latest that has this number in it
    std::uint64_t proposal_seen = 0;  ///< after so many looks
    bool said_yes = false;
  };
  /// The latest `still` of another node.
  struct Found {
    std::uint64_t number = 0;
    std::string states{};
  };

  [[nodiscard]] Standstill now() const;
  [[nodiscard]] bool has_not_moved_since(const Standstill& seen) const;
  void propose(const Standstill& seen);
  void answer(const Standstill& seen);

  const std::vector<int> nodes_;
  const int mine_;
  const std::shared_ptr<Board> board_;
  const Postings postings_;

  mutable std::mutex mutex_;
  std::condition_variable stands_;
  Standstill standstill_;
  std::uint64_t standstills_ = 0;
  bool is_served_ = true;
  std::optional<std::vector<RankState>> all_;

  Posted posted_;
  std::map<int, Found> found_;
  std::map<std::string, std::uint64_t> proposed_;
  std::uint64_t read_proposals_ = 0;
};

}  // namespace duet
