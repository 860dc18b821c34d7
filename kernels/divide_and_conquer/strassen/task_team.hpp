#pragma once

/// A team of OpenMP tasks.

#include <omp.h>

#include "kernels/core/first_exception.hpp"
#include "kernels/divide_and_conquer/strassen/team.hpp"

namespace duet {

/// For use inside `TaskTeam::run` alone.
class TaskTeam : public StrassenTeam {
 public:
  using StrassenTeam::StrassenTeam;

  // This thread does the first itself. The others take the oldest that is left; this one, once it waits, takes the
  // newest (libgomp), so that a large one that comes first is never left for last.
  void each(std::int64_t count, const std::function<void(std::int64_t)>& act) override {
    if (count == 0) return;
    if (count == 1) return act(0);
    FirstException failure;
#pragma omp taskgroup
    {
      for (std::int64_t index = 1; index < count; ++index) {
#pragma omp task default(none) firstprivate(index) shared(act, failure)
        failure.guard([&] { act(index); });
      }
      failure.guard([&] { act(0); });
    }
    failure.rethrow();
  }

  /// Runs `act` on the calling thread, while the others of an OpenMP team of `threads` do the tasks that it makes. The
  /// thread that called is the one that may call MPI, so it is the one that runs.
  template <class Act>
  static void run(int threads, Act&& act) {
    FirstException failure;
#pragma omp parallel num_threads(threads) default(none) shared(act, failure)
    {
#pragma omp master
      failure.guard(act);
    }  // the other threads wait here, and take tasks while they do
    failure.rethrow();
  }

 protected:
  [[nodiscard]] int thread() const override { return omp_get_thread_num(); }
};

}  // namespace duet
