#include <omp.h>

#include <utility>

#include "kernels/core/first_exception.hpp"
#include "kernels/data_decomposition/stencil/passes.hpp"
#include "kernels/data_decomposition/stencil/pieces.hpp"
#include "kernels/data_decomposition/stencil/stencil.hpp"

namespace duet {

View stencil_openmp(const Sweeps& sweeps, View grid, View scratch, const Execution& execution) {
  require_conforming(sweeps, grid, scratch);
  const PassPlan plan = pass_plan(sweeps, grid, execution);
  const Pieces pieces = pieces_of(plan, execution.threads);
  FirstException failure;
  // Pieces are disjoint, and nobody writes what a pass reads: no lock is needed.
  const auto compute = [&](const Pass& pass, std::int64_t piece, Booking& booking) {
    booking.now(Activity::useful);
    failure.guard([&] { advance(pass, pieces[piece]); });
    booking.now(Activity::waiting);
  };
  copy_frame(grid, scratch, plan.interior, {{0, grid.rows}, {0, grid.columns}});
#pragma omp parallel num_threads(execution.threads) default(none) shared(execution, plan, pieces, compute) \
    firstprivate(grid, scratch)
  {
    Booking booking{execution.timesheet, omp_get_thread_num(), Activity::waiting};
    for (const std::int64_t depth : plan.depths) {
      const Pass pass = plan.pass(depth, grid, scratch);
#pragma omp for schedule(static, 1) nowait
      for (std::int64_t piece = 0; piece < pieces.leading; ++piece) compute(pass, piece, booking);
#pragma omp for schedule(dynamic, 1)
      for (std::int64_t piece = pieces.leading; piece < pieces.count(); ++piece) compute(pass, piece, booking);
      std::swap(grid, scratch);
    }
  }
  failure.rethrow();
  return plan.depths.size() % 2 == 0 ? grid : scratch;
}

}  // namespace duet
