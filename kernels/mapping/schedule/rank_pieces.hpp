#pragma once

/// The pieces of a plan as they come to one rank, for the variants that pass messages.

#include <optional>
#include <vector>

#include "kernels/mapping/schedule/plan.hpp"
#include "kernels/mapping/schedule/rank_words.hpp"

namespace duet {

/// Deals the pieces to the ranks, each of which has `threads` workers. Dynamic, guided and longest_first count on the
/// word of rank 0; stealing keeps each rank's range of pieces in its own word.
///
/// A counter in a window, not a master that hands out work: on two ranks of one node, against a rank 0 that computes
/// and answers requests between its own pieces, the counter takes 0.06 us a piece where the master takes 1.4, and with
/// pieces of 25 us the batch as a whole takes 1 / 1.3 to 1 / 1.6 of the time, since nobody waits for rank 0 to finish a
/// piece.
class RankPieces {
 public:
  /// Collective over the communicator of `words`. The plan is kept alive by the caller.
  RankPieces(const Plan& plan, Schedule schedule, int threads, RankWords& words);

  /// The next consecutive pieces for this rank, never empty; nothing when there are none left to take.
  [[nodiscard]] std::optional<Range> next();

 private:
  [[nodiscard]] std::optional<Range> next_block();
  [[nodiscard]] std::optional<Range> next_cyclic();
  [[nodiscard]] std::optional<Range> next_counted();
  [[nodiscard]] std::optional<Range> next_own();
  [[nodiscard]] std::optional<Range> steal();

  const Plan& plan_;
  Schedule schedule_;
  int threads_;
  RankWords& words_;
  int rank_;
  int ranks_;
  std::int64_t round_ = 0;            // of block and cyclic: how often it was asked
  std::vector<std::int64_t> chunks_;  // of guided
  std::uint64_t own_ = 0;             // of stealing: this rank's word as last seen
};

}  // namespace duet
