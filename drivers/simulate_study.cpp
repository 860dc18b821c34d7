#include "drivers/simulate_study.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <optional>
#include <utility>

#include "drivers/command.hpp"
#include "drivers/compare.hpp"
#include "drivers/machine.hpp"
#include "drivers/options.hpp"
#include "drivers/simulate/rates.hpp"
#include "drivers/simulate/simulated_problems.hpp"
#include "drivers/study/progress.hpp"
#include "kernels/registry.hpp"

namespace duet {
namespace {

namespace fs = std::filesystem;

constexpr const char* default_platform = "fat-tree";
constexpr const char* file_of_one = "simulation.jsonl";
constexpr const char* file_of_all = "simulated.jsonl";

/// The last line that the simulator says of itself ("simulate.sh: ..."), or how it ended.
std::string reason_of(const Ending& ending, double limit) {
  switch (ending.how) {
    case Ending::How::out_of_time:
      return fmt::format("no end within {:g} s; --time-limit sets another limit", limit);
    case Ending::How::not_started:
      return "the simulator could not be started";
    case Ending::How::signalled:
      return fmt::format("the simulator was ended by signal {}", ending.code);
    case Ending::How::stopped:
      return "interrupted";
    case Ending::How::exited:
      break;
  }
  constexpr std::string_view speaker = "simulate.sh: ";
  const std::size_t found = ending.output.rfind(speaker);
  if (found == std::string::npos) return fmt::format("the simulator ended with status {}", ending.code);
  const std::size_t begin = found + speaker.size();
  return ending.output.substr(begin, std::min(ending.output.find('\n', begin), ending.output.size()) - begin);
}

/// jobs/simulate.sh of the tree that this program was built in: it is in BUILD/bin.
fs::path script_beside(const fs::path& programs) {
  return programs.parent_path().parent_path() / "jobs" / "simulate.sh";
}

std::string text_of(const std::vector<int>& ranks) {
  std::string text;
  for (const int count : ranks) text += (text.empty() ? "" : ",") + std::to_string(count);
  return text;
}

std::vector<int> ranks_from(const std::vector<std::string>& texts) {
  constexpr std::int64_t most = 1 << 20;
  std::vector<int> ranks;
  for (const std::string& text : texts) {
    ranks.push_back(static_cast<int>(whole_number("--simulate-ranks", text, 1, most)));
  }
  std::ranges::sort(ranks);
  const auto repeated = std::ranges::unique(ranks);
  ranks.erase(repeated.begin(), repeated.end());
  return ranks;
}

/// Those of the study that can be simulated; says which cannot.
std::vector<std::string> problems_of(const StudyOptions& options) {
  std::vector<std::string> can;
  std::string left_out;
  for (const std::string& problem : options.problems) {
    if (std::ranges::find(simulated_problems(), problem) != simulated_problems().end()) {
      can.push_back(problem);
    } else {
      left_out += (left_out.empty() ? "" : ", ") + problem;
    }
  }
  const std::string why = "nothing says what its computing costs there";
  if (can.empty()) {
    throw UsageError(fmt::format("--simulate: {} cannot be simulated, {}; {} can", left_out, why,
                                 fmt::join(simulated_problems(), ", ")));
  }
  if (!left_out.empty()) fmt::print(stderr, "duet: --simulate leaves out {}: {}\n", left_out, why);
  return can;
}

/// --simulate-sizes for the problems that they name, the study's own for the others.
std::map<std::string, std::vector<std::string>> sizes_of(const std::vector<std::string>& texts,
                                                         const std::vector<std::string>& problems,
                                                         const StudyOptions& options) {
  const auto named = sizes_from(texts, problems, "--simulate-sizes");
  std::map<std::string, std::vector<std::string>> sizes;
  for (const std::string& problem : problems) {
    const bool is_named = std::ranges::any_of(texts, [&](const std::string& text) {
      return text.find('=') == std::string::npos || text.starts_with(problem + "=");
    });
    sizes[problem] = is_named ? named.at(problem) : options.sizes.at(problem);
  }
  return sizes;
}

bool declares(const std::vector<Setting>& settings, const std::string& name) {
  return std::ranges::find(settings, name, &Setting::name) != settings.end();
}

/// The study's settings that mean something here. The local kernel does not: products cost what the rates say.
std::map<std::string, std::string> settings_for(const Problem& problem,
                                                const std::map<std::string, std::string>& settings) {
  std::map<std::string, std::string> mine;
  for (const auto& [name, value] : settings) {
    const bool known = declares(problem.parameters, name) || declares(problem.variant(Model::mpi).tunables, name);
    if (known && name != "local_kernel") mine[name] = value;
  }
  return mine;
}

/// What the simulator records of `cell`.
Cell recorded_cell(const SimulatedCell& cell, std::uint64_t seed) {
  const Problem& problem = problem_called(cell.problem);
  const Variant& variant = problem.variant(Model::mpi);
  std::map<std::string, std::string> parameters;
  std::map<std::string, std::string> tunables;
  for (const auto& [name, value] : cell.settings) {
    (declares(variant.tunables, name) ? tunables : parameters)[name] = value;
  }
  const Instance instance = problem.pose(cell.size, seed, parameters);
  const Settings all{problem.name + " in mpi", variant.tunables, tunables};
  Cell recorded{cell.problem, Model::mpi, instance.size_text(), seed, {}, {}, 1, cell.ranks, 1};
  recorded.parameters = {instance.parameters.all().begin(), instance.parameters.all().end()};
  recorded.tunables = {all.all().begin(), all.all().end()};
  return recorded;
}

/// Whether `trial` says how long `cell` takes on `platform`, on whatever nodes.
bool answers(const Trial& trial, Cell cell, const std::string& platform) {
  cell.nodes = trial.cell.nodes;
  const bool timed = trial.outcome == Outcome::right || trial.outcome == Outcome::modelled;
  return timed && trial.simulated == platform && trial.cell == cell;
}

}  // namespace

StudySimulation::StudySimulation(const TypedSimulation& typed, const StudyOptions& options, fs::path folder,
                                 double time_limit)
    : platform_{typed.platform}, folder_{std::move(folder)}, seed_{options.seed} {
  const Machine machine = describe_machine();
  machine_ = machine.host + ", " + machine.processor;
  one_core_ = machine.cores < 2;
  constexpr double usual_limit = 300;
  limit_ = time_limit > 0 ? time_limit : usual_limit;
  const fs::path programs = fs::read_symlink("/proc/self/exe").parent_path();
  programs_ = programs.string();
  script_ = typed.script.empty() ? script_beside(programs).string() : typed.script;

  const std::vector<int> ranks = asked([&] { return ranks_from(typed.ranks); });
  const std::vector<std::string> problems = problems_of(options);
  const auto sizes = asked([&] { return sizes_of(typed.sizes, problems, options); });
  for (const std::string& name : problems) {
    const auto settings = settings_for(problem_called(name), options.settings);
    for (const std::string& size : sizes.at(name)) {
      for (const int count : ranks) cells_.push_back({name, size, count, settings});
    }
  }

  if (::access(script_.c_str(), X_OK) != 0) {
    throw UsageError(
        fmt::format("--simulate: there is no simulator '{}': --simulator names jobs/simulate.sh", script_));
  }
  const StopSignals stop;
  constexpr double soon = 30;
  const Ending ending = run_process(
      {script_, "--check", "--programs", programs_, "--platform", platform_, "--ranks", text_of(ranks)}, soon, stop);
  if (ending.how != Ending::How::exited || ending.code != 0) {
    throw UsageError("--simulate: " + reason_of(ending, soon));
  }
}

std::vector<Command> StudySimulation::commands(const std::vector<Trial>& done) const {
  std::vector<Command> all;
  const std::vector<SimulatedCell> cells = missing(done);
  if (!cells.empty() && !has_rates(rates_folder())) all.push_back(calibration());
  for (const SimulatedCell& cell : cells) all.push_back(command_of(cell));
  return all;
}

bool StudySimulation::run(std::vector<Trial>& simulated, const StopSignals& stop, bool quiet) {
  if (simulated.empty()) simulated = trials_from((folder_ / file_of_all).string());
  const auto warn = [](const std::string& line) { fmt::print(stderr, "duet: warning: {}\n", line); };
  const std::vector<SimulatedCell> cells = missing(simulated);
  StudyProgress progress{!quiet};
  if (!cells.empty() && !has_rates(rates_folder())) {
    progress.say("duet: measuring this machine's rates for the simulation, once: a minute or two");
    constexpr double limit = 600;
    const Ending ending = run_process(calibration(), limit, stop);
    if (ending.how == Ending::How::stopped) return false;
    if (!has_rates(rates_folder())) {
      warn("nothing is simulated: measuring this machine's rates failed: " + reason_of(ending, limit));
      failures_ = static_cast<int>(cells.size());
      return true;
    }
    const std::size_t found = ending.output.rfind("largest deviation");
    if (found != std::string::npos) {
      const std::size_t end = std::min(ending.output.find('\n', found), ending.output.size());
      progress.say("duet: matmul on 2 ranks here, simulated against measured: " +
                   ending.output.substr(found, end - found));
    }
  }

  const fs::path file = folder_ / file_of_one;
  constexpr double grace = 10;  // the simulator has the limit itself, and says more
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const SimulatedCell& cell = cells[i];
    const std::string name = fmt::format("{}/{} on {} ranks", cell.problem, cell.size, cell.ranks);
    const auto show = [&] {
      progress.show({.share = static_cast<double>(i) / static_cast<double>(cells.size()),
                     .seconds_left = std::numeric_limits<double>::infinity(),
                     .failures = failures_,
                     .running = "simulating " + name});
    };
    show();
    fs::remove(file);
    const Ending ending = run_process(command_of(cell), limit_ + grace, stop, show);
    if (ending.how == Ending::How::stopped) {
      fs::remove(file);
      return false;
    }
    std::string reason = reason_of(ending, limit_);
    std::vector<Trial> said;
    try {
      said = trials_from(file.string());
    } catch (const std::exception& error) {
      reason = error.what();
    }
    fs::remove(file);
    const Cell expected = recorded_cell(cell, seed_);
    if (ending.code == 0 && ending.how == Ending::How::exited && said.size() == 1 &&
        answers(said.front(), expected, said.front().simulated) && !said.front().simulated.empty()) {
      append_trials(folder_, said, file_of_all);
      simulated.push_back(std::move(said.front()));
      continue;
    }
    if (ending.code == 0 && ending.how == Ending::How::exited) reason = "the simulator gave no time for it";
    ++failures_;
    progress.clear();
    warn(fmt::format("simulating {} failed: {}", name, reason));
  }
  return true;
}

