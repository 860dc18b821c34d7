#pragma once

#include <vector>

#include "drivers/report/writer.hpp"
#include "drivers/study/scaling.hpp"

namespace duet {

/// For each model a table of efficiency against workers, and under it what it says: lines, laws, refusals.
void print_scaling(Writer& writer, const std::vector<ScalingCurve>& curves);

}  // namespace duet
