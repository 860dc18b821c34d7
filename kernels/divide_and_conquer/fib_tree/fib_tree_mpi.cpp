#include <algorithm>
#include <cmath>

#include "kernels/core/timesheet.hpp"
#include "kernels/divide_and_conquer/fib_tree/fib_tree.hpp"
#include "kernels/divide_and_conquer/fib_tree/rank_tasks.hpp"
#include "kernels/divide_and_conquer/fib_tree/tree_tunables.hpp"

namespace duet {

TreeCount fib_tree_mpi(std::int64_t n, RankWords& words, const Execution& execution) {
  require_feasible(n, size_of(words.communicator()));
  const TreeTunables tunables = tree_tunables(execution);
  // Reading the clock around a task of less than some microseconds takes as long as dealing it: of small ones a sample
  // is booked, and stands for the others.
  constexpr double bookable_calls = 5000;
  const auto apart =
      static_cast<std::int64_t>(std::ceil(std::max(1.0, bookable_calls / calls_of_tree(std::min(n, tunables.cutoff)))));

  Booking booking{execution.timesheet, 0, Activity::communicating};
  RankTasks tasks{n, tunables.cutoff, tunables.distribution, words};
  TreeCount mine;
  std::int64_t pieces = 0;
  while (const std::optional<Range> dealt = tasks.next()) {
    if (pieces++ % apart == 0) booking.now(Activity::useful);
    tasks.each(*dealt, [&](std::int64_t index) { mine += leaf_of_tree(index); });
    booking.now(Activity::communicating);
  }
  const std::int64_t samples = (pieces + apart - 1) / apart;
  if (samples > 0) booking.extrapolate(static_cast<double>(pieces) / static_cast<double>(samples));
  return tasks.found_by_all(mine);
}

}  // namespace duet
