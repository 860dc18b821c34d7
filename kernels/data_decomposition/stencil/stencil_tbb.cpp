#include <oneapi/tbb/task_group.h>

#include <utility>

#include "kernels/core/tbb_team.hpp"
#include "kernels/data_decomposition/stencil/passes.hpp"
#include "kernels/data_decomposition/stencil/pieces.hpp"
#include "kernels/data_decomposition/stencil/stencil.hpp"

namespace duet {

View stencil_tbb(const Sweeps& sweeps, View grid, View scratch, const Execution& execution) {
  if (!execution.on_worker_start) {
    return stencil_tbb(sweeps, grid, scratch, execution, TbbTeam::kept(execution.threads));
  }
  TbbTeam team{execution};
  return stencil_tbb(sweeps, grid, scratch, execution, team);
}

View stencil_tbb(const Sweeps& sweeps, View grid, View scratch, const Execution& execution, TbbTeam& team) {
  require_conforming(sweeps, grid, scratch);
  const PassPlan plan = pass_plan(sweeps, grid, execution);
  const Pieces pieces = pieces_of(plan, execution.threads);
  copy_frame(grid, scratch, plan.interior, {{0, grid.rows}, {0, grid.columns}});
  // Pieces are disjoint, and nobody writes what a pass reads: no lock is needed. Each worker begins with the piece it
  // had in the pass before, which is in its cache or on its node; what a task throws comes out of the wait.
  team.run([&] {
    for (const std::int64_t depth : plan.depths) {
      const Pass pass = plan.pass(depth, grid, scratch);
      PieceQueue queue{pieces};
      const auto work = [&] {
        const int worker = TbbTeam::worker();
        for (std::int64_t piece = queue.next(worker); piece >= 0; piece = queue.next(worker)) {
          const Booking booking{execution.timesheet, worker, Activity::useful};
          advance(pass, pieces[piece]);
        }
      };
      oneapi::tbb::task_group tasks;
      for (int task = 1; task < execution.threads; ++task) tasks.run(work);
      tasks.run_and_wait(work);
      std::swap(grid, scratch);
    }
  });
  return grid;
}

}  // namespace duet
