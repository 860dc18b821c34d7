#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <limits>
#include <map>
#include <memory>

#include "drivers/command.hpp"
#include "drivers/measure.hpp"
#include "drivers/options.hpp"
#include "drivers/stage_table.hpp"
#include "drivers/statistics/medians.hpp"
#include "drivers/statistics/text.hpp"
#include "drivers/study/moved.hpp"
#include "drivers/study/pipelines.hpp"
#include "drivers/watchdog.hpp"
#include "kernels/core/mpi.hpp"
#include "kernels/registry.hpp"

namespace duet {
namespace {

struct RunOptions {
  std::string problem;
  std::string size;
  bool size_given = false;
  std::uint64_t seed = 1;
  std::vector<std::string> settings;
  Workers workers;
  MeasureOptions measure;
  int warm_up = 1;
  double time_limit = 0;
  double deadline = usual_deadline_seconds;
  std::string json;
  bool plan = false;
  std::int64_t planned_ranks = 0;  ///< 0: as many as there are
};

/// Where trials go as they end: a line each, in one write, so that a run that is killed leaves whole lines.
class TrialFile {
 public:
  explicit TrialFile(const std::string& path) : path_{path} {
    if (path.empty()) return;
    descriptor_ = path == "-" ? STDOUT_FILENO : open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (descriptor_ < 0) throw UsageError(fmt::format("--json {}: {}", path, std::strerror(errno)));
  }
  ~TrialFile() {
    if (descriptor_ > STDERR_FILENO) close(descriptor_);
  }
  TrialFile(const TrialFile&) = delete;
  TrialFile& operator=(const TrialFile&) = delete;

  void append(const Trial& trial) const {
    if (descriptor_ < 0) return;
    const std::string line = nlohmann::json(trial).dump() + "\n";
    for (std::size_t written = 0; written < line.size();) {
      const ssize_t count = write(descriptor_, line.data() + written, line.size() - written);
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) throw std::runtime_error(fmt::format("{}: {}", path_, std::strerror(errno)));
      written += static_cast<std::size_t>(count);
    }
  }

