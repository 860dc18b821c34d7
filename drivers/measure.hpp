#pragma once

/// Trials of one cell in this process: place once; then reset, execute, verify again and again.

#include <functional>
#include <optional>

#include "drivers/session.hpp"
#include "drivers/study/trials.hpp"
#include "kernels/core/problem.hpp"

namespace duet {

/// MPI's first messages in shared memory touch new pages and take twice as long; it is over after a millisecond or two.
inline constexpr double warm_up_seconds = 3e-3;
inline constexpr int most_warm_ups = 20;

struct MeasureOptions {
  int repeat = 5;  ///< trials that count
  /// Trials before them, recorded with the mark "warm_up". Where nothing is said they go on for `warm_up_seconds` of
  /// computing, or until there are `most_warm_ups`.
  std::optional<int> warm_up{};
  double at_most = 0;  ///< seconds; no further trial starts once they are spent and one counts; 0: no limit
  int round = 0;       ///< said back in the records
  int launch = 0;
  double canary_seconds = 0.5e-3;  ///< each, between trials; 0: none
};

/// What `measure` measures.
[[nodiscard]] Cell cell_of(const Problem& problem, const Variant& variant, const Instance& instance,
                           const Settings& tunables, const Session& session);

/// Collective over the session's ranks. Hands each trial, as it ends, to `each` on rank 0. Throws what the variant
/// throws; UsageError where memory is short or a tunable cannot serve. Returns whether every answer was right (on every
/// rank).
bool measure(const Problem& problem, const Variant& variant, const Instance& instance, const Settings& tunables,
             const Session& session, const MeasureOptions& options, const std::function<void(const Trial&)>& each);

}  // namespace duet
