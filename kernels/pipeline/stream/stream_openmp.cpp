#include "kernels/core/first_exception.hpp"
#include "kernels/pipeline/stream/intake.hpp"
#include "kernels/pipeline/stream/outlet.hpp"
#include "kernels/pipeline/stream/stage_tasks.hpp"
#include "kernels/pipeline/stream/stage_workers.hpp"
#include "kernels/pipeline/stream/stream.hpp"

namespace duet {

StreamFigures stream_openmp(const Stream& stream, const StreamLimits& limits, const Execution& execution) {
  StageMeter meter{stream};
  const int tokens = limits.tokens_for(execution.threads);
  const IoThreads threads = io_threads(stream, limits, tokens, execution);
  Intake intake{stream, meter, tokens, threads};
  Outlet outlet{stream, meter, intake, tokens, threads};
  work_off_by_tasks(stream, threads.leading, meter, outlet, execution,
                    [&](bool may_wait) { return may_wait ? intake.pull() : intake.try_pull(); });
  outlet.finish();
  return figures_with_workers(meter, execution.threads, threads);
}

}  // namespace duet