std::string StudySimulation::summary(const std::vector<Trial>& simulated) const {
  const std::size_t wanted = cells_.size();
  const std::size_t there = wanted - missing(simulated).size();
  const int fewest = cells_.front().ranks;
  const int most = cells_.back().ranks;
  std::string text = fmt::format("simulated {} ({} on {}, {} to {} ranks", (folder_ / file_of_all).string(), there,
                                 fs::path{platform_}.stem().string(), fewest, most);
  if (failures_ > 0) text += fmt::format("; {} failed", failures_);
  return text + ")";
}

std::vector<SimulatedCell> StudySimulation::missing(const std::vector<Trial>& done) const {
  const std::string platform = fs::path{platform_}.stem().string();
  std::vector<SimulatedCell> cells;
  for (const SimulatedCell& cell : cells_) {
    const Cell expected = recorded_cell(cell, seed_);
    if (std::ranges::none_of(done, [&](const Trial& trial) { return answers(trial, expected, platform); })) {
      cells.push_back(cell);
    }
  }
  return cells;
}

bool StudySimulation::has_rates(const fs::path& folder) const {
  try {
    return load_rates(folder / "rates.json").machine == machine_;
  } catch (const std::runtime_error&) {
    return false;
  }
}

/// Where jobs/simulate.sh keeps them for the default build, so that each measures once for both; beside the study where
/// nothing can be written there.
fs::path StudySimulation::rates_folder() const {
  const fs::path shared = fs::path{programs_}.parent_path() / "simulate";
  if (has_rates(folder_)) return folder_;
  if (has_rates(shared)) return shared;
  const fs::path nearest = fs::exists(shared) ? shared : shared.parent_path();
  return ::access(nearest.c_str(), W_OK) == 0 ? shared : folder_;
}

