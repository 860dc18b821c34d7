#pragma once

/// The process in which forms of a hazard run: one for shared state, or the ranks of a job. It may hang, crash or be
/// ended at any moment; what it has seen so far is in its file.

#include <string>
#include <vector>

namespace duet {

struct ChildOptions {
  std::string file;  ///< where runs are told (seen_run.hpp); ranks find their call board at `board_of(file)`
  std::vector<std::string> forms{};
  int rounds = 1;  ///< each form once a round, after one that warms up; 0: only one run each, which counts
  int workers = 2;
};

[[nodiscard]] std::string board_of(const std::string& file);

/// Runs the forms of the hazard called `name`, all by shared state or all by messages. Exit status 0 where all ended. A
/// job whose ranks wait for each other in a cycle is ended from within as soon as that is certain, with what each rank
/// waited for as the observation.
[[nodiscard]] int run_forms(const std::string& name, const ChildOptions& options);

}  // namespace duet
