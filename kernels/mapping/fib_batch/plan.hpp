#pragma once

/// The part of a schedule that is the same in every model: how the items are ordered and cut into pieces. What differs
/// between the models, who takes which piece and how the workers agree on it, stands in the variants.
///
///     items       0 1 2 3 4 5 6 7 8 9           n_0 n_1 ...
///     positions   7 2 9 0 1 3 4 5 6 8           longest_first: by estimated cost; else the same as the items
///     pieces     |7|2|9 0|1 3 4 5|6 8|          what a worker takes at a time
///
/// A piece is meant to take about 25 us: dealing one out costs 0.02 us (a counter in shared memory) to some us (a
/// counter behind a network), so that dealing stays below 1 % on a node and below 10 % across nodes, and the last piece
/// is waited for 25 us at the most, unless one item takes longer.

#include <cstdint>
#include <string_view>
#include <vector>

#include "kernels/core/partition.hpp"
#include "kernels/mapping/fib_batch/inputs.hpp"

namespace duet {

/// The policies that assign items to workers.
enum class Schedule {
  block,          ///< count/workers consecutive items each
  cyclic,         ///< piece k belongs to worker k modulo the workers
  dynamic,        ///< a worker takes the next piece when it is free
  guided,         ///< the same, with many pieces at first and fewer and fewer later
  longest_first,  ///< dynamic over the items sorted by estimated cost (Graham's LPT rule, 1969: within 4/3 of the best)
  stealing,       ///< blocks at first; who has done his takes half of what another one still has
  spawn_each,     ///< a new worker for each item
};

[[nodiscard]] std::string_view name_of(Schedule schedule);
/// Throws std::invalid_argument that says which there are.
[[nodiscard]] Schedule schedule_called(std::string_view name);

/// A pure function of its arguments: every rank of a job makes the same plan.
class Plan {
 public:
  /// `grain` items a piece; 0 chooses by estimated cost (see `piece`). Costs 256 estimates or, for longest_first in
  /// an exact batch, a pass over the inputs and 6 bytes an item. Throws std::invalid_argument for a negative grain,
  /// less than one worker, more items than 2^32 - 1 (their pieces are handled as 32-bit numbers).
  Plan(const FibBatch& batch, Schedule schedule, std::int64_t grain, int workers);

  [[nodiscard]] std::int64_t pieces() const { return pieces_; }
  /// The positions of piece k. With grain 0: under `block` one piece for each worker, whatever the grain; under
  /// `spawn_each` and exact `cyclic` one item each, as their names say; else about 25 us of work by the estimate, but
  /// not less than eight pieces a worker. Pieces of longest_first are cut one by one, so that a giant is a piece of its
  /// own.
  [[nodiscard]] Range piece(std::int64_t k) const { return positions({k, k + 1}); }
  /// The positions of consecutive pieces; they are consecutive too.
  [[nodiscard]] Range positions(Range pieces) const;
  /// Whether positions differ from items.
  [[nodiscard]] bool reordered() const { return !order_.empty(); }
  [[nodiscard]] std::int64_t item(std::int64_t position) const {
    return reordered() ? order_[static_cast<std::size_t>(position)] : position;
  }
  /// Items in most pieces; 0 where they are cut one by one.
  [[nodiscard]] std::int64_t grain() const { return grain_; }
  /// Where the chunks of `guided` begin, in pieces, with pieces() at the end: each chunk is what is left, divided by
  /// twice the workers, rounded up. Chunk c is a function of c alone, so that a plain counter deals them.
  [[nodiscard]] std::vector<std::int64_t> guided_chunks(int workers) const;

 private:
  void sort_longest_first(const FibBatch& batch, std::int64_t grain, int workers);

  std::int64_t count_;
  std::int64_t grain_ = 0;
  std::int64_t pieces_ = 0;
  std::int64_t blocks_ = 0;            // of `block`; else 0
  std::vector<std::uint32_t> order_;   // of longest_first: the item at each position
  std::vector<std::uint32_t> starts_;  // of longest_first: where its pieces begin, and the count at the end
};

/// A range of pieces in one 64-bit word, so that an atomic compare-and-swap takes pieces out of it, in memory or in an
/// MPI window. The owner takes from the front, thieves the upper half. The return of an old value does no harm: the
/// word is the whole state, and a word that reads the same again holds the same pieces, not yet taken.
[[nodiscard]] constexpr std::uint64_t packed(Range pieces) {
  return static_cast<std::uint64_t>(pieces.begin) << 32U | static_cast<std::uint64_t>(pieces.end);
}
[[nodiscard]] constexpr Range unpacked(std::uint64_t word) {
  return {static_cast<std::int64_t>(word >> 32U), static_cast<std::int64_t>(word & 0xffffffffU)};
}
/// Where a thief cuts: it gets the half above, the larger one, all of a single piece.
[[nodiscard]] constexpr std::int64_t cut_of(Range pieces) { return pieces.begin + pieces.size() / 2; }

}  // namespace duet
