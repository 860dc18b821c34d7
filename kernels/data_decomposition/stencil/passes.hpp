#pragma once

/// How sweeps are grouped into passes over memory.

#include <cstdint>
#include <vector>

#include "kernels/core/execution.hpp"
#include "kernels/data_decomposition/stencil/advance.hpp"
#include "kernels/data_decomposition/stencil/rank_block.hpp"

namespace duet {

/// `sweeps` in passes as even as can be, none of more than `most` >= 1: the sweeps of each. No pass for no sweeps.
[[nodiscard]] std::vector<std::int64_t> pass_depths(std::int64_t sweeps, std::int64_t most);

/// What one pass reaches beyond a block, r times its sweeps, where the sweeps are chosen and r is no more than half of
/// it.
inline constexpr std::int64_t widest_chosen_halo = 16;

/// The most sweeps of a pass: the tunable `temporal`, or the chosen one where a worker has `points` points.
[[nodiscard]] std::int64_t temporal_block(std::int64_t radius, double points, const Execution& execution);

/// What the passes of a process have in common.
struct PassPlan {
  Region interior;
  Star star;
  std::vector<std::int64_t> depths{};  ///< none where nothing changes
  std::int64_t strip = 0;              ///< 0: chosen for each depth
  Stores stores = Stores::cached;

  /// The most columns or rows that a piece computes beyond itself at either side.
  [[nodiscard]] std::int64_t overlap() const { return depths.empty() ? 0 : star.radius * (depths.front() - 1); }
  [[nodiscard]] Pass pass(std::int64_t depth, ConstView from, View to) const;
};

/// The plan for `sweeps` in passes of up to `temporal` on views that hold `points` points, of which `interior` changes.
/// Tunables: `strip`, `stores`.
[[nodiscard]] PassPlan pass_plan(const Sweeps& sweeps, std::int64_t temporal, const Region& interior, double points,
                                 const Execution& execution);

/// The same for the whole grid in one process (tunables: `temporal` too), and for a block of it in the passes of its
/// layout.
[[nodiscard]] PassPlan pass_plan(const Sweeps& sweeps, ConstView grid, const Execution& execution);
[[nodiscard]] PassPlan pass_plan(const Sweeps& sweeps, const RankBlock& block, const Execution& execution);

}  // namespace duet
