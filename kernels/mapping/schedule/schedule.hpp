#pragma once

/// The policies that assign items to workers, by the names that they have in every problem and model.

#include <string_view>

namespace duet {

enum class Schedule {
  block,          ///< count/workers consecutive items each
  cyclic,         ///< piece k belongs to worker k modulo the workers
  dynamic,        ///< a worker takes the next piece when it is free
  guided,         ///< the same, with many pieces at first and fewer and fewer later
  longest_first,  ///< the dearest items first (Graham's LPT rule, 1969: within 4/3 of the best)
  stealing,       ///< blocks at first; who has done his takes half of what another one still has
  spawn_each,     ///< a new worker for each item
};

[[nodiscard]] std::string_view name_of(Schedule schedule);
/// Throws std::invalid_argument that says which there are.
[[nodiscard]] Schedule schedule_called(std::string_view name);

}  // namespace duet
