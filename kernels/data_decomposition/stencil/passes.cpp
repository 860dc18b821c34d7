#include "kernels/data_decomposition/stencil/passes.hpp"

#include <unistd.h>

#include <algorithm>
#include <string>

#include "kernels/core/partition.hpp"

namespace duet {
namespace {

/// Grids from this size on, both together, do not stay in the last cache from one pass to the next: to store past it
/// spares a third of the traffic, where in cache it would cost all of it. A virtual machine may be told the sum of all
/// caches of its host (320 MiB where a core reaches 32), hence the limit.
double last_level_bytes() {
  static constexpr std::int64_t most = 32 << 20;
  static const double bytes = [] {
    const std::int64_t told = ::sysconf(_SC_LEVEL3_CACHE_SIZE);
    return static_cast<double>(told > 0 ? std::min(told, most) : most);
  }();
  return bytes;
}

}  // namespace

std::vector<std::int64_t> pass_depths(std::int64_t sweeps, std::int64_t most) {
  const std::int64_t passes = sweeps / most + (sweeps % most != 0 ? 1 : 0);
  std::vector<std::int64_t> depths;
  for (std::int64_t pass = 0; pass < passes; ++pass) depths.push_back(share_of(sweeps, passes, pass).size());
  return depths;
}

std::int64_t temporal_block(std::int64_t radius, double points, const Execution& execution) {
  if (const std::int64_t asked = execution.whole_or("temporal", 0); asked > 0) return asked;
  // Both grids in the second-level cache of a worker: one sweep a pass computes nothing twice.
  constexpr double points_in_cache = 1 << 15;
  if (points <= points_in_cache) return 1;
  // Up to here a sweep more in a pass saves more traffic than it repeats (r = 1, n = 2048, one worker: 1, 2, 4, 8 and
  // 16 sweeps a pass take 32, 27, 18, 14 and 14 ms).
  return std::max<std::int64_t>(2, widest_chosen_halo / radius);
}

Pass PassPlan::pass(std::int64_t depth, ConstView from, View to) const {
  return {.from = from,
          .to = to,
          .interior = interior,
          .star = star,
          .depth = depth,
          .strip = strip > 0 ? strip : chosen_strip(star.radius, depth),
          .stores = stores};
}

PassPlan pass_plan(const Sweeps& sweeps, std::int64_t temporal, const Region& interior, double points,
                   const Execution& execution) {
  PassPlan plan{.interior = interior, .star = sweeps.star};
  if (!interior.empty()) plan.depths = pass_depths(sweeps.count, temporal);
  plan.strip = execution.whole_or("strip", 0);
  const std::string stores = execution.text_or("stores", "auto");
  const bool streaming = stores == "auto" ? 2 * sizeof(double) * points > last_level_bytes() : stores == "streaming";
  plan.stores = streaming ? Stores::streaming : Stores::cached;
  return plan;
}

PassPlan pass_plan(const Sweeps& sweeps, ConstView grid, const Execution& execution) {
  const double points = static_cast<double>(grid.rows) * static_cast<double>(grid.columns);
  const std::int64_t temporal = temporal_block(sweeps.star.radius, points / execution.threads, execution);
  return pass_plan(sweeps, temporal, interior_of(grid.rows, grid.columns, sweeps.star.radius), points, execution);
}

PassPlan pass_plan(const Sweeps& sweeps, const RankBlock& block, const Execution& execution) {
  const GridShape& local = block.local_shape();
  const double points = static_cast<double>(local.rows) * static_cast<double>(local.columns);
  PassPlan plan = pass_plan(sweeps, block.layout().temporal(), block.interior(), points, execution);
  // A rank that owns nothing has nothing to do.
  if (block.owned().empty()) plan.depths.clear();
  return plan;
}

}  // namespace duet
