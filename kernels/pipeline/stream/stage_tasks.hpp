#pragma once

/// The computing stages of a stream by an OpenMP team: a task for each item and stage.

#include <functional>

#include "kernels/pipeline/stream/intake.hpp"
#include "kernels/pipeline/stream/outlet.hpp"
#include "kernels/pipeline/stream/stream.hpp"

namespace duet {

/// Items from `supply` until it has ended, each put to `outlet` after its computing stages. `supply(may_wait)` is only
/// called by the calling thread, which works itself while there is nothing to fetch: it is asked to wait only where no
/// task is left to help with. The first `leading` stages are done already. Rethrows what it throws.
void work_off_by_tasks(const Stream& stream, std::size_t leading, StageMeter& meter, Outlet& outlet,
                       const Execution& execution, const std::function<Intake::Supplied(bool may_wait)>& supply);

}  // namespace duet
