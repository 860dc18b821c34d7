#include <algorithm>

#include "kernels/core/timesheet.hpp"
#include "kernels/divide_and_conquer/fib_tree/fib_tree.hpp"
#include "kernels/divide_and_conquer/fib_tree/rank_tasks.hpp"
#include "kernels/divide_and_conquer/fib_tree/tree_tunables.hpp"

namespace duet {

TreeCount fib_tree_mpi(std::int64_t n, RankWords& words, const Execution& execution) {
  require_feasible(n, size_of(words.communicator()));
  const TreeTunables tunables = tree_tunables(execution);
  // Tasks of some microseconds are told apart from what dealing them takes. Of smaller ones dealing is nearly all, and
  // reading the clock would take as long; they are booked with it, unless no message deals them.
  constexpr double bookable_calls = 5000;
  const bool booked =
      tunables.distribution == Schedule::block || calls_of_tree(std::min(n, tunables.cutoff)) >= bookable_calls;

  Booking booking{execution.timesheet, 0, Activity::communicating};
  RankTasks tasks{n, tunables.cutoff, tunables.distribution, words};
  TreeCount mine;
  while (const std::optional<Range> dealt = tasks.next()) {
    if (booked) booking.now(Activity::useful);
    tasks.each(*dealt, [&](std::int64_t index) { mine += leaf_of_tree(index); });
    booking.now(Activity::communicating);
  }
  return tasks.found_by_all(mine);
}

}  // namespace duet
