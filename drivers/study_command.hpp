#pragma once

/// What `duet compare` and `duet scale` share: the options of a study, and the way from them to a study that runs, is
/// interrupted, resumed, printed and written. A subcommand adds what it asks beside that.

#include <CLI/CLI.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "drivers/simulate_study.hpp"
#include "drivers/study/launch.hpp"
#include "drivers/study/plan.hpp"

namespace duet {

/// The options that all studies have, as typed; what was not typed is empty.
struct TypedStudy {
  std::vector<std::string> models;
  std::vector<std::string> workers;
  std::vector<std::string> settings;
  std::uint64_t seed = 1;
  bool oversubscribe = false;
  double budget = 300;
  std::string precision = "2%";
  double time_limit = 0;
  int rounds = 0;
  std::string folder = "duet-report";
  std::string hosts;
  std::vector<std::string> nodes;
  std::string launcher = "auto";
  std::string mpirun = default_mpirun();
  std::string part;
  bool resume = false;
  bool dry_run = false;
  bool quiet = false;
  const CLI::App* command = nullptr;

  [[nodiscard]] bool has(const std::string& option) const { return command->count(option) > 0; }
};

/// Adds them to `command`, which must outlive `typed`, as `typed` must its parsing.
void add_study_options(CLI::App& command, TypedStudy& typed);

/// What one of the subcommands asks beside that.
struct StudyCommand {
  std::string name;  ///< "compare"
  /// Options of its own, and the keys of `as_text` (plan.hpp) that they set.
  std::vector<std::pair<std::string, std::string>> own_options;
  /// Fills in what they ask for: problems and sizes. `recorded` are the options of the study that is resumed, or null.
  /// Throws std::invalid_argument that names the option and what would be right.
  std::function<void(StudyOptions& options, const StudyOptions* recorded)> complete;
  const TypedSimulation* simulation = nullptr;  ///< what to simulate after measuring; null: nothing
};

/// Measures, prints and writes; gives the exit status. Throws UsageError for what cannot be measured as asked.
[[nodiscard]] int run_study_command(const StudyCommand& command, const TypedStudy& typed);

/// "2%" or "0.02" as 0.02. Throws std::invalid_argument for what is not between 0 and 1.
[[nodiscard]] double precision_from(const std::string& text);

/// Nothing, or what is wrong, in one line, where an option that was typed now differs from the recorded one: name,
/// value then and value now. Both are `as_text`; `typed` are the keys that were typed.
[[nodiscard]] std::string difference_of(const std::map<std::string, std::string>& recorded,
                                        const std::map<std::string, std::string>& now,
                                        const std::vector<std::string>& typed);

}  // namespace duet
