#pragma once

/// Who waits for whom, and whether the way leads back: ranks by their calls, threads by their locks.
///
///     0 -> 1 -> 2 -> 0     nobody of the three can go on
///     3 -> 0               nor can 3, but it is not to blame
///
/// Costs O(n (n + waits)): a search from each of n.

#include <cstddef>
#include <vector>

namespace duet {

/// A shortest cycle along `waits_for`, which has for each of n those that it waits for, by their number from 0: in the
/// order of waiting, beginning with the lowest; of several the one with the lowest begin. Empty where there is none.
[[nodiscard]] std::vector<std::size_t> shortest_cycle(const std::vector<std::vector<std::size_t>>& waits_for);

}  // namespace duet
