#include <omp.h>

#include <utility>

#include "kernels/core/first_exception.hpp"
#include "kernels/data_decomposition/stencil/passes.hpp"
#include "kernels/data_decomposition/stencil/pieces.hpp"
#include "kernels/data_decomposition/stencil/stencil.hpp"

namespace duet {

View stencil_hybrid(const RankBlock& block, const Sweeps& sweeps, View grid, View scratch, const Execution& execution) {
  require_conforming(block, sweeps, grid, scratch);
  const PassPlan plan = pass_plan(sweeps, block, execution);
  copy_frame(grid, scratch, plan.interior, block.owned());
  HaloExchange halo{block};
  FirstException failure;
  // Only the thread that called may call MPI.
  const auto communicate = [&](Booking& booking, auto&& act) {
    booking.now(Activity::communicating);
    failure.guard(act);
    booking.now(Activity::waiting);
  };
  const auto compute = [&](const Pass& pass, const Region& piece, Booking& booking) {
    booking.now(Activity::useful);
    failure.guard([&] { advance(pass, piece); });
    booking.now(Activity::waiting);
  };
  for (const std::int64_t depth : plan.depths) {
    const Pass pass = plan.pass(depth, grid, scratch);
    const BlockParts parts = parts_of(block, depth);
    const Pieces inner = pieces_of(parts.inner, execution.threads, depth, plan.overlap());
    const Pieces rim = pieces_of(parts.rim, execution.threads, plan.overlap());
#pragma omp parallel num_threads(execution.threads) default(none) \
    shared(execution, pass, inner, rim, halo, grid, communicate, compute) firstprivate(depth)
    {
      const bool is_caller = omp_get_thread_num() == 0;
      Booking booking{execution.timesheet, omp_get_thread_num(), Activity::waiting};
      if (is_caller) communicate(booking, [&] { halo.start(grid, depth); });
        // The middle needs nothing of the neighbours: it is computed while the halo is on its way.
#pragma omp for schedule(static, 1) nowait
      for (std::int64_t piece = 0; piece < inner.leading; ++piece) compute(pass, inner[piece], booking);
#pragma omp for schedule(dynamic, 1) nowait
      for (std::int64_t piece = inner.leading; piece < inner.count(); ++piece) {
        if (is_caller) communicate(booking, [&] { halo.progress(); });
        compute(pass, inner[piece], booking);
      }
      if (is_caller) communicate(booking, [&] { halo.wait(); });
#pragma omp barrier
#pragma omp for schedule(dynamic, 1)
      for (std::int64_t piece = 0; piece < rim.count(); ++piece) compute(pass, rim[piece], booking);
    }
    failure.rethrow();
    std::swap(grid, scratch);
  }
  return grid;
}

}  // namespace duet
