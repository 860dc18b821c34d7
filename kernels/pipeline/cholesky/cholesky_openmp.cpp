#include <omp.h>

#include "kernels/pipeline/cholesky/cholesky.hpp"
#include "kernels/pipeline/cholesky/stages.hpp"

namespace duet {
namespace {

/// Tasks of the wavefront, in the order in which one thread would do them. Each names the tiles that it reads and the
/// one that it writes, and the runtime keeps them apart. What is on the critical path comes first in each step:
/// runtimes that honour priorities (OMP_MAX_TASK_PRIORITY) and those that take the oldest task both find it there.
class Tasks {
 public:
  Tasks(const TileMatrix& a, Stages& stages, Timesheet* timesheet) : a_{a}, stages_{stages}, timesheet_{timesheet} {}

  /// Called by one thread of a team.
  void create() {
    for (std::int64_t j = 0; j < stages_.count(); ++j) {
      factor(j);
      for (std::int64_t i = j + 1; i < stages_.count(); ++i) solve(i, j);
      // The rest of the column before: column j has taken its updates on the way.
      if (j == 0) continue;
      for (std::int64_t column = j + 1; column < stages_.count(); ++column) {
        for (std::int64_t i = column; i < stages_.count(); ++i) update(i, column, j - 1);
      }
    }
  }

 private:
  // A(j, j) -= L(j, j-1) L(j, j-1)^T, then L(j, j)
  void factor(std::int64_t j) {
    [[maybe_unused]] const double* const tile = a_.tile(j, j);
    [[maybe_unused]] const double* const left = j == 0 ? tile : a_.tile(j, j - 1);
#pragma omp task default(none) firstprivate(j) depend(in : left[0]) depend(inout : tile[0]) priority(2)
    {
      const Booking booking{timesheet_, omp_get_thread_num(), Activity::useful};
      if (j > 0) stages_.update(j, j, j - 1);
      stages_.factor(j);
    }
  }

  // A(i, j) -= L(i, j-1) L(j, j-1)^T, then L(i, j)
  void solve(std::int64_t i, std::int64_t j) {
    [[maybe_unused]] const double* const tile = a_.tile(i, j);
    [[maybe_unused]] const double* const diagonal = a_.tile(j, j);
    [[maybe_unused]] const double* const left = j == 0 ? diagonal : a_.tile(i, j - 1);
#pragma omp task default(none) firstprivate(i, j) depend(in : diagonal[0], left[0]) depend(inout : tile[0]) priority(1)
    {
      const Booking booking{timesheet_, omp_get_thread_num(), Activity::useful};
      if (j > 0) stages_.update(i, j, j - 1);
      stages_.solve(i, j);
    }
  }

  // A(i, j) -= L(i, k) L(j, k)^T
  void update(std::int64_t i, std::int64_t j, std::int64_t k) {
    [[maybe_unused]] const double* const tile = a_.tile(i, j);
    [[maybe_unused]] const double* const left = a_.tile(i, k);
    [[maybe_unused]] const double* const right = a_.tile(j, k);
#pragma omp task default(none) firstprivate(i, j, k) depend(in : left[0], right[0]) depend(inout : tile[0])
    {
      const Booking booking{timesheet_, omp_get_thread_num(), Activity::useful};
      stages_.update(i, j, k);
    }
  }

  const TileMatrix& a_;
  Stages& stages_;
  Timesheet* timesheet_;
};

}  // namespace

void cholesky_openmp(const TileMatrix& a, const Execution& execution) {
  Stages stages{a};
  Tasks tasks{a, stages, execution.timesheet};
#pragma omp parallel num_threads(execution.threads) default(none) shared(execution, tasks)
#pragma omp single
  tasks.create();
  stages.require_success();
}

}  // namespace duet
