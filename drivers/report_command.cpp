#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "drivers/command.hpp"
#include "drivers/options.hpp"
#include "drivers/report/report.hpp"
#include "drivers/study/marks.hpp"
#include "drivers/study/parts.hpp"
#include "drivers/study/trials.hpp"
#include "drivers/study/verdict.hpp"

namespace duet {
namespace {

namespace fs = std::filesystem;

struct TypedReport {
  std::vector<std::string> folders;
  std::string page;
  bool terminal_only = false;
};

SavedStudy with_trials(SavedStudy study, const std::string& folder) {
  if (!study.trials.empty()) return study;
  throw UsageError(fmt::format("no trial yet in '{}': there is nothing to report", folder));
}

SavedStudy whole_of(std::vector<LoadedPart> parts) {
  const std::string first = parts.front().folder.string();
  return with_trials(asked([&] { return merged(std::move(parts)); }), first);
}

/// The study in `folder`, or of which `folder` holds the parts, with the rule for slow canaries as it is now. Throws
/// UsageError where there is none.
SavedStudy study_in(const fs::path& folder) {
  if (!fs::is_directory(folder)) {
    throw UsageError(fmt::format("'{}' is {}: `duet report` takes the folder that `duet compare -o` wrote",
                                 folder.string(), fs::exists(folder) ? "not a folder" : "not there"));
  }
  if (!fs::exists(folder / "study.json")) {
    std::vector<LoadedPart> parts = load_parts(folder);
    if (!parts.empty()) return whole_of(std::move(parts));
    throw UsageError(
        fmt::format("no study in '{0}': it has no study.json, which `duet compare -o {0}` writes", folder.string()));
  }
  SavedStudy study = with_trials(load_study(folder), folder.string());
  std::vector<std::string>& warnings = study.record.warnings;
  for (std::string& warning : mark_disturbances(study.trials)) {
    if (std::ranges::find(warnings, warning) == warnings.end()) warnings.push_back(std::move(warning));
  }
  return study;
}

/// The study whose parts are in `folders`.
SavedStudy study_of(const std::vector<std::string>& folders) {
  std::vector<LoadedPart> parts;
  for (const std::string& folder : folders) {
    if (!fs::exists(fs::path{folder} / "study.json")) {
      throw UsageError(
          fmt::format("no study in '{}': of several folders each has to hold a part of one study", folder));
    }
    parts.push_back({folder, load_study(folder)});
  }
  return whole_of(std::move(parts));
}

int report(const TypedReport& typed) {
  const bool several = typed.folders.size() > 1;
  const SavedStudy study = several ? study_of(typed.folders) : study_in(typed.folders.front());
  // The page of several parts is put beside them.
  const fs::path first = fs::path{typed.folders.front()}.lexically_normal();
  const fs::path folder = several ? (first.has_filename() ? first : first.parent_path()).parent_path() : first;
  const Analysis analysis = analyse(study);
  const fs::path page = typed.page.empty() ? folder / "report.html" : fs::path{typed.page};
  if (!typed.terminal_only) write_page(page, report_page(study, analysis));

  if (page != "-") print_verdict(std::cout, study, analysis, TerminalStyle::of(STDOUT_FILENO));
  if (!typed.terminal_only && page != "-") std::cout << "\nreport    " << page.string() << "\n";
  if (!std::cout.flush()) throw std::runtime_error("standard output: cannot write all of it");

  const auto ended = [&study](Outcome outcome) { return std::ranges::count(study.trials, outcome, &Trial::outcome); };
  if (ended(Outcome::right) == 0) return status::not_right;
  // What was refused was never started: a study leaves out what does not fit into memory.
  const bool whole = ended(Outcome::right) + ended(Outcome::refused) == std::ssize(study.trials);
  return whole ? status::right : status::incomplete;
}

}  // namespace

void add_report(CLI::App& duet, Act& act) {
  const auto typed = std::make_shared<TypedReport>();
  CLI::App* const command = duet.add_subcommand("report", "The tables and the page again, from saved measurements");
  command
      ->add_option("DIR", typed->folders,
                   "Folder of a study, study.json and trials.jsonl; or of the parts of one; or the parts")
      ->required();
  CLI::Option* const page =
      command->add_option("-o,--output", typed->page, "The page; - is standard output (DIR/report.html)")
          ->type_name("FILE");
  command->add_flag("--terminal-only", typed->terminal_only, "Print the tables and write no page")->excludes(page);
  command->footer(
      "Examples:\n"
      "  duet report duet-report                       tables here, and duet-report/report.html\n"
      "  duet report duet-report -o /tmp/page.html     the page elsewhere\n"
      "  duet report duet-report --terminal-only       tables only\n"
      "  duet report compare-2-nodes                   the parts in it (--part, sbatch --array) as one study\n"
      "  duet report part-1 part-2 -o whole.html       the same, of these\n"
      "Measures nothing. Works on a study that still runs or was interrupted, and says so at the top. The page is one\n"
      "file that needs no network. Colours are used on terminals only, unless NO_COLOR is set. Exit status: 0 every\n"
      "answer verified, 1 none was right, 3 some trials failed.");
  command->callback([&act, typed] { act = [typed] { return report(*typed); }; });
}

}  // namespace duet
