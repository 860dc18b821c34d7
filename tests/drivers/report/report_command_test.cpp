/// `duet report` as a user meets it.

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "drivers/study/launch.hpp"
#include "drivers/study/trials.hpp"
#include "tests/drivers/files/scratch_folder.hpp"
#include "tests/drivers/report/synthetic_study.hpp"

namespace duet {
namespace {

Ending report(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {DUET_PROGRAM, "report"});
  constexpr double limit_seconds = 30;
  const StopSignals stop;
  return run_process(arguments, limit_seconds, stop);
}

void save(const ScratchFolder& folder, const SavedStudy& study) {
  save_record(folder.path(""), study.record);
  append_trials(folder.path(""), study.trials);
}

bool says(const Ending& ending, const std::string& piece) { return ending.output.find(piece) != std::string::npos; }

void expect_usage_error(const Ending& ending, const std::vector<std::string>& pieces) {
  EXPECT_EQ(ending.code, 2);
  EXPECT_EQ(std::ranges::count(ending.output, '\n'), 1) << ending.output;
  for (const std::string& piece : pieces) EXPECT_TRUE(says(ending, piece)) << piece << "\n" << ending.output;
}

SavedStudy small_study() {
  SavedStudy study = synthetic_study().study;
  std::erase_if(study.trials, [](const Trial& trial) { return trial.cell.size != "64"; });
  study.record.ending = "complete";
  return study;
}

TEST(ReportCommand, PrintsTheTablesAndWritesThePage) {
  const ScratchFolder folder;
  save(folder, small_study());
  const Ending ending = report({folder.path("")});
  EXPECT_EQ(ending.code, 0) << ending.output;
  EXPECT_TRUE(says(ending, "matmul on 2 workers")) << ending.output;
  EXPECT_TRUE(says(ending, folder.path("report.html")));
  EXPECT_TRUE(content_of(folder.path("report.html")).starts_with("<!DOCTYPE html>"));
  EXPECT_EQ(folder.entries(), 3);
}

TEST(ReportCommand, WritesThePageWhereAsked) {
  const ScratchFolder folder;
  const ScratchFolder elsewhere;
  save(folder, small_study());
  EXPECT_EQ(report({folder.path(""), "-o", elsewhere.path("page.html")}).code, 0);
  EXPECT_EQ(elsewhere.entries(), 1);
  EXPECT_EQ(folder.entries(), 2);
  const Ending streamed = report({folder.path(""), "-o", "-"});
  EXPECT_EQ(streamed.code, 0);
  EXPECT_FALSE(says(streamed, "report    "));
}

TEST(ReportCommand, PrintsOnlyWhereAsked) {
  const ScratchFolder folder;
  save(folder, small_study());
  const Ending ending = report({folder.path(""), "--terminal-only"});
  EXPECT_EQ(ending.code, 0);
  EXPECT_TRUE(says(ending, "matmul on 2 workers"));
  EXPECT_EQ(folder.entries(), 2);
  expect_usage_error(report({folder.path(""), "--terminal-only", "-o", "x"}), {"--terminal-only"});
}

TEST(ReportCommand, SaysAtTheTopThatAStudyWasInterruptedOrPartlyFailed) {
  const ScratchFolder folder;
  SavedStudy study = synthetic_study().study;
  study.record.ending = "interrupted";
  save(folder, study);
  const Ending ending = report({folder.path(""), "--terminal-only"});
  EXPECT_EQ(ending.code, 3);
  EXPECT_TRUE(ending.output.starts_with("! The study was interrupted")) << ending.output;
  EXPECT_TRUE(says(ending, "std::bad_alloc"));
}

TEST(ReportCommand, SaysWhatIsNotAStudy) {
  const ScratchFolder folder;
  expect_usage_error(report({folder.path("nowhere")}), {folder.path("nowhere"), "not there", "duet compare"});
  expect_usage_error(report({folder.file("file", "text")}), {"not a folder"});
  expect_usage_error(report({folder.path("")}), {"no study.json"});
  expect_usage_error(report({}), {"DIR"});
}

TEST(ReportCommand, SaysThatThereIsNoTrialYet) {
  const ScratchFolder folder;
  save_record(folder.path(""), synthetic_study().study.record);
  expect_usage_error(report({folder.path("")}), {"no trial yet"});
  EXPECT_EQ(folder.entries(), 1);
}

TEST(ReportCommand, NamesFileAndLineOfWhatItCannotRead) {
  const ScratchFolder folder;
  save(folder, small_study());
  const std::string trials = content_of(folder.path("trials.jsonl"));
  const std::size_t second = trials.find('\n') + 1;
  static_cast<void>(folder.file("trials.jsonl", trials.substr(0, second) + "nonsense\n" + trials.substr(second)));
  const Ending ending = report({folder.path("")});
  EXPECT_EQ(ending.code, 1);
  EXPECT_TRUE(says(ending, "trials.jsonl:2:")) << ending.output;
  EXPECT_FALSE(std::filesystem::exists(folder.path("report.html")));

  static_cast<void>(folder.file("trials.jsonl", trials.substr(0, trials.size() - 40)));
  const Ending cut = report({folder.path(""), "--terminal-only"});
  EXPECT_EQ(cut.code, 0) << cut.output;
  EXPECT_TRUE(says(cut, "cut off")) << cut.output;

  static_cast<void>(folder.file("study.json", "{\"schema\": 1"));
  const Ending broken = report({folder.path("")});
  EXPECT_EQ(broken.code, 1);
  EXPECT_TRUE(says(broken, "study.json"));
}

TEST(ReportCommand, FailsWhereThePageCannotBeWritten) {
  const ScratchFolder folder;
  save(folder, small_study());
  const Ending ending = report({folder.path(""), "-o", folder.path("missing/page.html")});
  EXPECT_EQ(ending.code, 1);
  EXPECT_TRUE(says(ending, "missing/page.html")) << ending.output;
}

TEST(ReportCommand, TeachesItself) {
  const Ending ending = report({"--help"});
  EXPECT_EQ(ending.code, 0);
  EXPECT_TRUE(says(ending, "Examples:"));
  EXPECT_TRUE(says(ending, "--terminal-only"));
}

}  // namespace
}  // namespace duet
