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
#include "drivers/report/report.hpp"
#include "drivers/study/marks.hpp"
#include "drivers/study/trials.hpp"
#include "drivers/study/verdict.hpp"

namespace duet {
namespace {

namespace fs = std::filesystem;

struct Typed {
  std::string folder;
  std::string page;
  bool terminal_only = false;
};

/// The study in `folder`, with the rule for slow canaries as it is now. Throws UsageError where there is none.
SavedStudy study_in(const fs::path& folder) {
  if (!fs::is_directory(folder)) {
    throw UsageError(fmt::format("'{}' is {}: `duet report` takes the folder that `duet compare -o` wrote",
                                 folder.string(), fs::exists(folder) ? "not a folder" : "not there"));
  }
  if (!fs::exists(folder / "study.json")) {
    throw UsageError(
        fmt::format("no study in '{0}': it has no study.json, which `duet compare -o {0}` writes", folder.string()));
  }
  SavedStudy study = load_study(folder);
  if (study.trials.empty()) {
    throw UsageError(fmt::format("no trial yet in '{}': there is nothing to report", folder.string()));
  }
  std::vector<std::string>& warnings = study.record.warnings;
  for (std::string& warning : mark_disturbances(study.trials)) {
    if (std::ranges::find(warnings, warning) == warnings.end()) warnings.push_back(std::move(warning));
  }
  return study;
}

int report(const Typed& typed) {
  const fs::path folder = typed.folder;
  const SavedStudy study = study_in(folder);
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
  const auto typed = std::make_shared<Typed>();
  CLI::App* const command = duet.add_subcommand("report", "The tables and the page again, from saved measurements");
  command->add_option("DIR", typed->folder, "Folder of a study: study.json and trials.jsonl")->required();
  CLI::Option* const page =
      command->add_option("-o,--output", typed->page, "The page; - is standard output (DIR/report.html)")
          ->type_name("FILE");
  command->add_flag("--terminal-only", typed->terminal_only, "Print the tables and write no page")->excludes(page);
  command->footer(
      "Examples:\n"
      "  duet report duet-report                       tables here, and duet-report/report.html\n"
      "  duet report duet-report -o /tmp/page.html     the page elsewhere\n"
      "  duet report duet-report --terminal-only       tables only\n"
      "Measures nothing. Works on a study that still runs or was interrupted, and says so at the top. The page is one\n"
      "file that needs no network. Colours are used on terminals only, unless NO_COLOR is set. Exit status: 0 every\n"
      "answer verified, 1 none was right, 3 some trials failed.");
  command->callback([&act, typed] { act = [typed] { return report(*typed); }; });
}

}  // namespace duet
