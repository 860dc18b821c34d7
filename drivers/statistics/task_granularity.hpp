#pragma once

/// How small tasks may be before dealing with them eats half of the time.

#include <vector>

#include "drivers/statistics/interval.hpp"

namespace duet {

/// The same work cut into tasks of one size.
struct Granularity {
  double task_seconds = 0;  ///< time of all workers for each task, whatever they did in it: p T / tasks
  double efficiency = 0;    ///< the part of it that was work
};

/// METG(efficiency), the minimum effective task granularity: the task_seconds from which on `efficiency` is reached
/// first, on a straight line over the logarithm of task_seconds between the last point of `curve` that does not reach
/// it and the first that does. `curve` may be in any order. Infinity where no point reaches it; the smallest
/// task_seconds where that does already, an upper bound then.
///
/// Source: Slaughter et al., "Task Bench: a parameterized benchmark for evaluating parallel runtime performance", 2020.
[[nodiscard]] double minimum_effective_granularity(std::vector<Granularity> curve, double efficiency);

}  // namespace duet
