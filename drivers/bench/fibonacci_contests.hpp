#pragma once

/// Fibonacci numbers beside GMP, plain arithmetic and the loops that runtimes offer.

#include "drivers/bench/lineup.hpp"

namespace duet {

/// Adds all of them. `lineup` and `options` outlive what is added.
void list_fibonacci_contests(const Lineup& lineup, const BenchOptions& options, const AddContest& add);

}  // namespace duet
