#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>

#include "drivers/command.hpp"
#include "drivers/hazards/child.hpp"
#include "drivers/hazards/examination.hpp"
#include "drivers/options.hpp"
#include "drivers/statistics/text.hpp"
#include "drivers/study/allocation.hpp"

namespace duet {
namespace {

using hazards::Form;
using hazards::Hazard;

constexpr std::size_t page_width = 80;

struct HazardOptions {
  std::string name;
  bool all = false;
  ExaminationOptions examination;
  std::string json;
  ChildOptions child;
};

std::string model_text(hazards::By by) { return by == hazards::By::messages ? "messages" : "shared"; }

/// `text` behind `indent` columns, of which the first line has `label`; lines of it stay lines.
void print_wrapped(std::string_view label, std::size_t indent, std::string_view text) {
  std::string line{label};
  line.resize(std::max(indent, line.size()), ' ');
  const auto flush = [&] {
    fmt::print("{}\n", line.substr(0, line.find_last_not_of(' ') + 1));
    line.assign(indent, ' ');
  };
  bool empty = true;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find_first_of(" \n", begin), text.size());
    const std::string_view word = text.substr(begin, end - begin);
    if (!empty && line.size() + 1 + word.size() > page_width) {
      flush();
      empty = true;
    }
    line += (empty ? "" : " ") + std::string{word};
    empty = false;
    if (end < text.size() && text[end] == '\n') {
      flush();
      empty = true;
    }
    begin = end + 1;
  }
  flush();
}

int list_hazards() {
  fmt::print("{:<23}{:<10}{}\n", "hazard", "by", "what goes wrong");
  for (const Hazard& hazard : hazards::all_hazards()) {
    fmt::print("{:<23}{:<10}{}\n", hazard.name, model_text(hazard.by), hazard.summary);
  }
  fmt::print("\n`duet hazards NAME` explains one, breaks it, and measures its cures.\n");
  return status::right;
}

void print_explanation(const Hazard& hazard) {
  fmt::print("{}: {}\n\n", hazard.name, hazard.summary);
  constexpr std::size_t indent = 13;
  print_wrapped("  why", indent, hazard.why);
  print_wrapped("  symptom", indent, hazard.symptom);
  print_wrapped("  detection", indent, hazard.detection);
  fmt::print("\n");
}

std::string forms_of(const FormResult& result) { return fmt::format("{} of {}", result.detected, result.runs); }

void print_broken(const FormResult& result) {
  constexpr std::size_t indent = 13;
  print_wrapped("  " + result.form->name + " ", indent, result.form->does);
  if (!result.says.empty()) {
    print_wrapped("", indent,
                  fmt::format("{} in {} runs: {}", result.detected > 0 ? "detected" : "NOT DETECTED", forms_of(result),
                              result.says));
  }
  if (!result.trouble.empty()) print_wrapped("", indent, "a run " + result.trouble);
}

void print_costs(const Examination& done) {
  std::size_t rounds = 0;
  for (const FormResult& result : done.forms) rounds = std::max(rounds, result.seconds.size());
  fmt::print("\n  {:<18}{:<26}{:<22}{}\n", "form", "one " + done.hazard->operation, "times the cheapest", "detected");
  for (const FormResult& result : done.forms) {
    if (result.form->broken && result.seconds.empty()) continue;
    fmt::print("  {:<18}{:<26}{:<22}{}\n", result.form->name, seconds_text(result.cost),
               result.cost.n == 0 ? "-" : factor_text(result.times_cheapest), forms_of(result));
  }
  fmt::print("\n");
  for (const FormResult& result : done.forms) {
    if (result.form->broken) continue;
    print_wrapped("  " + result.form->name, 20, result.form->does);
    if (!result.as_it_should()) {
      print_wrapped("", 20, "NOT CLEAN: " + (result.trouble.empty() ? result.says : "a run " + result.trouble));
    }
  }
  print_wrapped("", 2,
                fmt::format("Medians of {} interleaved rounds on {} with their 95 % intervals.", rounds,
                            counted(done.workers, done.hazard->by == hazards::By::messages ? "rank" : "worker")));
}

/// A line on the terminal that goes away again.
void tell(const std::string& what) {
  if (isatty(STDERR_FILENO) != 0) fmt::print(stderr, "\r\033[K{}", what);
}

void print_examination(const Examination& done) {
  for (const FormResult& result : done.forms) {
    if (result.form->broken) print_broken(result);
  }
  print_costs(done);
}

