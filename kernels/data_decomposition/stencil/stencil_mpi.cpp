#include <algorithm>
#include <utility>

#include "kernels/data_decomposition/stencil/passes.hpp"
#include "kernels/data_decomposition/stencil/stencil.hpp"

namespace duet {

View stencil_mpi(const RankBlock& block, const Sweeps& sweeps, View grid, View scratch, const Execution& execution) {
  require_conforming(block, sweeps, grid, scratch);
  const PassPlan plan = pass_plan(sweeps, block, execution);
  Booking booking{execution.timesheet, 0, Activity::useful};
  copy_frame(grid, scratch, plan.interior, block.owned());
  HaloExchange halo{block};
  for (const std::int64_t depth : plan.depths) {
    const Pass pass = plan.pass(depth, grid, scratch);
    const BlockParts parts = parts_of(block, depth);
    const std::int64_t strides = std::max<std::int64_t>(
        1, std::min(execution.whole_or("strides", 4), parts.inner.rows.size() / (8 * plan.overlap() + 8)));
    booking.now(Activity::communicating);
    halo.start(grid, depth);
    // The middle needs nothing of the neighbours: it is computed while the halo is on its way.
    for (std::int64_t stride = 0; stride < strides; ++stride) {
      const Range rows = shifted(share_of(parts.inner.rows.size(), strides, stride), parts.inner.rows.begin);
      booking.now(Activity::useful);
      advance(pass, {rows, parts.inner.columns});
      booking.now(Activity::communicating);
      if (stride + 1 < strides) halo.progress();
    }
    halo.wait();
    booking.now(Activity::useful);
    for (const Region& part : parts.rim) advance(pass, part);
    std::swap(grid, scratch);
  }
  return grid;
}

}  // namespace duet
