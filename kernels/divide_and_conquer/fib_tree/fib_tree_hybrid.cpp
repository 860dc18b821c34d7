#include <optional>

#include "kernels/core/first_exception.hpp"
#include "kernels/core/timesheet.hpp"
#include "kernels/divide_and_conquer/fib_tree/fib_tree.hpp"
#include "kernels/divide_and_conquer/fib_tree/rank_tasks.hpp"
#include "kernels/divide_and_conquer/fib_tree/task_tree.hpp"

namespace duet {
namespace {

/// The index of the subtrees that ranks take: the largest with which there are 32 for each, since a team waits for
/// itself at the end of each; never below the cut-off.
std::int64_t rank_level(std::int64_t n, std::int64_t cutoff, int ranks) {
  constexpr std::uint64_t subtrees_a_rank = 32;
  std::int64_t level = n;
  if (ranks == 1) return level;
  while (level > cutoff && tasks_of_tree(n, level) < subtrees_a_rank * static_cast<std::uint64_t>(ranks)) --level;
  return level;
}

}  // namespace

TreeCount fib_tree_hybrid(std::int64_t n, RankWords& words, const Execution& execution) {
  const int ranks = size_of(words.communicator());
  require_feasible(n, std::int64_t{ranks} * execution.threads);
  const TreeTunables tunables = tree_tunables(execution);
  RankTasks tasks{n, rank_level(n, tunables.cutoff, ranks), tunables.distribution, words};
  TaskTree tree{execution, tunables};
  // Where other ranks may want what is left, this one waits for its team before it takes more.
  const bool shared_out = ranks > 1 && tunables.distribution != Schedule::block;
  FirstException failure;
  const auto booked = [&](const auto& communicate) {
    const Booking booking{execution.timesheet, 0, Activity::communicating};
    return communicate();
  };
#pragma omp parallel num_threads(execution.threads) default(none) shared(tree, tasks, failure, booked, shared_out)
  {
    tree.begin();
    // The thread that called is the one that may call MPI. It takes subtrees for all, and computes in them as well.
#pragma omp master
    failure.guard([&] {
      while (const std::optional<Range> dealt = booked([&] { return tasks.next(); })) {
        if (shared_out) {
#pragma omp taskgroup
          tasks.each(*dealt, [&](std::int64_t index) { tree.count(index); });
        } else {
          tasks.each(*dealt, [&](std::int64_t index) { tree.count(index); });
        }
      }
    });
#pragma omp barrier
    tree.add_up();
  }
  failure.rethrow();
  return booked([&] { return tasks.found_by_all(tree.found()); });
}

}  // namespace duet
