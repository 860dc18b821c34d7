#include "kernels/pipeline/stream/intake.hpp"
#include "kernels/pipeline/stream/outlet.hpp"
#include "kernels/pipeline/stream/stream.hpp"

namespace duet {

StreamFigures stream_serial(const Stream& stream, const StreamLimits& limits, const Execution& execution) {
  StageMeter meter{stream};
  // One worker does it all, and nobody reads ahead: this is what overlapping is measured against.
  const int tokens = limits.tokens_for(1);
  Intake intake{stream, meter, tokens, {}};
  Outlet outlet{stream, meter, intake, tokens, {}};
  Booking booking{execution.timesheet, 0, Activity::waiting};
  const std::size_t leading = stream.leading();
  const std::size_t computed = stream.stages.size() - stream.trailing();
  while (true) {
    const Intake::Supplied supplied = intake.pull();
    if (supplied.supply == Intake::Supply::ended) break;
    meter.run(0, leading, *supplied.item);
    booking.now(Activity::useful);
    meter.run(leading, computed, *supplied.item);
    booking.now(Activity::waiting);
    outlet.put(supplied.item);
  }
  outlet.finish();
  return meter.figures();
}

}  // namespace duet