int examine_all(HazardOptions& options) {
  std::vector<const Hazard*> chosen;
  if (options.all) {
    for (const Hazard& hazard : hazards::all_hazards()) chosen.push_back(&hazard);
  } else {
    chosen.push_back(&asked([&]() -> const Hazard& { return hazards::hazard_called(options.name); }));
  }
  if (launched().by_launcher) throw UsageError("duet hazards starts its ranks itself: no mpirun or srun before it");
  std::ofstream json;
  if (!options.json.empty()) {
    json.open(options.json, std::ios::trunc);
    if (!json) throw UsageError(fmt::format("--json {}: cannot be written", options.json));
  }
  static_cast<void>(scrub_environment());
  options.examination.duet = std::filesystem::read_symlink("/proc/self/exe").string();
  const bool wants_ranks = std::ranges::any_of(chosen, [](const Hazard* hazard) {
    return std::ranges::any_of(hazard->forms, [](const Form& form) { return form.by == hazards::By::messages; });
  });
  if (wants_ranks) {
    const StartOfRanks start = asked([] { return start_of_ranks("auto", default_mpirun()); });
    if (!start.note.empty()) fmt::print(stderr, "duet: {}\n", start.note);
    options.examination.launcher = start.launcher;
  }

  const StopSignals stop;
  nlohmann::json records = nlohmann::json::array();
  std::vector<const Hazard*> wrong;
  for (const Hazard* const hazard : chosen) {
    print_explanation(*hazard);
    std::fflush(stdout);
    const Examination done = examine(*hazard, options.examination, stop, tell);
    tell("");
    if (done.stopped) {
      fmt::print(stderr, "duet: interrupted in the middle of {}\n", hazard->name);
      return status::interrupted;
    }
    print_examination(done);
    if (hazard != chosen.back()) fmt::print("\n");
    std::fflush(stdout);
    if (!done.right()) wrong.push_back(hazard);
    records.push_back(json_of(done));
  }
  if (json.is_open()) {
    json << nlohmann::json{{"duet", duet_version()}, {"hazards", std::move(records)}}.dump(1) << "\n" << std::flush;
    if (!json) throw std::runtime_error(fmt::format("{}: cannot be written", options.json));
  }
  for (const Hazard* const hazard : wrong) {
    fmt::print(stderr, "duet: {}: a broken form was not detected, or a cure was\n", hazard->name);
  }
  return wrong.empty() ? status::right : status::not_right;
}

int act_on(HazardOptions& options) {
  if (!options.child.file.empty()) {
    options.child.workers = options.examination.workers;
    return asked([&] { return run_forms(options.name, options.child); });
  }
  if (options.all && !options.name.empty()) throw UsageError("--all is all of them: no NAME beside it");
  if (!options.all && options.name.empty()) return list_hazards();
  return examine_all(options);
}

}  // namespace

void add_hazards(CLI::App& duet, Act& act) {
  CLI::App* const command =
      duet.add_subcommand("hazards", "What goes wrong when workers share or send: broken, detected, cured");
  const auto options = std::make_shared<HazardOptions>();
  ExaminationOptions& examination = options->examination;
  command->add_option("NAME", options->name, "One of those that `duet hazards` lists");
  command->add_flag("--all", options->all, "All of them");
  constexpr int most_workers = 64;
  add_whole_option(*command, "--workers", examination.workers, "Threads, or ranks", 2, most_workers);
  add_whole_option(*command, "--broken", examination.broken_runs, "Runs of each broken form, a process each", 1);
  add_whole_option(*command, "--repeat", examination.rounds, "Rounds in which costs are measured, and cures judged", 1);
  add_duration_option(*command, "--deadline", examination.deadline_seconds, "Of each process that is started");
  command->add_option("--json", options->json, "All figures, into this file")->type_name("FILE");
  // What the processes that run the forms are started with.
  command->add_option("--child", options->child.file)->group("");
  command->add_option("--forms", options->child.forms)->group("");
  command->add_option("--rounds", options->child.rounds)->group("");
  command->footer(
      "Examples:\n"
      "  duet hazards                       those that there are\n"
      "  duet hazards lost_update           why, what it looks like, that it is found, and what each cure costs\n"
      "  duet hazards send_send --workers 3\n"
      "  duet hazards --all --json hazards.json\n"
      "Broken forms run in processes of their own, which are ended at the deadline with all that they started.\n"
      "Exit status 0: every broken form was detected in every run, and no cure in any.");
  command->callback([&act, options] { act = [options] { return act_on(*options); }; });
}

}  // namespace duet
