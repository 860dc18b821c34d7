#pragma once

/// What a child process that runs forms of a hazard tells its parent: a line of JSON for each run, in a file.

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "kernels/hazards/hazard.hpp"

namespace duet {

namespace hazards {
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(Observation, seconds, operations, expected, got, deadlock, passes_bytes,
                                                blocks_bytes, slowdown, cores, workers, longest_wait, items_left,
                                                load_balance, burnt_seconds)
}  // namespace hazards

struct SeenRun {
  std::string form;
  int round = 0;  ///< 0 warms up
  hazards::Observation seen{};
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(SeenRun, form, round, seen)

/// Appends a line in one write, so that a process that is killed leaves whole lines. Throws std::runtime_error with the
/// system's reason.
void append_run(const std::string& path, const SeenRun& run);

/// All whole lines; none where there is no such file.
[[nodiscard]] std::vector<SeenRun> runs_from(const std::string& path);

}  // namespace duet
