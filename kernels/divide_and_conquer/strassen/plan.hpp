#pragma once

/// What is decided before anything is multiplied: how many levels, by whom, and what that costs in memory, messages and
/// digits. All of it is arithmetic: nothing here allocates, measures or communicates.

#include <cstdint>

#include "kernels/core/partition.hpp"
#include "kernels/divide_and_conquer/strassen/winograd.hpp"
#include "kernels/product/judge.hpp"

namespace duet {

/// C is m x n, A is m x k, B is k x n.
struct StrassenShape {
  std::int64_t m = 0;
  std::int64_t n = 0;
  std::int64_t k = 0;

  [[nodiscard]] std::int64_t least() const;
  /// Each extent divided by 2^levels, rounded down or up.
  [[nodiscard]] StrassenShape divided(int levels) const;
  [[nodiscard]] StrassenShape divided_up(int levels) const;
  friend bool operator==(const StrassenShape&, const StrassenShape&) = default;
};

/// The most levels that are chosen where none are asked for: with square matrices three take 0.641 n^2 words, four
/// would take 0.66 n^2.
inline constexpr int most_chosen_levels = 3;

/// The levels that pay, where products on this many workers are worth dividing down to extents of `leaf`: of the saved
/// eighth of 2 m n k operations and the additions, proportional to mk + kn + mn, the harmonic mean of the extents
/// decides.
[[nodiscard]] int levels_for(const StrassenShape& shape, std::int64_t leaf);
/// `levels`, or as many as leave every extent at least one row or column.
[[nodiscard]] int levels_within(const StrassenShape& shape, int levels);

/// The normwise error: |C - AB| <= strassen_error(k, levels) u max|A| max|B| in every entry, where the products below
/// the last level are sums in any order (Higham, Accuracy and stability of numerical algorithms, 2002, section 23.2.2,
/// whose recurrence is f(k) = 18 f(k/2) + 89 k/2 and f(k) = k^2 at the leaf). Our last level lets products add to C, in
/// any order of summation: 32 k^2 for 18. And four summands of C may be added in any order: 143 k/2 for 89. Terms of
/// order u^2 are covered by one more per cent while k u is below a hundredth.
[[nodiscard]] double strassen_error(std::int64_t k, int levels);

/// A product over p ranks: `depth` levels that all ranks go through together, one product after another; then `breadth`
/// levels whose products are given to groups of ranks (with p >= 7 ranks seven groups, else p, of sizes as even as can
/// be); then `local` levels that each group goes through like the first. This is what CAPS does (G. Ballard, J. Demmel,
/// O. Holtz, B. Lipshitz, O. Schwartz, "Communication-optimal parallel algorithm for Strassen's matrix multiplication",
/// 2012), for any number of ranks.
///
/// The extents are rounded up to multiples of 2^levels, with zeros. Each matrix then consists of 2^levels x 2^levels
/// leaf blocks, and **each rank has the same part of every leaf block**: with ranks on an R x C grid, rank (r, c) has
/// share r of the rows and share c of the columns of each. What it has is one array, the parts side by side as the
/// blocks are, so its quadrants are its parts of the quadrants, at every level: a step of depth adds without
/// communicating.
///
///     A, one level, grid 1 x 2        +---+---+---+---+      rank 0 has  +---+---+     its quadrants are
///                                     | 0 | 1 | 0 | 1 |                  | 0 | 0 |     its parts of A11, A12,
///                                     +---+---+---+---+                  +---+---+     A21, A22
///                                     | 0 | 1 | 0 | 1 |                  | 0 | 0 |
///                                     +---+---+---+---+                  +---+---+
class RankPlan {
 public:
  struct Steps {
    int depth = 0;
    int breadth = 0;
    int local = 0;
    [[nodiscard]] int levels() const { return depth + breadth + local; }
    friend bool operator==(const Steps&, const Steps&) = default;
  };

  /// Leaf products go in panels of at most `panel` columns of A; 0: chosen.
  RankPlan(const StrassenShape& shape, std::int64_t ranks, const Steps& steps, std::int64_t panel = 0);

  /// The steps with the least estimated time that keep every rank's workspace within `words` (depth alone where none
  /// does), for `levels` levels. A word received counts as much as `operations_per_word`.
  [[nodiscard]] static RankPlan chosen(const StrassenShape& shape, std::int64_t ranks, int levels, std::int64_t words,
                                       std::int64_t panel = 0);

  [[nodiscard]] const StrassenShape& shape() const { return shape_; }
  [[nodiscard]] const StrassenShape& padded() const { return padded_; }
  /// A leaf block's extents.
  [[nodiscard]] const StrassenShape& leaf() const { return leaf_; }
  [[nodiscard]] std::int64_t ranks() const { return ranks_; }
  [[nodiscard]] const Steps& steps() const { return steps_; }
  [[nodiscard]] std::int64_t panel() const { return panel_; }
  /// The grid of all ranks, or of a group of so many.
  [[nodiscard]] Grid grid() const { return grid_of(ranks_); }
  [[nodiscard]] Grid grid_of(std::int64_t group) const { return grid_for(leaf_.m, leaf_.n, group); }

  /// Which rows and columns of the padded matrices a rank has.
  [[nodiscard]] Runs rows(std::int64_t rank) const;
  [[nodiscard]] Runs columns(std::int64_t rank) const;
  [[nodiscard]] Runs a_columns(std::int64_t rank) const;
  [[nodiscard]] Runs b_rows(std::int64_t rank) const;
  /// What a rank of a group of so many has of a product of 2^levels leaf blocks a side.
  [[nodiscard]] LocalShape part(std::int64_t group, std::int64_t rank, int levels) const;

  /// What one execution moves, by the definition of each MPI call: point to point, all of it.
  struct Moved {
    std::int64_t received_messages = 0;
    std::int64_t received_words = 0;
    std::int64_t sent_messages = 0;
    std::int64_t sent_words = 0;
    Moved& operator+=(const Moved& more);
    friend Moved operator*(std::int64_t times, const Moved& once);
    friend bool operator==(const Moved&, const Moved&) = default;
  };
  [[nodiscard]] Moved moved(std::int64_t rank) const;
  /// Words of workspace of a rank: temporaries, and buffers for what travels.
  [[nodiscard]] std::int64_t workspace(std::int64_t rank) const;
  /// Operations of all leaf products that a rank has a part of.
  [[nodiscard]] double operations(std::int64_t rank) const;

  /// At 50 Gflop/s and 5 GB/s.
  static constexpr double operations_per_word = 80;

 private:
  StrassenShape shape_;
  std::int64_t ranks_;
  Steps steps_;
  std::int64_t panel_;
  StrassenShape leaf_;
  StrassenShape padded_;
};

}  // namespace duet
