#pragma once

#include <map>
#include <string>

#include "kernels/divide_and_conquer/fib_tree/tree.hpp"
#include "kernels/divide_and_conquer/fib_tree/tree_tunables.hpp"

namespace duet {

/// The tunables of `model`, as a user sets them.
[[nodiscard]] inline Settings tunables(Model model, const std::map<std::string, std::string>& given) {
  return Settings{"fib_tree", settings_of_tree(model), given};
}

/// What a tree has by formula.
[[nodiscard]] inline TreeCount right_count(std::int64_t n, std::int64_t cutoff) {
  return {fibonacci_numbers.at(static_cast<std::size_t>(n)), static_cast<std::uint64_t>(calls_of_tree(n)),
          tasks_of_tree(n, cutoff)};
}

}  // namespace duet
