#pragma once

/// `duet compare --simulate`: after the measuring, the message-passing kernels of the study's problems on more ranks
/// than there are cores, on a described machine (drivers/simulate/simulation.hpp says what that is worth). Their times
/// go to FOLDER/simulated.jsonl, which the report draws apart and no verdict sees.
///
/// The simulator is a program of its own, jobs/simulate.sh, which is asked before anything is measured whether it is
/// there. It is started once for each simulation, with a deadline: one that fails costs one line of warning, and what
/// was simulated before Ctrl-C is kept. What stands in simulated.jsonl already is not simulated again.

#include <CLI/CLI.hpp>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "drivers/study/launch.hpp"
#include "drivers/study/plan.hpp"
#include "drivers/study/trials.hpp"

namespace duet {

/// The options as typed.
struct TypedSimulation {
  std::string platform;  ///< empty where nothing is to be simulated
  std::vector<std::string> ranks{"4", "16", "64", "256", "1024"};
  std::vector<std::string> sizes;  ///< none: those of the study
  std::string script;              ///< the simulator; empty: jobs/simulate.sh beside the build
};

/// Adds --simulate[=WHICH], --simulate-ranks, --simulate-sizes and --simulator to `command`, which `typed` must
/// outlive.
void add_simulation_options(CLI::App& command, TypedSimulation& typed);

/// One question on one number of ranks.
struct SimulatedCell {
  std::string problem;
  std::string size;
  int ranks = 0;
  std::map<std::string, std::string> settings{};  ///< --set: those of the problem and its variant in mpi
};

/// What a study simulates once it is measured.
class StudySimulation {
 public:
  /// `machine` is the one that the rates must be of; `time_limit` seconds are for one simulation, 0 for the usual
  /// limit. Throws UsageError, in one line: for a rank or size that is none, where no problem of the study can be
  /// simulated, and where the simulator is not there or refuses the platform or the ranks. Says on standard error which
  /// problems are left out.
  StudySimulation(const TypedSimulation& typed, const StudyOptions& options, std::filesystem::path folder,
                  double time_limit);

  /// What `run` would start, in its order: measuring the rates, where there are none of this machine, and a simulation
  /// for each cell that is not among `done`, the trials simulated so far.
  [[nodiscard]] std::vector<Command> commands(const std::vector<Trial>& done) const;

  /// Simulates, smallest sizes first, and appends each trial to FOLDER/simulated.jsonl and to `simulated` as it comes.
  /// True unless `stop` received a signal. Throws std::runtime_error where the file cannot be written.
  [[nodiscard]] bool run(std::vector<Trial>& simulated, const StopSignals& stop, bool quiet);

  /// "simulated F/simulated.jsonl (10 on fat-tree, 4 to 1024 ranks; 1 failed)": for the end of a study.
  [[nodiscard]] std::string summary(const std::vector<Trial>& simulated) const;

 private:
  [[nodiscard]] std::vector<SimulatedCell> missing(const std::vector<Trial>& done) const;
  [[nodiscard]] bool has_rates(const std::filesystem::path& folder) const;
  [[nodiscard]] std::filesystem::path rates_folder() const;
  [[nodiscard]] Command calibration() const;
  [[nodiscard]] Command command_of(const SimulatedCell& cell) const;

  std::string script_;
  std::string programs_;  ///< the folder of this program, where the simulator's parts are built as well
  std::string platform_;
  std::string machine_;
  bool one_core_ = false;
  std::filesystem::path folder_;
  double limit_;
  std::uint64_t seed_;
  std::vector<SimulatedCell> cells_;
  int failures_ = 0;
};

}  // namespace duet
