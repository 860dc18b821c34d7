#pragma once

/// What the stages of a pipeline did, for a terminal.

#include <string>
#include <vector>

#include "kernels/core/stage_figures.hpp"

namespace duet {

/// A line for each stage, and below them what bound the run and what would help; 80 columns, each line ended. `workers`
/// cores did all computing in `seconds`. Empty without stages.
///
///     stage    kind       by  items        in       out  useful  queued  depth
///     compute  computing   2   1000  1.00 MiB  2.00 MiB  1.20 s  3.40 s  2.5/4
///     bound by computing, most of it in compute: 600 ms at the least, 92 % of the run
///     2 cores compute: more cores would help, more readers would not
///
/// by: who may be in it at once. useful: time in the stage, over all workers. queued: how long items waited before it,
/// over all items; depth: how many, on average and at the most, as an item meets them that enters it.
[[nodiscard]] std::string stage_table(const std::vector<StageFigures>& stages, int workers, double seconds);

}  // namespace duet