 private:
  std::string path_;
  int descriptor_ = -1;
};

/// The trial that did not end, and why.
Trial hung_trial(const Cell& cell, const MeasureOptions& options, const Hang& hang) {
  Trial trial;
  trial.cell = cell;
  trial.round = options.round;
  trial.launch = options.launch;
  trial.number = std::max(0, hang.diagnosis.trial());
  trial.outcome = Outcome::hung;
  trial.message = hang.message;
  trial.diagnosis = hang.diagnosis;
  return trial;
}

void print_head(const Problem& problem, const Trial& trial) {
  const Cell& cell = trial.cell;
  fmt::print("{}: {}, size {}, seed {}\n", cell.problem, problem.summary, cell.size, cell.seed);
  fmt::print("model {}, {} rank{} x {} thread{}\n", name_of(cell.model), cell.ranks, cell.ranks == 1 ? "" : "s",
             cell.threads, cell.threads == 1 ? "" : "s");
  if (!cell.parameters.empty()) fmt::print("parameters: {}\n", settings_text(cell.parameters));
  if (!cell.tunables.empty()) fmt::print("tunables: {}\n", settings_text(cell.tunables));
  for (const auto& [name, value] : trial.facts) fmt::print("{}: {}\n", name, value);
  fmt::print("placed in {}\n\n", seconds_text(trial.place_seconds));
  fmt::print("{:>6}  {:>10}  {:>16}  {:>8}  {:>8}  {}\n", "trial", "time", "rate", "balance", "communic", "answer");
}

void print_trial(const Trial& trial) {
  const bool warm_up = trial.warms_up();
  const bool booked = std::ranges::any_of(trial.useful_seconds, [](double seconds) { return seconds > 0; });
  std::string answer = trial.outcome == Outcome::right ? "right" : "WRONG: " + trial.message;
  if (trial.outcome == Outcome::right && trial.bound > 0) {
    answer += fmt::format(", error {:.1e} of {:.1e}", trial.error, trial.bound);
  }
  fmt::print("{:>6}  {:>10}  {:>16}  {:>8}  {:>8}  {}\n", warm_up ? "warm" : fmt::format("{}", trial.number),
             seconds_text(trial.seconds), rate_text(trial.operations / trial.seconds, trial.unit),
             booked ? fmt::format("{:.2f}", trial.load_balance()) : "-",
             booked ? fmt::format("{:.2f}", trial.communication_efficiency()) : "-", answer);
  std::fflush(stdout);
}

std::vector<double> seconds_that_count(const std::vector<Trial>& trials) {
  std::vector<double> seconds;
  for (const Trial& trial : trials) {
    if (trial.outcome == Outcome::right && !trial.warms_up()) seconds.push_back(trial.seconds);
  }
  return seconds;
}

/// The trial whose time is nearest to the median.
const Trial& typical_of(const std::vector<Trial>& trials, double median) {
  const auto distance = [&](const Trial& trial) {
    return trial.outcome == Outcome::right ? std::abs(trial.seconds - median) : std::numeric_limits<double>::infinity();
  };
  return *std::ranges::min_element(trials, {}, distance);
}

/// What its stages did.
void print_stages(const std::vector<Trial>& trials, double median) {
  const Trial& typical = typical_of(trials, median);
  if (typical.stages.empty()) return;
  fmt::print("\nstages of trial {}\n{}\n", typical.number,
             stage_table(typical.stages, typical.cell.ranks * typical.cell.threads, typical.seconds));
}

void print_summary(const std::vector<Trial>& trials) {
  const std::vector<double> seconds = seconds_that_count(trials);
  if (seconds.empty()) return;
  const Interval median = median_interval(seconds);
  fmt::print("\nmedian {} of {} trial{}, {}\n", seconds_text(median), seconds.size(), seconds.size() == 1 ? "" : "s",
             rate_text(trials.front().operations / median.estimate, trials.front().unit));
  fmt::print("Trials of one process share its luck; `duet compare` measures over many.\n");
  print_stages(trials, median.estimate);
  if (const Trial& last = trials.back(); last.traffic) {
    const bool alike = std::ranges::all_of(trials, [&](const Trial& trial) { return trial.traffic == last.traffic; });
    fmt::print("moved{}: {}\n", alike ? "" : " in the last trial", moved_text(*last.traffic, last.cell.ranks));
  }
  if (const Trial& first = trials.front(); first.memory_bytes >= 0x1p20) {
    fmt::print("memory{}: {:.4g} MiB, {:.4g} MiB estimated\n", first.cell.ranks > 1 ? " of the largest rank" : "",
               first.memory_bytes / 0x1p20, first.estimated_memory_bytes / 0x1p20);
  }
  for (const WorkerPlace& place : trials.front().places) {
    fmt::print("rank {} thread {} on {} core {}\n", place.rank, place.thread, place.host, place.core);
  }
  for (const std::string& mark : trials.front().marks) {
    if (mark == "shared_core") fmt::print("warning: two workers share a core; these times say little\n");
    if (mark == "oversubscribed") fmt::print("warning: more workers than cores; these times say little\n");
  }
}

/// What would be chosen on so many ranks; nothing is run.
int print_plan(const Problem& problem, const Variant& variant, const Instance& instance, const Settings& tunables,
               std::int64_t ranks) {
  if (!problem.plan || !passes_messages(variant.model)) {
    throw UsageError(fmt::format("--plan: {} in {} divides nothing by choice", problem.name, name_of(variant.model)));
  }
  const auto lines = asked([&] { return problem.plan(instance, tunables, ranks); });
  fmt::print("{}: size {} in {} on {}\n", problem.name, instance.size_text(), name_of(variant.model),
             counted(ranks, "rank"));
  std::size_t width = 0;
  for (const auto& [name, value] : lines) width = std::max(width, name.size());
  for (const auto& [name, value] : lines) fmt::print("  {:<{}}  {}\n", name, width, value);
  return status::right;
}

/// All that `measure` needs, but who takes the trials.
struct Measured {
  const Problem& problem;
  const Variant& variant;
  const Instance& instance;
  const Settings& tunables;
  const Session& session;
  const MeasureOptions& options;
};

/// The same on every rank; rank 0 has the trials.
std::map<std::string, std::string> change_for(const std::vector<Trial>& trials, const Session& session) {
  std::string text;
  const std::vector<double> seconds = seconds_that_count(trials);
  if (session.rank() == 0 && !seconds.empty()) {
    const Trial& typical = typical_of(trials, median(seconds));
    const PipelineBound bound = bound_of(typical.stages, typical.cell.workers(), typical.seconds);
    text = nlohmann::json(change_that_may_help(typical.cell, typical.stages, bound)).dump();
  }
  if (session.communicator() != MPI_COMM_NULL) {
    int length = static_cast<int>(text.size());
    check(MPI_Bcast(&length, 1, MPI_INT, 0, session.communicator()));
    text.resize(static_cast<std::size_t>(length));
    check(MPI_Bcast(text.data(), length, MPI_CHAR, 0, session.communicator()));
  }
  if (text.empty()) return {};
  return nlohmann::json::parse(text).get<std::map<std::string, std::string>>();
}

/// Tries what may help a pipeline, and says what it gains. True where every answer was right.
bool try_change(const Measured& as, const std::vector<Trial>& before) {
  const auto change = change_for(before, as.session);
  if (change.empty()) return true;
  std::map<std::string, std::string> changed{as.tunables.all().begin(), as.tunables.all().end()};
  for (const auto& [name, value] : change) changed[name] = value;
  std::vector<Trial> trials;
  const Settings settings{as.problem.name, as.variant.tunables, changed};
  const bool right = measure(as.problem, as.variant, as.instance, settings, as.session, as.options,
                             [&](const Trial& trial) { trials.push_back(trial); });
  const std::vector<double> after = seconds_that_count(trials);
  if (as.session.rank() != 0 || after.empty()) return right;
  const double gain = median(seconds_that_count(before)) / median(after);
  // Trials of one process are no rounds: this factor has no interval.
  fmt::print("\n{}\n",
             gain_sentence(change, median_interval(after), {.estimate = gain, .low = 0, .high = infinity, .n = 1}));
  return right;
}

int run(const RunOptions& options) {
  const Problem& problem = asked(problem_called, options.problem);
  const Variant& variant =
      asked([&](Model model) -> const Variant& { return problem.variant(model); }, options.workers.model);
  const auto [parameters, tunables] = split_settings(problem, variant, options.settings);
  const std::string size =
      options.size_given ? options.size : std::to_string(problem.sizes.at(problem.sizes.size() / 2));
  const Instance instance = asked([&] { return problem.pose(size, options.seed, parameters); });
  const Settings checked = asked([&] {
    return Settings{problem.name + " in " + std::string{name_of(variant.model)}, variant.tunables, tunables};
  });

  const Launched launch = launched();
  if (options.plan) {
    if (launch.rank != 0) return status::right;
    const auto ranks = options.planned_ranks != 0 ? options.planned_ranks : launch.ranks;
    return print_plan(problem, variant, instance, checked, ranks);
  }
  watch({.rank = launch.rank,
         .ranks = launch.ranks,
         .limit_seconds = options.time_limit,
         .deadline_seconds = options.deadline});
  const Session session{options.workers};
  if (session.communicator() != MPI_COMM_NULL) watch_each_other(session.communicator());
  if (!options.json.empty()) {
    before_ending(
        [path = options.json, cell = cell_of(problem, variant, instance, checked, session),
         measured = options.measure](const Hang& hang) { TrialFile{path}.append(hung_trial(cell, measured, hang)); });
  }
  const TrialFile file{session.rank() == 0 ? options.json : ""};
  std::vector<Trial> trials;
  const bool right = measure(problem, variant, instance, checked, session, options.measure, [&](const Trial& trial) {
    file.append(trial);
    if (!options.json.empty()) return;
    if (trials.empty()) print_head(problem, trial);
    print_trial(trial);
    trials.push_back(trial);
  });
  if (options.json.empty() && session.rank() == 0) {
    print_summary(trials);
    if (!session.note().empty()) fmt::print("note: {}\n", session.note());
  }
  const bool all_right =
      options.json.empty()
          ? try_change({problem, variant, instance, checked, session, options.measure}, trials) && right
          : right;
  return all_right ? status::right : status::not_right;
}

}  // namespace

