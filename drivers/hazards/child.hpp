#pragma once

/// The process in which forms of a hazard run: one for shared state, or the ranks of a job. It may hang, crash or be
/// ended at any moment; what it has seen so far is in its file.

#include <string>
#include <vector>

#include "drivers/watchdog/diagnosis.hpp"

namespace duet {

struct ChildOptions {
  std::string file;  ///< where runs are told (seen_run.hpp)
  std::vector<std::string> forms{};
  int rounds = 1;  ///< each form once a round, after one that warms up; 0: only one run each, which counts
  int workers = 2;
};

/// A line for each rank of a wait cycle, or of collectives that do not match, and what lies behind it; empty where a
/// diagnosis finds neither.
[[nodiscard]] std::string deadlock_text(const Diagnosis& diagnosis);

/// Runs the forms of the hazard called `name`, all by shared state or all by messages. Exit status 0 where all ended.
/// Ranks run under the watchdog: a job that stands still is ended by it, and where it finds a deadlock, that is what
/// the form is seen to have done.
[[nodiscard]] int run_forms(const std::string& name, const ChildOptions& options);

}  // namespace duet
