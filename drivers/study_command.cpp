#include "drivers/study_command.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <limits>
#include <optional>
#include <set>
#include <sstream>
#include <system_error>

#include "drivers/command.hpp"
#include "drivers/machine.hpp"
#include "drivers/nodes.hpp"
#include "drivers/options.hpp"
#include "drivers/placement.hpp"
#include "drivers/report/facts.hpp"
#include "drivers/report/report.hpp"
#include "drivers/session.hpp"
#include "drivers/statistics/text.hpp"
#include "drivers/study/marks.hpp"
#include "drivers/study/parts.hpp"
#include "drivers/study/scaling.hpp"
#include "drivers/study/study.hpp"
#include "kernels/local_product/local_product.hpp"
#include "kernels/local_product/peak.hpp"
#include "kernels/registry.hpp"

namespace duet {
namespace {

namespace fs = std::filesystem;

/// The recorded option that says how `choose_local_kernel` came to its choice.
constexpr const char* chosen_kernel = "local_kernel_measured";

std::vector<Model> models_from(const std::vector<std::string>& names) {
  std::set<Model> models;
  for (const std::string& name : names) {
    const auto model = model_called(name);
    if (!model) {
      throw std::invalid_argument(fmt::format("--models: '{}' is none of serial, openmp, tbb, mpi, hybrid", name));
    }
    models.insert(*model);
  }
  if (names.empty()) models.insert(all_models.begin(), all_models.end());
  return {models.begin(), models.end()};
}

/// Without a limit of its own, a launch may take a minute, and no more than a sixth of the budget, so that one that
/// hangs does not eat the study; but ten seconds always.
double usual_time_limit(double budget) {
  constexpr double most = 60;
  constexpr double least = 10;
  constexpr double share = 6;
  return std::min(most, std::max(least, budget / share));
}

void sort_once(std::vector<int>& numbers) {
  std::ranges::sort(numbers);
  const auto repeated = std::ranges::unique(numbers);
  numbers.erase(repeated.begin(), repeated.end());
}

/// What all studies share; the rest is the subcommand's.
StudyOptions options_of(const TypedStudy& typed, const Resources& resources) {
  StudyOptions options;
  options.nodes.clear();
  options.models = models_from(typed.models);
  for (const std::string& text : typed.workers) {
    constexpr std::int64_t most = 1 << 20;
    options.workers.push_back(static_cast<int>(whole_number("--workers", text, 1, most)));
  }
  for (const std::string& text : typed.nodes) {
    constexpr std::int64_t most = 1 << 20;
    options.nodes.push_back(static_cast<int>(whole_number("--nodes", text, 1, most)));
  }
  options.nodes_given = !typed.nodes.empty();
  if (typed.nodes.empty()) options.nodes = powers_up_to(resources.nodes);
  sort_once(options.nodes);
  if (typed.workers.empty()) options.workers = default_workers(resources, options.nodes);
  sort_once(options.workers);
  options.settings = settings_from(typed.settings);
  options.seed = typed.seed;
  options.oversubscribe = typed.oversubscribe;
  options.rounds = typed.rounds;
  // A study of so many rounds ends with them, unless a budget was named as well.
  options.budget_seconds =
      typed.rounds > 0 && !typed.has("--budget") ? std::numeric_limits<double>::infinity() : typed.budget;
  options.precision = precision_from(typed.precision);
  if (!typed.part.empty()) options.part = part_from(typed.part);
  options.time_limit_seconds = typed.time_limit > 0 ? typed.time_limit : usual_time_limit(options.budget_seconds);
  return options;
}

/// The keys of `as_text` that the user typed a value for.
std::vector<std::string> typed_keys(const StudyCommand& command, const TypedStudy& typed) {
  std::vector<std::pair<std::string, std::string>> of_options = command.own_options;
  of_options.insert(of_options.end(), {{"--models", "models"},
                                       {"--workers", "workers"},
                                       {"--nodes", "nodes"},
                                       {"--set", "settings"},
                                       {"--seed", "seed"},
                                       {"--budget", "budget_seconds"},
                                       {"--precision", "precision"},
                                       {"--rounds", "rounds"},
                                       {"--time-limit", "time_limit_seconds"},
                                       {"--oversubscribe", "oversubscribe"},
                                       {"--part", "part"}});
  std::vector<std::string> keys;
  for (const auto& [option, key] : of_options) {
    if (typed.has(option)) keys.push_back(key);
  }
  return keys;
}

std::string words(const std::vector<std::string>& all) {
  std::string text;
  for (const std::string& one : all) text += (text.empty() ? "" : " ") + one;
  return text;
}

/// A folder or file that cannot be had is the user's to change.
template <class Question>
auto asked_of_system(Question&& question) {
  try {
    return std::forward<Question>(question)();
  } catch (const std::runtime_error& error) {
    throw UsageError(error.what());
  }
}

/// Other nodes than this one have to be asked what they are.
bool asks_nodes(const Launcher& launcher) { return launcher.kind == Launcher::Kind::hosts || launcher.nodes > 1; }

/// A launcher around this process means that every launch would inherit its ranks: more than one rank is a mistake, and
/// of one the traces are taken away (an interactive step of srun, say).
void leave_the_launcher(const std::string& command) {
  const Launched around = launched();
  if (!around.by_launcher) return;
  if (around.ranks > 1) {
    throw UsageError(
        fmt::format("duet {} starts mpirun itself, for each cell: run it without mpirun or srun", command));
  }
  for (const std::string& text : environment_with({"OMPI_COMM_WORLD_", "PMIX_", "PMI_"})) {
    unsetenv(text.substr(0, text.find('=')).c_str());  // NOLINT(concurrency-mt-unsafe): before any thread starts
  }
}

/// What this machine has, and as many nodes of that kind as the launcher says.
Resources resources_of(const Machine& machine, const Launcher& launcher) {
  std::set<int> numa_nodes;
  for (const UsableCore& core : usable_cores()) numa_nodes.insert(core.numa_node);
  Resources resources;
  resources.cores = std::max(1, machine.cores);
  for (const Host& host : launcher.hosts) {
    if (host.slots > 0) resources.cores = std::min(resources.cores, host.slots);
  }
  resources.numa_nodes = std::max<int>(1, static_cast<int>(numa_nodes.size()));
  resources.memory_bytes = machine.memory_bytes;
  resources.nodes = launcher.nodes;
  return resources;
}

double measured_peak() {
  constexpr double seconds = 0.01;
  constexpr int tries = 5;
  double peak = 0;
  for (int i = 0; i < tries; ++i) peak = std::max(peak, fma_peak(seconds));
  return peak;
}

/// Where a variant would choose its local kernel by measuring in every process, the study measures once and chooses for
/// all: the same kernel in every cell, and no launch spends time on it. Nothing where the user chose, or nothing asks.
void choose_local_kernel(StudySetup& setup) {
  const std::string name = "local_kernel";
  if (setup.options.settings.contains(name)) return;
  // What is best here says nothing of nodes with another processor.
  if (!setup.record.nodes.empty() && setup.record.machine.processor != describe_machine().processor) return;
  for (const std::string& problem : setup.options.problems) {
    for (const Variant& variant : problem_called(problem).variants) {
      const auto found = std::ranges::find(variant.tunables, name, &Setting::name);
      if (found == variant.tunables.end() || found->preset != "auto") continue;
      if (std::ranges::find(setup.options.models, variant.model) == setup.options.models.end()) continue;
      const std::string library = local_kernel().library;
      const auto choice =
          std::ranges::find_if(found->choices, [&](const std::string& word) { return library.starts_with(word); });
      if (choice == found->choices.end()) continue;
      setup.options.settings[name] = *choice;
      setup.record.options[chosen_kernel] = calibration().text();
      for (const std::string& warning : local_kernel_warnings()) setup.record.warnings.push_back(warning);
      return;
    }
  }
}

/// The recorded option that says how many nodes there were.
constexpr const char* allocated_nodes = "allocated_nodes";

/// Refuses to go on with a study on something else than it was begun on: the two halves would not compare.
void refuse_another_machine(const StudyRecord& recorded, const StudyRecord& now) {
  const auto refuse = [](const std::string& what, const std::string& then, const std::string& today) {
    if (then != today) {
      throw UsageError(
          fmt::format("--resume: this study was begun with {} '{}', and here it is '{}'", what, then, today));
    }
  };
  refuse("the processor", recorded.machine.processor, now.machine.processor);
  refuse("so many cores", std::to_string(recorded.machine.cores), std::to_string(now.machine.cores));
  for (const auto& [name, version] : recorded.versions) {
    const auto found = now.versions.find(name);
    refuse(name, version, found == now.versions.end() ? "none" : found->second);
  }
}

/// Prints the answers, writes the page, and keeps with the record what was computed from the trials.
void tell(SavedStudy study, const fs::path& folder) {
  const Analysis analysis = analyse(study);
  study.record.scaling = scaling_json(analysis.scaling);
  if (!analysis.scaling.empty()) save_record(folder, study.record);
  const fs::path page = folder / "report.html";
  write_page(page, report_page(study, analysis));
  print_verdict(std::cout, study, analysis, TerminalStyle::of(STDOUT_FILENO));
  std::cout << "\nreport    " << page.string() << "\ntrials    " << (folder / "trials.jsonl").string() << "\n"
            << std::flush;
}

/// The page of what an interrupted study has so far.
void keep_page(SavedStudy study, const fs::path& folder) {
  if (study.trials.empty()) return;
  for (std::string& warning : mark_disturbances(study.trials)) study.record.warnings.push_back(std::move(warning));
  write_page(folder / "report.html", report_page(study, analyse(study)));
}

/// The last part of a study to end writes the page of all.
void tell_of_parts(const StudySetup& setup) {
  if (setup.options.part.of == 1) return;
  const fs::path all = setup.folder.lexically_normal().parent_path();
  const fs::path folder = all.empty() ? "." : all;
  if (!has_all_parts(folder)) {
    fmt::print(stderr, "duet: this is part {}; `{}` reads all parts as one study\n", text_of(setup.options.part),
               shell_line({"duet", "report", folder.string()}));
    return;
  }
  const SavedStudy study = merged(load_parts(folder));
  write_page(folder / "report.html", report_page(study, analyse(study)));
  fmt::print("all parts {}\n", (folder / "report.html").string());
}

int status_of(const StudyEnd& end, const StudyOptions& options) {
  if (end.interrupted) return status::interrupted;
  const bool any_right =
      std::ranges::any_of(end.study.trials, [](const Trial& trial) { return trial.outcome == Outcome::right; });
  if (!any_right) return status::not_right;
  const bool missing = options.sizes_given && end.refused_cells > 0;
  return end.failed_launches > 0 || missing ? status::incomplete : status::right;
}

/// The recorded end of a study that has nothing more to do.
StudyEnd end_of(SavedStudy study) {
  StudyEnd end;
  for (const Trial& trial : study.trials) {
    if (trial.outcome == Outcome::refused) end.refused_cells += 1;
    if (trial.outcome != Outcome::right && trial.outcome != Outcome::refused) end.failed_launches += 1;
  }
  mark_disturbances(study.trials);
  end.study = std::move(study);
  return end;
}

void print_commands(const std::vector<Command>& commands) {
  for (const Command& command : commands) fmt::print("{}\n", shell_line(command));
}

int print_plan(const StudySetup& setup) {
  const std::vector<PlannedCell> plan = plan_cells(setup.options, setup.resources);
  for (const PlannedCell& planned : plan) {
    if (!planned.refusal.empty()) fmt::print(stderr, "duet: {} is left out: {}\n", planned.id, planned.refusal);
  }
  if (asks_nodes(setup.launching.launcher)) {
    fmt::print("{}\n", shell_line(question_to_nodes(setup.launching, setup.folder / "nodes.jsonl")));
  }
  print_commands(planned_launches(setup, plan));
  return status::right;
}

/// Simulates, where that was asked, prints and writes all there is, and gives the exit status.
int conclude(StudyEnd& end, const StudySetup& setup, std::optional<StudySimulation>& simulation,
             const StopSignals& stop) {
  if (!simulation) {
    tell(end.study, setup.folder);
    return status_of(end, setup.options);
  }
  const bool whole = simulation->run(end.study.simulated, stop, setup.quiet);
  tell(end.study, setup.folder);
  fmt::print("{}\n", simulation->summary(end.study.simulated));
  if (whole) return status_of(end, setup.options);
  fmt::print(stderr, "duet: interrupted; what was simulated is kept, and --resume --simulate goes on\n");
  return status::interrupted;
}

/// Asks the nodes and takes their answers into `setup`. False where the user stopped it.
bool ask_nodes_into(StudySetup& setup) {
  const StopSignals stop;
  if (!setup.quiet) {
    fmt::print(stderr, "duet: asking {} what {} ...\n", counted(setup.launching.launcher.nodes, "node"),
               setup.launching.launcher.nodes == 1 ? "it is" : "they are");
  }
  const std::vector<Host>& hosts = setup.launching.launcher.hosts;
  setup.record.nodes = ask_nodes(setup.launching, setup.folder, stop);
  if (stop.received() != 0) return false;
  refuse_unlike_nodes(setup.record.nodes, hosts, program_hash(setup.launching.duet));
  for (const std::string& doubt : doubts_about(setup.record.nodes)) {
    setup.record.warnings.push_back(doubt);
    fmt::print(stderr, "duet: warning: {}\n", doubt);
  }
  setup.record.machine = setup.record.nodes.front().machine;
  setup.resources = common_resources(setup.record.nodes, hosts);
  return true;
}

/// Nothing where the user stopped it.
std::optional<StudySetup> setup_of(const StudyCommand& command, const TypedStudy& typed, LaunchSettings launching,
                                   const StudyOptions* recorded) {
  StudySetup setup;
  setup.folder = typed.folder;
  setup.quiet = typed.quiet;
  setup.record.machine = describe_machine();
  setup.record.duet_version = duet_version();
  setup.record.versions = describe_versions();
  setup.record.command = typed_command();
  setup.launching = std::move(launching);
  setup.resources = resources_of(setup.record.machine, setup.launching.launcher);
  if (asks_nodes(setup.launching.launcher) && !typed.dry_run && !ask_nodes_into(setup)) return std::nullopt;
  setup.options = asked([&] {
    StudyOptions options = options_of(typed, setup.resources);
    command.complete(options, recorded);
    return options;
  });
  setup.launching.oversubscribe = setup.options.oversubscribe;
  setup.launching.launcher.cores_per_node = setup.resources.cores;
  return setup;
}

/// "95 s", "8 min 20 s".
std::string clock_text(double seconds) {
  constexpr int minute = 60;
  const int whole = static_cast<int>(seconds);
  return whole < 2 * minute ? fmt::format("{} s", whole) : fmt::format("{} min {} s", whole / minute, whole % minute);
}

/// The recorded option that says for how long a study was asked to run, where its job had less.
constexpr const char* asked_budget = "budget_asked_seconds";

/// What the job has left is the most that this process may take; a new study is planned for no more. `fresh`: it is
/// one.
void keep_within_job(StudySetup& setup, bool fresh) {
  if (!setup.allocation || !setup.allocation->seconds_left) return;
  const double left = *setup.allocation->seconds_left;
  setup.seconds_at_most = seconds_to_plan_with(left);
  if (setup.seconds_at_most < 1) {
    throw UsageError(
        fmt::format("job {} ends in {:.0f} s: nothing can be measured any more", setup.allocation->job, left));
  }
  double& budget = setup.options.budget_seconds;
  if (!fresh || !std::isfinite(budget) || budget <= setup.seconds_at_most) return;
  fmt::print(stderr, "duet: job {} has {} left: the budget is {}, and not {} (sbatch --time asks for more)\n",
             setup.allocation->job, clock_text(left), clock_text(setup.seconds_at_most), clock_text(budget));
  setup.record.options[asked_budget] = fmt::format("{}", budget);
  budget = setup.seconds_at_most;
}

/// A study is never mixed with another one.
void refuse_folder(const TypedStudy& typed) {
  const fs::path folder = typed.folder;
  const bool there = holds_study(folder);
  if (typed.resume && !there) {
    throw UsageError(fmt::format("--resume: there is no study in {} (-o names another folder)", typed.folder));
  }
  if (!typed.resume && there) {
    throw UsageError(
        fmt::format("{} holds a study already: --resume goes on with it, -o DIR begins one elsewhere", typed.folder));
  }
  const fs::path trials = folder / "trials.jsonl";
  if (!typed.resume && fs::exists(trials) && fs::file_size(trials) > 0) {
    throw UsageError(
        fmt::format("{} holds trials of a study that is not there: -o DIR names another folder", typed.folder));
  }
}

/// The options of the study that is to be resumed. Throws UsageError where it belongs to the other subcommand.
StudyOptions recorded_options(const StudyCommand& command, const TypedStudy& typed, const StudyRecord& recorded) {
  StudyOptions then = asked([&] { return options_from(recorded.options); });
  const std::string_view begun_by = then.scaling == Scaling::none ? "compare" : "scale";
  if (begun_by != command.name) {
    throw UsageError(fmt::format("--resume: the study in {} was begun by `duet {}`: {} goes on with it", typed.folder,
                                 begun_by,
                                 shell_line({"duet", std::string{begun_by}, "-o", typed.folder, "--resume"})));
  }
  return then;
}

/// Makes `setup` that of the recorded study, whose options are `then`. Throws UsageError where the user typed something
/// else, or where this is another machine or program.
void take_over(StudySetup& setup, const StudyRecord& recorded, const StudyOptions& then,
               const std::vector<std::string>& typed) {
  if (const auto measured = recorded.options.find(chosen_kernel); measured != recorded.options.end()) {
    setup.record.options.insert(*measured);
    setup.options.settings.emplace("local_kernel", then.settings.at("local_kernel"));
  }
  // What was asked then is compared with what is asked now, and not with what a job had left.
  std::map<std::string, std::string> asked_then = recorded.options;
  if (const auto asked = recorded.options.find(asked_budget); asked != recorded.options.end()) {
    setup.record.options.insert(*asked);
    asked_then["budget_seconds"] = asked->second;
  }
  const std::string difference = difference_of(asked_then, as_text(setup.options), typed);
  if (!difference.empty()) throw UsageError(difference);
  refuse_another_machine(recorded, setup.record);
  if (const auto nodes = recorded.options.find(allocated_nodes);
      nodes != recorded.options.end() && nodes->second != std::to_string(setup.resources.nodes)) {
    throw UsageError(fmt::format("--resume: this study was begun on nodes = {}, and here there are {} (sbatch -N {})",
                                 nodes->second, setup.resources.nodes, nodes->second));
  }
  setup.options = then;
  setup.launching.oversubscribe = then.oversubscribe;
  setup.record.command = recorded.command;
  setup.record.machine.peak_flops_one_core = recorded.machine.peak_flops_one_core;
}

void note_environment(StudySetup& setup, const std::vector<std::string>& scrubbed, bool alone) {
  StudyRecord& record = setup.record;
  if (!alone) {
    record.warnings.emplace_back(
        "another duet study ran on this machine at the same time: each disturbed the other's times");
    fmt::print(stderr, "duet: warning: another study is running on this machine; they disturb each other\n");
  }
  if (!scrubbed.empty()) {
    record.options["environment_removed"] = words(scrubbed);
    fmt::print(stderr, "duet: removed from the environment of all cells: {}\n", words(scrubbed));
  }
  record.options["environment"] = words(environment_with({"OMPI_MCA_", "UCX_", "TBB_", "MALLOC_"}));
  record.options["launcher"] = words(setup.launching.launcher.words);
  std::vector<std::string> hosts;
  for (const Node& node : record.nodes) hosts.push_back(node.machine.host);
  if (!hosts.empty()) record.options["hosts"] = words(hosts);
  record.options[allocated_nodes] = std::to_string(setup.resources.nodes);
}

}  // namespace

int run_study_command(const StudyCommand& command, const TypedStudy& typed) {
  leave_the_launcher(command.name);
  const std::vector<std::string> scrubbed = scrub_environment();
  // A file that may not grow any more is an error like a full disk, and not a signal.
  std::signal(SIGXFSZ, SIG_IGN);

  std::optional<FolderLock> lock;
  std::optional<SavedStudy> saved;
  std::optional<StudyOptions> recorded;
  if (typed.resume) {
    refuse_folder(typed);
    if (!typed.dry_run) asked_of_system([&] { lock.emplace(typed.folder); });
    saved = load_study(typed.folder);
    recorded = recorded_options(command, typed, saved->record);
  }
  StartOfRanks start =
      asked_of_system([&] { return asked([&] { return start_of_ranks(typed.launcher, typed.mpirun, typed.hosts); }); });
  if (!start.note.empty()) fmt::print(stderr, "duet: {}\n", start.note);
  LaunchSettings launching;
  launching.duet = fs::read_symlink("/proc/self/exe").string();
  launching.launcher = std::move(start.launcher);
  if (!saved && asks_nodes(launching.launcher) && !typed.dry_run) {  // they answer into the folder
    refuse_folder(typed);
    asked_of_system([&] { lock.emplace(typed.folder); });
  }
  std::optional<StudySetup> found = setup_of(command, typed, std::move(launching), recorded ? &*recorded : nullptr);
  if (!found) {
    fmt::print(stderr, "duet: interrupted; nothing was measured\n");
    return status::interrupted;
  }
  StudySetup& setup = *found;
  setup.allocation = std::move(start.allocation);
  if (saved) {
    take_over(setup, saved->record, *recorded, typed_keys(command, typed));
  } else {
    asked([&] { return plan_cells(setup.options, setup.resources); });
  }
  const bool ended = saved && (saved->record.ending == "complete" || saved->record.ending == "budget");
  if (!ended) keep_within_job(setup, !saved);
  std::optional<StudySimulation> simulation;
  if (command.simulation != nullptr) {
    simulation.emplace(*command.simulation, setup.options, setup.folder, typed.time_limit);
  }
  if (typed.dry_run) {
    if (!saved) choose_local_kernel(setup);
    const int status = print_plan(setup);
    if (simulation) print_commands(simulation->commands(saved ? saved->simulated : std::vector<Trial>{}));
    return status;
  }
  if (ended) {
    if (!typed.quiet) fmt::print(stderr, "duet: the study in {} is complete\n", typed.folder);
    StudyEnd end = end_of(std::move(*saved));
    const StopSignals stop;
    return conclude(end, setup, simulation, stop);
  }
  if (!saved) {
    if (!lock) {
      refuse_folder(typed);
      asked_of_system([&] { lock.emplace(typed.folder); });
    }
    choose_local_kernel(setup);
    if (setup.record.nodes.empty()) setup.record.machine.peak_flops_one_core = measured_peak();
  }

  const MachineLock machine;
  note_environment(setup, scrubbed, machine.alone());
  const StopSignals stop;
  StudyEnd end = saved ? resume_study(setup, stop) : run_study(setup, stop);
  if (end.interrupted) {
    fmt::print(stderr,
               "duet: {4}; {0} trials are kept in {1}\n"
               "  duet {3} -o {2} --resume    goes on\n"
               "  duet report {2}                 shows what there is\n",
               end.study.trials.size(), typed.folder, shell_line({typed.folder}), command.name, end.interruption);
    keep_page(end.study, setup.folder);
    return status::interrupted;
  }
  const int status = conclude(end, setup, simulation, stop);
  tell_of_parts(setup);
  return status;
}

void add_study_options(CLI::App& command, TypedStudy& typed) {
  typed.command = &command;
  command.add_option("--models", typed.models, "serial,openmp,tbb,mpi,hybrid: those to measure")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->default_str("all");
  command.add_option("--workers", typed.workers, "1,2,4: threads, ranks, or ranks x threads")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->default_str("1, the powers of two, and all cores");
  add_duration_option(command, "--budget", typed.budget, "Time for the whole study");
  command.add_option("--precision", typed.precision, "Stop where the 95 % intervals are this narrow, to either side")
      ->default_str(typed.precision);
  command.add_option("-o,--output", typed.folder, "Folder of the study: report.html, trials.jsonl, study.json")
      ->type_name("DIR")
      ->default_str(typed.folder);
  add_whole_option(command, "--seed", typed.seed, "Seed of the instances and of the order of launches", 0,
                   std::numeric_limits<std::int64_t>::max() / 2);
  command.add_option("--set", typed.settings, "name=value: a parameter or a tunable, where there is one of that name")
      ->allow_extra_args(false);
  add_whole_option(command, "--rounds", typed.rounds, "Exactly so many rounds, instead of as many as are needed", 1,
                   1'000'000)
      ->default_str("");
  add_duration_option(
      command, "--time-limit", typed.time_limit,
      "Of one launch; one that takes longer is ended and recorded as hung (60s, or a sixth of the budget); one in "
      "which no rank can go on is ended after a third of that");
  command.add_flag("--oversubscribe", typed.oversubscribe, "Allow more workers than cores");
  command.add_flag("--resume", typed.resume, "Go on with the interrupted study in DIR");
  command.add_flag("--dry-run", typed.dry_run, "Print the launches of the first round, and start nothing");
  command.add_flag("--quiet", typed.quiet, "No progress on standard error");
  command
      .add_option("--hosts", typed.hosts,
                  "Measure on these hosts, one a line: `n1`, `n1 slots=8` or `n1:8` (cores to use); through mpirun")
      ->type_name("FILE");
  command
      .add_option("--nodes", typed.nodes,
                  "1,2,4: numbers of nodes that message passing is spread over (1, the powers of two, and all)")
      ->delimiter(',')
      ->allow_extra_args(false);
  command.add_option("--part", typed.part, "2/4: of the study in four parts the second, into a folder of its own")
      ->type_name("K/N");
  command.add_option("--launcher", typed.launcher, "auto, mpirun or srun (auto: srun inside a job where that works)")
      ->default_str(typed.launcher);
  command.add_option("--mpirun", typed.mpirun, "The mpirun of the MPI that duet is built with")
      ->default_str(typed.mpirun);
}

double precision_from(const std::string& text) {
  double value = 0;
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, value);
  const std::string_view unit{stopped, end};
  constexpr double percent = 100;
  if (unit == "%" || unit == " %") value /= percent;
  const bool known_unit = unit.empty() || unit == "%" || unit == " %";
  if (error != std::errc{} || !known_unit || !(value > 0 && value < 1)) {
    throw std::invalid_argument(fmt::format("--precision: '{}' is not a share like 2% or 0.02", text));
  }
  return value;
}

std::string difference_of(const std::map<std::string, std::string>& recorded,
                          const std::map<std::string, std::string>& now, const std::vector<std::string>& typed) {
  for (const std::string& key : typed) {
    const auto then = recorded.find(key);
    const auto today = now.find(key);
    const std::string before = then == recorded.end() ? "" : then->second;
    const std::string after = today == now.end() ? "" : today->second;
    if (before == after) continue;
    return fmt::format(
        "--resume: this study was begun with {} = '{}', and now it is '{}'; leave the option out, or -o "
        "DIR begins another study",
        key, before, after);
  }
  return {};
}

}  // namespace duet