Command StudySimulation::calibration() const {
  Command words{script_, "--calibrate", "--programs", programs_, "--output", rates_folder().string()};
  if (one_core_) words.emplace_back("--oversubscribe");
  return words;
}

Command StudySimulation::command_of(const SimulatedCell& cell) const {
  Command words{script_,
                "--ranks",
                std::to_string(cell.ranks),
                "--platform",
                platform_,
                "--programs",
                programs_,
                "--rates",
                (rates_folder() / "rates.json").string(),
                "--json",
                (folder_ / file_of_one).string(),
                "--deadline",
                fmt::format("{:.0f}", std::max(1.0, limit_)),
                "--",
                cell.problem,
                "--size",
                cell.size,
                "--seed",
                std::to_string(seed_)};
  for (const auto& [name, value] : cell.settings) words.insert(words.end(), {"--set", name + "=" + value});
  return words;
}

void add_simulation_options(CLI::App& command, TypedSimulation& typed) {
  CLI::Option* const simulate = command.add_flag(
      "--simulate{" + std::string{default_platform} + "}", typed.platform,
      "After measuring, simulate the mpi kernels on a machine that is described and not there: --simulate=WHICH is "
      "fat-tree (where nothing is said), dragonfly, ethernet or a platform file of SimGrid. Part of no verdict");
  command.add_option("--simulate-ranks", typed.ranks, "Numbers of simulated ranks")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->default_str("4,16,64,256,1024")
      ->needs(simulate);
  command
      .add_option("--simulate-sizes", typed.sizes,
                  "65536 for every problem, matmul=65536 for one; may be given again. They need not fit this machine")
      ->allow_extra_args(false)
      ->default_str("those of the study")
      ->needs(simulate);
  command.add_option("--simulator", typed.script, "The simulator")
      ->type_name("FILE")
      ->default_str("jobs/simulate.sh")
      ->needs(simulate);
}

}  // namespace duet
