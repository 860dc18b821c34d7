#include <oneapi/tbb/parallel_pipeline.h>

#include "kernels/core/tbb_team.hpp"
#include "kernels/pipeline/stream/intake.hpp"
#include "kernels/pipeline/stream/outlet.hpp"
#include "kernels/pipeline/stream/stage_workers.hpp"
#include "kernels/pipeline/stream/stream.hpp"

#if defined(__SANITIZE_THREAD__)
#include <sanitizer/tsan_interface.h>
#endif

namespace duet {
namespace {

/// What one filter did to an item is there for the next: TBB sees to that in a way that ThreadSanitizer cannot follow,
/// and is told so.
StreamItem* passed_on(StreamItem* item) {
#if defined(__SANITIZE_THREAD__)
  __tsan_release(item);
#endif
  return item;
}
StreamItem* received(StreamItem* item) {
#if defined(__SANITIZE_THREAD__)
  __tsan_acquire(item);
#endif
  return item;
}

}  // namespace

/// A filter for each stage: the first fetches items in order, the last hands them over.
StreamFigures stream_tbb(const Stream& stream, const StreamLimits& limits, const Execution& execution, TbbTeam& team) {
  namespace tbb = oneapi::tbb;
  StageMeter meter{stream};
  const int tokens = limits.tokens_for(execution.threads);
  const IoThreads threads = io_threads(stream, limits, tokens, execution);
  Intake intake{stream, meter, tokens, threads};
  Outlet outlet{stream, meter, intake, tokens, threads};

  tbb::filter<void, StreamItem*> line = tbb::make_filter<void, StreamItem*>(
      tbb::filter_mode::serial_in_order, [&](tbb::flow_control& control) -> StreamItem* {
        const Intake::Supplied supplied = intake.pull();
        if (supplied.supply == Intake::Supply::ended) control.stop();
        return passed_on(supplied.item);
      });
  const std::size_t computed = stream.stages.size() - stream.trailing();
  for (std::size_t stage = threads.leading; stage < computed; ++stage) {
    const auto mode = stream.stages[stage].in_order ? tbb::filter_mode::serial_in_order : tbb::filter_mode::parallel;
    line = line & tbb::make_filter<StreamItem*, StreamItem*>(mode, [&, stage](StreamItem* item) {
             const Booking booking{execution.timesheet, TbbTeam::worker(), Activity::useful};
             meter.run(stage, *received(item));
             return passed_on(item);
           });
  }
  const tbb::filter<void, void> whole =
      line & tbb::make_filter<StreamItem*, void>(tbb::filter_mode::parallel,
                                                 [&](StreamItem* item) { outlet.put(received(item)); });
  team.run([&] { tbb::parallel_pipeline(static_cast<std::size_t>(tokens), whole); });
  outlet.finish();
  return figures_with_workers(meter, execution.threads, threads);
}

}  // namespace duet
