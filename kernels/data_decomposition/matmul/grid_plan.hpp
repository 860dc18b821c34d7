#pragma once

/// Which grid of ranks multiplies a shape with the fewest words moved. Pure functions: what they answer depends on
/// their arguments alone, so that every rank comes to the same grid, and thousands of ranks can be planned for on one.

#include <cstdint>
#include <limits>

#include "kernels/data_decomposition/matmul/rank_grid.hpp"

namespace duet {

/// What receiving a word costs a core of 50 Gflop/s that receives 3 GB/s.
inline constexpr double operations_of_a_word = 128;

/// What a plan has to keep to. 0 stands for "chosen".
struct PlanLimits {
  std::int64_t rows = 0;
  std::int64_t layers = 0;
  /// Words that one rank may hold: its blocks, its summand of C, and what is on its way.
  double memory_words = std::numeric_limits<double>::infinity();
  /// What receiving a word costs, in operations. Infinity: nothing counts but words.
  double operations_per_word = std::numeric_limits<double>::infinity();
  std::int64_t panel = 0;       ///< the width of a panel
  std::int64_t word_bytes = 8;  ///< for what is said where the memory is too small
};

/// The largest part of the ranks that a plan leaves idle. A prime number of ranks forms no grid but a row: of 7 ranks,
/// 6 as 3 x 2 receive 0.58 times the words. Three ranks on a square product need it all.
inline constexpr double most_idle = 1.0 / 3;

/// A grid, and what one rank of it does at the most.
struct ProductPlan {
  ProductGrid grid;
  double words = 0;         ///< received
  double memory_words = 0;  ///< held
  double operations = 0;
};

/// Words received by the rank that receives the most, at the most by the rounding of shares: with m_r = ceil(m / R) and
/// so on,
///
///     m_r (k_l - k_l / C)  +  n_c (k_l - k_l / R)  +  (L - 1) ceil(m_r / L) n_c
///         A along rows            B along columns         summands of C across layers
[[nodiscard]] double received_words(const ProductShape& shape, const ProductGrid& grid);

/// Words that one rank holds at the most: blocks of A, B and C; with several layers its summand of C and two buffers
/// for those of others; two slots of panels.
[[nodiscard]] double held_words(const ProductShape& shape, const ProductGrid& grid, std::int64_t panel);

/// The plan of least cost, max over ranks of operations + operations_per_word * words, on at least 2/3 of `ranks` as
/// far as there are so many rows, columns and indices of k to share. Where words alone count: of the plans within 1.05x
/// of the fewest, the one with the least to compute. Ties go to fewer words, fewer layers, fewer rows. Costs about
/// p log p steps. Throws std::invalid_argument where `rows` and `layers` do not divide `ranks`, or where no grid fits
/// the memory, with the least that is needed.
///
/// After COSMA (Kwasniewski and others: "Red-blue pebbling revisited: near optimal parallel matrix-matrix
/// multiplication", SC19) and 2.5-D multiplication (Solomonik, Demmel: Euro-Par 2011).
[[nodiscard]] ProductPlan plan_product(const ProductShape& shape, std::int64_t ranks, const PlanLimits& limits = {});

/// Words that some rank must receive, whatever the algorithm, where each of `ranks` begins with its share of A and B
/// and ends with its share of C: Al Daas, Ballard, Grigori, Kumar, Rouse: "Tight memory-independent parallel matrix
/// multiplication communication lower bounds", SPAA 2022, theorem 3; or, where one rank can hold `memory_words` = S
/// only, 2 m n k / (p sqrt(S)) to leading order (Kwasniewski and others, above), where that is more.
[[nodiscard]] double least_words(const ProductShape& shape, std::int64_t ranks,
                                 double memory_words = std::numeric_limits<double>::infinity());

/// The widest panel that is chosen where none is set. It is as deep as the local kernels block k, so that a product in
/// panels reads and writes C as often as a whole one does, and the panels of two steps are small beside the blocks. On
/// 2 ranks, n = 4096: 256 and 512 are equal, 1024 is 0.98x, since the first panel comes late and hides behind nothing.
inline constexpr std::int64_t widest_chosen_panel = 512;

/// The width of a panel where the share of k of a layer is `k`: `panel`, or the chosen one.
[[nodiscard]] std::int64_t panel_width(std::int64_t panel, std::int64_t k);

}  // namespace duet
