#include <oneapi/tbb/parallel_invoke.h>
#include <oneapi/tbb/task_group.h>

#include <vector>

#include "kernels/core/tbb_team.hpp"
#include "kernels/divide_and_conquer/fib_tree/fib_tree.hpp"
#include "kernels/divide_and_conquer/fib_tree/subtree_booking.hpp"
#include "kernels/divide_and_conquer/fib_tree/tree_tunables.hpp"

namespace duet {
namespace {

namespace tbb = oneapi::tbb;

/// What a team counts together, each worker for itself. For use inside its arena alone.
class StolenTree {
 public:
  StolenTree(const Execution& execution, const TreeTunables& tunables)
      : tunables_{tunables},
        booking_{execution.timesheet, execution.threads, tunables.cutoff},
        counted_(static_cast<std::size_t>(execution.threads)) {}

  /// Counts the subtree of index `n`, whose tasks all workers may take, and returns when it is done. With Join::end too
  /// there is a wait for each subtree of some thousand tasks: all in one task_group would count in and out at one word
  /// that the workers share, 1.5 times as long on two; and more than a thousand that lie waiting leave the cache.
  void count(std::int64_t n) {
    if (n > booking_.level()) {
      // The larger one is the task, so that a thief takes much at a time.
      tbb::task_group first;
      first.run([this, n] { count(n - 1); });
      count(n - 2);
      first.wait();
      mine().calls += 1;
      return;
    }
    booking_.book(TbbTeam::worker(), [this, n] {
      if (tunables_.join == Join::call) {
        tbb::task_group_context context;
        const TreeCount found = joined(n, context);
        mine() += found;
      } else {
        tbb::task_group tasks;
        unjoined(n, tasks);
        tasks.wait();
      }
    });
  }

  [[nodiscard]] TreeCount found() const {
    TreeCount sum;
    for (const Counted& counted : counted_) sum += counted.here;
    return sum;
  }

 private:
  struct alignas(64) Counted {
    TreeCount here;
  };

  [[nodiscard]] TreeCount& mine() { return counted_[static_cast<std::size_t>(TbbTeam::worker())].here; }

  // F(n) = F(n-1) + F(n-2), where the sum waits for the task. Of TBB's ways to fork and join the one that allocates
  // nothing: 55 ns a task; with a task_group for each call 73, where its run_and_wait takes the second 85. Without the
  // context, which all share, parallel_invoke makes one for each call: 77.
  [[nodiscard]] TreeCount joined(std::int64_t n, tbb::task_group_context& context) const {
    if (n <= tunables_.cutoff) return leaf_of_tree(n);
    TreeCount first;
    TreeCount sum;
    tbb::parallel_invoke([&] { first = joined(n - 1, context); }, [&] { sum = joined(n - 2, context); }, context);
    sum += first;
    sum.calls += 1;
    return sum;
  }

  // F(n) = F(n-1) + F(n-3) + F(n-5) + ..., each of which goes to the sum of the worker that runs it: 29 ns a task.
  void unjoined(std::int64_t n, tbb::task_group& tasks) {
    std::uint64_t calls = 0;
    for (; n > tunables_.cutoff; n -= 2) {
      tasks.run([this, n, &tasks] { unjoined(n - 1, tasks); });
      ++calls;
    }
    TreeCount leaf = leaf_of_tree(n);
    leaf.calls += calls;
    mine() += leaf;
  }

  TreeTunables tunables_;
  SubtreeBooking booking_;
  std::vector<Counted> counted_;
};

}  // namespace

TreeCount fib_tree_tbb(std::int64_t n, const Execution& execution) {
  if (!execution.on_worker_start) return fib_tree_tbb(n, execution, TbbTeam::kept(execution.threads));
  TbbTeam team{execution};
  return fib_tree_tbb(n, execution, team);
}

TreeCount fib_tree_tbb(std::int64_t n, const Execution& execution, TbbTeam& team) {
  require_feasible(n, execution.threads);
  StolenTree tree{execution, tree_tunables(execution)};
  team.run([&] { tree.count(n); });
  return tree.found();
}

}  // namespace duet
