#pragma once

/// Whether all nodes of a job stand still, each of which sees its own ranks alone: agreed upon by postings.
///
///     each other node    posts {number: 3, states}: what its ranks do, when all have stood still for the deadline
///     the first node     finds one of each, and posts {number: 1, nodes: {NODE: 3, NODE: 1, ...}}
///     each other node    finds its latest number there, sees by looks at its ranks that they have not moved since,
///                        and posts {number: 3, states, yes: 1}
///     the first node     finds a yes of each to its latest question, has not moved either, and has what all ranks do
///
/// Why that is right: each node stands still from before it says so to its yes, and the question was posted in between.
/// At that moment all stood still, and each had for the deadline before it: no message can be on its way. A node that
/// moves says nothing; when it stands still again, it does so with a higher number, and never says yes to a question
/// about an older one.
///
/// Nothing is posted, and no thread is there, while a node moves. While it stands still its lowest living rank asks for
/// the first node's posting every half second, and the first node for one of each node. Numbers come from the node's
/// board, so that another rank can go on where one has died; the others, who do not see that, ask one more rank of the
/// node each time.

#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "drivers/watchdog/board.hpp"
#include "drivers/watchdog/diagnosis.hpp"
#include "drivers/watchdog/postings.hpp"

namespace duet {

/// What a node has posted last, by whichever of its ranks.
class NodePosting {
 public:
  /// `ranks` of the node, the lowest first.
  explicit NodePosting(std::vector<int> ranks) : ranks_{std::move(ranks)} {}

  /// Asks for it anew.
  void look(const Postings& postings);
  /// 0 where nothing was found yet; never goes back.
  [[nodiscard]] std::uint64_t number() const { return number_; }
  [[nodiscard]] const nlohmann::json& content() const { return content_; }

 private:
  void look_at(std::size_t place, const Postings& postings);

  std::vector<int> ranks_;
  std::size_t poster_ = 0;  ///< the place in `ranks_` of the one who posted this
  std::size_t other_ = 0;   ///< of the one that was asked beside it
  std::uint64_t number_ = 0;
  nlohmann::json content_ = nlohmann::json::object();
};

class Agreement {
 public:
  /// `nodes`: the ranks of each, by its lowest one, by which it is known; `mine` is this rank's.
  Agreement(const std::map<int, std::vector<int>>& nodes, int mine, std::shared_ptr<Board> board, Postings postings);

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
    std::vector<RankState> states{};
  };
  /// How far it has come to be known to others; by the posting thread alone.
  struct Posted {
    std::uint64_t which = 0;
    std::uint64_t number = 0;         ///< of this standstill
    std::uint64_t proposal = 0;       ///< the latest that has this number in it
    std::uint64_t proposal_seen = 0;  ///< after so many looks
    bool said_yes = false;
  };

  [[nodiscard]] Standstill now() const;
  [[nodiscard]] bool has_not_moved_since(const Standstill& seen) const;
  [[nodiscard]] bool is_first() const { return mine_ == first_; }
  [[nodiscard]] bool post(const nlohmann::json& content) const;
  void propose(const Standstill& seen);
  void answer(const Standstill& seen);

  const int first_;
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
  std::map<int, NodePosting> others_;  ///< that are asked: all but this one by the first node, by others the first
  std::map<std::string, std::uint64_t> proposed_;
  std::uint64_t read_proposal_ = 0;
};

}  // namespace duet
