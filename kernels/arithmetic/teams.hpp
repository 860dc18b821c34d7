#pragma once

/// The threads of a process as the team that divides transforms.

#include <omp.h>

#include <cstdint>
#include <memory>

#include "kernels/arithmetic/standing_team.hpp"
#include "kernels/arithmetic/transform/team.hpp"
#include "kernels/core/execution.hpp"
#include "kernels/core/first_exception.hpp"
#include "kernels/core/tbb_team.hpp"

namespace duet {

/// The calling thread, which books what it does. `execution` must outlive the team, here and below.
[[nodiscard]] inline TransformTeam single_team(const Execution& execution) {
  return {1, [&execution](std::int64_t parts, const TransformTeam::Body& body) {
            const Booking booking{execution.timesheet, 0, Activity::useful};
            for (std::int64_t part = 0; part < parts; ++part) body(part);
          }};
}

/// Threads take the next part when they are free: parts are a quarter of a thread's share or less, tens of microseconds
/// and more.
[[nodiscard]] inline TransformTeam openmp_team(const Execution& execution) {
  return {execution.threads, [&execution](std::int64_t parts, const TransformTeam::Body& body) {
            FirstException failure;
#pragma omp parallel num_threads(execution.threads) default(none) shared(execution, parts, body, failure)
            {
              const Booking booking{execution.timesheet, omp_get_thread_num(), Activity::useful};
#pragma omp for schedule(dynamic, 1) nowait
              for (std::int64_t part = 0; part < parts; ++part) failure.guard([&] { body(part); });
            }
            failure.rethrow();
          }};
}

/// The same by TBB's workers, who stay until the last copy of the team is gone.
[[nodiscard]] inline TransformTeam tbb_team(const Execution& execution, TbbTeam& team) {
  return {execution.threads, [standing = std::make_shared<StandingTeam>(execution, team)](
                                 std::int64_t parts, const TransformTeam::Body& body) { standing->run(parts, body); }};
}

}  // namespace duet