void add_run(CLI::App& duet, Act& act) {
  CLI::App* const command = duet.add_subcommand("run", "Measure one cell: one problem in one model, trial by trial");
  const auto options = std::make_shared<RunOptions>();
  command->add_option("PROBLEM", options->problem, "One of those that `duet list` names")->required();
  add_worker_options(*command, options->workers);
  command->add_option("--size", options->size, "1024, or one number for each extent: 100x200x300")
      ->default_str("the problem's middle size");
  add_whole_option(*command, "--seed", options->seed, "Seed of the random instance");
  command->add_option("--set", options->settings, "name=value: a parameter or a tunable; may be given again")
      ->allow_extra_args(false);
  add_whole_option(*command, "--repeat", options->measure.repeat, "Trials that count", 1, 1'000'000);
  add_whole_option(*command, "--warm-up", options->warm_up, "Trials before them, told apart", 0, 1'000'000)
      ->default_str("until 3 ms were computed, 20 at the most");
  add_duration_option(*command, "--at-most", options->measure.at_most, "Start no further trial after this long");
  add_duration_option(*command, "--time-limit", options->time_limit, "End with status 124 after this long");
  command
      ->add_option_function<std::string>(
          "--deadline",
          [options](const std::string& text) {
            try {
              options->deadline = text == "never" ? 0 : duration_from("--deadline", text);
            } catch (const std::invalid_argument& error) {
              throw CLI::ValidationError(std::string{error.what()} + ", nor 'never'");
            }
          },
          "End with status 4, and say who waits for whom, once no rank has computed or finished an MPI call for so "
          "long, "
          "or 'never'")
      ->type_name("TIME")
      ->default_str(fmt::format("{:g}s", usual_deadline_seconds));
  command->add_option("--json", options->json,
                      "Append each trial to this file as one line of JSON ('-': standard output); one that hangs too");
  CLI::Option* const plan = command->add_flag(
      "--plan", options->plan, "Print how the ranks would divide the work, what they move and hold; run nothing");
  add_whole_option(*command, "-p,--ranks", options->planned_ranks, "Ranks to plan for, with --plan", 1, 1 << 20)
      ->default_str("as many as are started")
      ->needs(plan);
  add_whole_option(*command, "--round", options->measure.round, "Said back in the records")->group("");
  add_whole_option(*command, "--launch", options->measure.launch, "Said back in the records")->group("");
  command->footer(
      "Examples:\n"
      "  duet run matmul --model tbb --threads 2 --size 1024\n"
      "  duet run fib_batch --model openmp --size 5000 --set schedule=guided\n"
      "  mpirun -n 4 duet run matmul --model mpi --size 100x2000x300 --set panel=128\n"
      "  duet run matmul --plan -p 1024 --size 16384\n"
      "  mpirun -n 2 duet run matmul --model hybrid --threads 4 --json trials.jsonl\n"
      "Of a pipeline it prints what each stage did and what bound the run; where more\n"
      "threads that read, write or wait may help, it tries that and prints the gain.\n"
      "A long computation is never ended by --deadline, nor are ranks that wait for it.\n"
      "Each trial is timed from a common start to the last worker's end, and verified by independent mathematics.");
  command->callback([&act, options, command] {
    options->size_given = command->count("--size") > 0;
    if (options->plan && command->count("--model") == 0) options->workers.model = Model::mpi;
    if (command->count("--warm-up") > 0) options->measure.warm_up = options->warm_up;
    act = [options] { return run(*options); };
  });
}

}  // namespace duet
