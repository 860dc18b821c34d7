#include "kernels/core/timesheet.hpp"
#include "kernels/divide_and_conquer/fib_tree/fib_tree.hpp"

namespace duet {

TreeCount fib_tree_serial(std::int64_t n, const Execution& execution) {
  require_feasible(n, 1);
  const Booking booking{execution.timesheet, 0, Activity::useful};
  return leaf_of_tree(n);
}

}  // namespace duet
