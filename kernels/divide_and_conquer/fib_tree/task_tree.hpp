#pragma once

/// The tree as OpenMP tasks.

#include "kernels/core/execution.hpp"
#include "kernels/divide_and_conquer/fib_tree/subtree_booking.hpp"
#include "kernels/divide_and_conquer/fib_tree/tree.hpp"
#include "kernels/divide_and_conquer/fib_tree/tree_tunables.hpp"

namespace duet {

/// What a team of OpenMP threads counts together, each thread for itself. In the region, all threads do
///
///     tree.begin();
///     one of them, or a task of it:  tree.count(n), as often as wanted
///     #pragma omp barrier            where they take the tasks that are left
///     tree.add_up();
class TaskTree {
 public:
  TaskTree(const Execution& execution, const TreeTunables& tunables)
      : tunables_{tunables}, booking_{execution.timesheet, execution.threads, tunables.cutoff} {}

  void begin() const;
  /// Counts the subtree of index `n`, whose tasks all threads may take. With Join::call it is done on return, with
  /// Join::end when the tasks are: at the end of the `taskgroup` around it, or at the barrier.
  void count(std::int64_t n);
  void add_up();
  /// What all have counted, after the region.
  [[nodiscard]] const TreeCount& found() const { return found_; }

 private:
  [[nodiscard]] std::uint64_t joined(std::int64_t n) const;
  void unjoined(std::int64_t n) const;

  TreeTunables tunables_;
  SubtreeBooking booking_;
  TreeCount found_;
};

}  // namespace duet
