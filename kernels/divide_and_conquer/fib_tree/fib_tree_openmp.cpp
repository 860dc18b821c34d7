#include "kernels/divide_and_conquer/fib_tree/fib_tree.hpp"
#include "kernels/divide_and_conquer/fib_tree/task_tree.hpp"

namespace duet {

TreeCount fib_tree_openmp(std::int64_t n, const Execution& execution) {
  require_feasible(n, execution.threads);
  TaskTree tree{execution, tree_tunables(execution)};
  // The root is a task too, and the thread that makes it takes tasks at the barrier like all others. libgomp counts who
  // is busy there; a thread that ran the root by itself would not be counted, and each spawn of a tree of joins would
  // ask the system to wake a thread that is awake: 290 to 400 ns a task and not 70 to 90, on two threads.
#pragma omp parallel num_threads(execution.threads) default(none) shared(tree) firstprivate(n)
  {
    tree.begin();
#pragma omp single nowait
    {
#pragma omp task default(none) shared(tree) firstprivate(n)
      tree.count(n);
    }
#pragma omp barrier
    tree.add_up();
  }
  return tree.found();
}

}  // namespace duet
