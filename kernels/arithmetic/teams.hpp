#pragma once

/// The threads of a process as the team that divides transforms.

#include <omp.h>
#include <oneapi/tbb/parallel_for.h>

#include <algorithm>
#include <atomic>
#include <cstdint>

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

/// As many tasks as there are workers, who all take the next part when they are free: stolen ranges would change the
/// order, by which what computes and what moves memory meet.
[[nodiscard]] inline TransformTeam tbb_team(const Execution& execution, TbbTeam& team) {
  return {execution.threads, [&execution, &team](std::int64_t parts, const TransformTeam::Body& body) {
            std::atomic<std::int64_t> next{0};
            const auto take_parts = [&](std::int64_t /*task*/) {
              const Booking booking{execution.timesheet, TbbTeam::worker(), Activity::useful};
              for (std::int64_t part = next++; part < parts; part = next++) body(part);
            };
            team.run([&] {
              oneapi::tbb::parallel_for(std::int64_t{0}, std::min<std::int64_t>(parts, execution.threads), take_parts,
                                        oneapi::tbb::simple_partitioner{});
            });
          }};
}

}  // namespace duet
