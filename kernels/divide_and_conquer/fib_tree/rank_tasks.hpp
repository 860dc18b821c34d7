#pragma once

/// The tasks of a tree dealt to ranks, by their numbers.

#include <optional>

#include "kernels/divide_and_conquer/fib_tree/tree.hpp"
#include "kernels/mapping/schedule/rank_pieces.hpp"

namespace duet {

/// The subtrees of index `level` and less in the tree of `n` that come to this rank.
class RankTasks {
 public:
  /// Collective over the communicator of `words`, and waits for all ranks.
  RankTasks(std::int64_t n, std::int64_t level, Schedule distribution, RankWords& words);

  /// The numbers of the subtrees that come next, never none; nothing where none is left. Several come together where
  /// they were dealt without a message, or are more than 2^32 in all.
  [[nodiscard]] std::optional<Range> next();

  /// Calls act(index) for each subtree of `tasks`, and counts the calls above them.
  template <class Act>
  void each(Range tasks, const Act& act) {
    calls_above_ += each_task(n_, level_, tasks, act);
  }

  /// What all ranks found, on every rank, where this one found `mine` in its subtrees. Collective.
  [[nodiscard]] TreeCount found_by_all(TreeCount mine) const;

 private:
  std::int64_t n_;
  std::int64_t level_;
  RankWords& words_;
  Plan plan_;
  RankPieces pieces_;
  std::uint64_t calls_above_ = 0;
};

}  // namespace duet
