#pragma once

/// What a simulation executes: a variant of the registry, bound to an instance.

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "kernels/core/problem.hpp"

namespace duet {

/// The variant in mpi bound to `instance` without the memory of its operands, for a simulation that does not compute:
/// `execute` alone is there. Collective. Throws std::invalid_argument for a problem that is none of
/// `simulated_problems`, or tunables that cannot serve.
[[nodiscard]] Placed placed_without_memory(const Problem& problem, const Instance& instance,
                                           const Execution& execution);

}  // namespace duet
