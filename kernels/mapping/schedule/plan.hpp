#pragma once

/// The part of a schedule that is the same in every model: how items are ordered and cut into pieces. What differs
/// between the models, who takes which piece and how the workers agree on it, stands in deal_<model>.cpp.
///
///     items       0 1 2 3 4 5 6 7 8 9
///     positions   7 2 9 0 1 3 4 5 6 8           longest_first: by estimated cost; else the same as the items
///     pieces     |7|2|9 0|1 3 4 5|6 8|          what a worker takes at a time
///
/// A piece is meant to take about 25 us: dealing one out costs 0.02 us (a counter in shared memory) to some us (a
/// counter behind a network), so that dealing stays below 1 % on a node and below 10 % across nodes, and the last piece
/// is waited for 25 us at the most, unless one item takes longer.

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/core/partition.hpp"
#include "kernels/mapping/schedule/schedule.hpp"

namespace duet {

/// Estimated time that a piece should take, and how many pieces a worker should have at the least.
inline constexpr double piece_nanoseconds = 25'000;
inline constexpr std::int64_t pieces_a_worker = 8;

/// Throws std::invalid_argument for what no plan can be made of: a negative grain, less than one worker, more items
/// than 2^32 - 1 (their pieces are handled as 32-bit numbers).
void require_plannable(std::int64_t count, std::int64_t grain, int workers);

class Plan {
 public:
  /// `grain` consecutive items a piece; 1 <= grain.
  [[nodiscard]] static Plan in_order(std::int64_t count, std::int64_t grain);
  /// One piece for each worker, of equally many consecutive items.
  [[nodiscard]] static Plan in_blocks(std::int64_t count, int workers);
  /// Pieces that begin at the positions `starts`, whose last is the count. `order` has the item at each position; empty
  /// where positions are items. `grain` is what all pieces have, or 0.
  [[nodiscard]] static Plan listed(std::vector<std::uint32_t> order, std::vector<std::uint32_t> starts,
                                   std::int64_t grain);
  /// For items of given estimated costs. With `grain` 0: under `block` one piece for each worker, whatever the grain;
  /// under `cyclic` and `spawn_each` one item each, as their names say; else consecutive positions that take about 25
  /// us together, but not less than eight pieces a worker. Throws as require_plannable.
  [[nodiscard]] static Plan by_cost(std::span<const double> nanoseconds, Schedule schedule, std::int64_t grain,
                                    int workers);

  [[nodiscard]] std::int64_t pieces() const { return pieces_; }
  /// The positions of piece k.
  [[nodiscard]] Range piece(std::int64_t k) const { return positions({k, k + 1}); }
  /// The positions of consecutive pieces; they are consecutive too.
  [[nodiscard]] Range positions(Range pieces) const;
  /// Leaves out the first `pieces` of a listed plan, which are done; positions stay what they were.
  void drop_first(std::int64_t pieces);
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
  Plan() = default;

  std::int64_t count_ = 0;
  std::int64_t grain_ = 0;
  std::int64_t pieces_ = 0;
  std::int64_t blocks_ = 0;            // of in_blocks; else 0
  std::vector<std::uint32_t> order_;   // the item at each position
  std::vector<std::uint32_t> starts_;  // where listed pieces begin, and the count at the end
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
