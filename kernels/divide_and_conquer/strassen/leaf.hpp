#pragma once

/// From which size on a level of Strassen-Winograd pays on this machine.

#include <cstdint>

#include "kernels/core/execution.hpp"

namespace duet {

/// The tunable `levels`: a number, or -1 for "auto".
[[nodiscard]] int asked_levels(const Execution& execution);

/// The tunable `leaf`, or what is chosen for the workers of the execution: threads times ranks.
[[nodiscard]] std::int64_t leaf_extent(const Execution& execution);

}  // namespace duet
