#pragma once

/// The table of all problems and their variants.

#include <string_view>
#include <vector>

#include "kernels/core/problem.hpp"

namespace duet {

/// Every problem, in the order of the table in kernels/README.md.
[[nodiscard]] const std::vector<Problem>& all_problems();

/// The problem called `name`. Throws std::invalid_argument, which lists what there is.
[[nodiscard]] const Problem& problem_called(std::string_view name);

}  // namespace duet
