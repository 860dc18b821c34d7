#pragma once

/// The one sentence of a verdict that a person acts upon.

#include <string>
#include <string_view>

#include "drivers/study/verdict.hpp"

namespace duet {

/// "Shared state wins at every size measured on 2 workers: openmp 1.05x to 3.20x faster than mpi",
/// "Message passing wins from about n = 700 on, shared state below, on 2 workers: ...", and so on. Needs the
/// comparisons and crossovers of the verdict, ordered by size.
[[nodiscard]] std::string headline_of(const Verdict& verdict);

/// "shared state" or "message passing".
[[nodiscard]] std::string_view side_of(Model model);

/// "on 2 workers"
[[nodiscard]] std::string on_workers(int workers);

/// Two digits where they still lie in [low, high], else as many as that takes: a size that is only an estimate.
[[nodiscard]] std::string rounded_within(double value, double low, double high);

}  // namespace duet
