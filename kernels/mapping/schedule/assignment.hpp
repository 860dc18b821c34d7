#pragma once

/// Items of estimated cost given to workers before any of them starts: what ranks need to know where operands belong.

#include <cstdint>
#include <span>
#include <vector>

namespace duet {

/// The items by falling cost; those of equal cost in their order.
[[nodiscard]] std::vector<std::uint32_t> longest_first_order(std::span<const double> costs);

/// The worker of each item by Graham's rule: the dearest first, each to the worker that has the least so far, the
/// lowest of several. A pure function: every rank finds the same. The dearest worker has at most 4/3 - 1/(3p) times
/// what the best assignment to p workers gives him (R. Graham, "Bounds on multiprocessing timing anomalies", 1969). O(n
/// log n + n log p). Throws std::invalid_argument for less than one worker.
[[nodiscard]] std::vector<int> assigned_longest_first(std::span<const double> costs, int workers);

/// What the dearest worker has under an assignment.
[[nodiscard]] double makespan(std::span<const double> costs, std::span<const int> worker_of_item, int workers);

}  // namespace duet
