#include "kernels/divide_and_conquer/fib_tree/task_tree.hpp"

#include <omp.h>

namespace duet {
namespace {

// Of the thread and not of the tree: asking OpenMP for the number of the thread takes 1.1 ns, of 11 ns that a task
// takes. A thread is in one team at a time, and a tied task stays with its thread.
thread_local TreeCount counted_here;

}  // namespace

void TaskTree::begin() const { counted_here = {}; }

void TaskTree::add_up() {
#pragma omp critical(duet_fib_tree)
  found_ += counted_here;
}

void TaskTree::count(std::int64_t n) {
  const bool joins = tunables_.join == Join::call;
  if (n > booking_.level() && joins) {
    // The larger one is the task, so that a thief takes much at a time.
#pragma omp task default(none) firstprivate(n)
    count(n - 1);
    count(n - 2);
#pragma omp taskwait
    counted_here.calls += 1;
    return;
  }
  for (; n > booking_.level(); n -= 2) {
#pragma omp task default(none) firstprivate(n)
    count(n - 1);
    counted_here.calls += 1;
  }
  booking_.book(omp_get_thread_num(), [this, n, joins] {
    if (joins) {
      const std::uint64_t value = joined(n);
      counted_here.value += value;
      counted_here.calls -= 1;
    } else {
      unjoined(n);
    }
  });
}

// F(n) = F(n-1) + F(n-2), where the sum waits for the task. What is counted need not wait, and goes to the thread: 42
// ns a task and not 52. A tree has a fork less than leaves, so each leaf brings the call of one.
std::uint64_t TaskTree::joined(std::int64_t n) const {
  if (n <= tunables_.cutoff) {
    const TreeCount leaf = leaf_of_tree(n);
    counted_here.calls += leaf.calls + 1;
    counted_here.tasks += leaf.tasks;
    return leaf.value;
  }
  std::uint64_t first = 0;
#pragma omp task default(none) firstprivate(n) shared(first)
  first = joined(n - 1);
  const std::uint64_t second = joined(n - 2);
#pragma omp taskwait
  return first + second;
}

// F(n) = F(n-1) + F(n-3) + F(n-5) + ..., each of which goes to the sum of the thread that runs it. With nobody waiting,
// tasks pile up, and from 64 a thread on libgomp runs one where it is spawned, with nothing allocated and no lock: 11
// ns a task and not 42. (A taskgroup for each subtree would spoil that: it takes the newest first, which keeps the
// pile small.)
void TaskTree::unjoined(std::int64_t n) const {
  std::uint64_t calls = 0;
  for (; n > tunables_.cutoff; n -= 2) {
#pragma omp task default(none) firstprivate(n)
    unjoined(n - 1);
    ++calls;
  }
  TreeCount leaf = leaf_of_tree(n);
  leaf.calls += calls;
  counted_here += leaf;
}

}  // namespace duet
