#pragma once

/// The one sentence of a verdict that a person acts upon.

#include <array>
#include <string>

#include "drivers/study/verdict.hpp"

namespace duet {

/// "Shared state wins at every size measured on 2 workers: openmp 1.05x to 3.20x faster than mpi",
/// "Message passing wins from about n = 700 on, shared state below, on 2 workers: ...", and so on. Needs the
/// comparisons and crossovers of the verdict, ordered by size.
[[nodiscard]] std::string headline_of(const Verdict& verdict);

/// What the two sides of a verdict are called: {"shared state", "message passing"},
/// {"keeping to one node", "spreading over 2 nodes"}, {"staying on one node", "taking 2 nodes"}.
[[nodiscard]] std::array<std::string, 2> sides_of(Axis axis, Span fewer, Span more);

/// "on 2 workers"
[[nodiscard]] std::string on_workers(int workers);

/// The same for the two sides of a verdict: "on 4 workers against 2" where their numbers differ.
[[nodiscard]] std::string on_span(Axis axis, Span fewer, Span more);

/// Two digits where they still lie in [low, high], else as many as that takes: a size that is only an estimate.
[[nodiscard]] std::string rounded_within(double value, double low, double high);

}  // namespace duet
