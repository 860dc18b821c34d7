#pragma once

/// The tunables of the variants of fib_tree, as values.

#include <cstdint>
#include <vector>

#include "kernels/core/execution.hpp"
#include "kernels/core/vocabulary.hpp"
#include "kernels/mapping/schedule/schedule.hpp"

namespace duet {

/// Which calls wait for what they have spawned.
enum class Join {
  end,   ///< none: what tasks find stays with their workers, and is added up at the end
  call,  ///< every one, for the task whose result it adds: fork and join
};

struct TreeTunables {
  std::int64_t cutoff = 1;  ///< the largest index that is one task, 1 or more
  Join join = Join::end;
  Schedule distribution = Schedule::stealing;  ///< block for "static", dynamic for "counter", or stealing
};

/// As `execution` sets them: `cutoff`, where 0 stands for 1, `join` and `distribution`. Throws std::invalid_argument
/// for what they cannot be.
[[nodiscard]] TreeTunables tree_tunables(const Execution& execution);

/// Every setting that `model` has.
[[nodiscard]] std::vector<Setting> settings_of_tree(Model model);

}  // namespace duet
