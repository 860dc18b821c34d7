#pragma once

/// Why one model is faster than another, from the time their workers booked.

#include <string>
#include <vector>

#include "drivers/study/verdict.hpp"

namespace duet {

/// Sentences on one comparison, the weightiest first. With U the useful time of all workers, LB the load balance and CE
/// the communication efficiency of the POP methodology (kernels/core/timesheet.hpp), a cell on p workers takes
///
///     T = U / (p LB CE),
///
/// so the ratio of two cells is the product of three: how much longer the slower one computes in all, how much less
/// evenly, and how much of its busiest worker's time is not computing. A factor is named where it explains a fifth of
/// the ratio or more, or works against it by 5 % or more; with communication goes what was moved. Nothing where rounds
/// are too few to compare at all.
[[nodiscard]] std::vector<std::string> reasons_for(const Comparison& comparison, const CellSummary& faster,
                                                   const CellSummary& slower);

}  // namespace duet
