#include <utility>

#include "kernels/data_decomposition/stencil/passes.hpp"
#include "kernels/data_decomposition/stencil/stencil.hpp"

namespace duet {

View stencil_serial(const Sweeps& sweeps, View grid, View scratch, const Execution& execution) {
  require_conforming(sweeps, grid, scratch);
  const PassPlan plan = pass_plan(sweeps, grid, execution);
  const Booking booking{execution.timesheet, 0, Activity::useful};
  copy_frame(grid, scratch, plan.interior, {{0, grid.rows}, {0, grid.columns}});
  for (const std::int64_t depth : plan.depths) {
    advance(plan.pass(depth, grid, scratch), plan.interior);
    std::swap(grid, scratch);
  }
  return grid;
}

}  // namespace duet
