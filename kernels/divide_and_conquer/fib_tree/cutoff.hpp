#pragma once

/// How small tasks may be: what they cost here, and the cut-off that follows from it.

#include <cstdint>
#include <functional>

namespace duet {

/// Seconds of one worker.
struct TreeCosts {
  double call = 0;  ///< of the plain recursion
  double task = 0;  ///< what a task takes beside its calls: to be spawned, found, waited for, or asked for
};

/// The longest that the tree of `n` cut at `cutoff` takes on `workers` workers none of whom idles while a task is
/// left: an equal share of all calls and tasks, and one task more for whoever takes the last one.
///
///     (calls call + tasks task) / p + (1 - 1/p) calls(cutoff) call              (Graham, 1966)
///
/// A tree that is one task costs its calls alone.
[[nodiscard]] double predicted_seconds(std::int64_t n, std::int64_t cutoff, std::int64_t workers,
                                       const TreeCosts& costs);

/// The part of all workers' time that goes into tasks, 0 to 1.
[[nodiscard]] double task_overhead(std::int64_t n, std::int64_t cutoff, const TreeCosts& costs);

/// Where overhead and waiting for the last task are in balance: the cut-off from 1 to n with the least
/// predicted_seconds, the largest of several; n itself for one worker. A pure function.
///
/// Of tasks that compute for t seconds, all of which make s, p workers pay s task / (p t) for all and wait (1 - 1/p) t
/// for the last: the least sum is near t = sqrt(s task / (p - 1)). The overhead, task / t, falls with the size of the
/// tree: below 1 % where s is more than 10^4 (p - 1) times what a task costs.
[[nodiscard]] std::int64_t chosen_cutoff(std::int64_t n, std::int64_t workers, const TreeCosts& costs);

/// Measures in some milliseconds: `run(n)` runs the tree of n without a cut-off on `workers` workers. The least of
/// three. Where `run` is collective, so is this, and the ranks may measure differently.
[[nodiscard]] TreeCosts measured_costs(const std::function<void(std::int64_t n)>& run, std::int64_t workers);

}  // namespace duet
