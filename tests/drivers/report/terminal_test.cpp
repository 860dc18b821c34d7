#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "drivers/report/report.hpp"
#include "drivers/report/terminal_text.hpp"
#include "drivers/study/pipelines.hpp"
#include "tests/drivers/report/synthetic_study.hpp"
#include "tests/environment_variable.hpp"

namespace duet {
namespace {

std::string printed(const SyntheticStudy& study, const TerminalStyle& style) {
  std::ostringstream out;
  print_verdict(out, study.study, study.analysis, style);
  return out.str();
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream{text};
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

/// All lines as one, so that a sentence is found wherever it was broken.
std::string joined(const std::string& text) {
  std::string result;
  for (const std::string& line : lines_of(text)) {
    const std::size_t begin = std::min(line.find_first_not_of(' '), line.size());
    if (!result.empty()) result += ' ';
    result.append(line, begin);
  }
  return result;
}

void expect_no_wider(const std::string& text, int columns) {
  for (const std::string& line : lines_of(text)) EXPECT_LE(columns_of(line), columns) << line;
}

TEST(TerminalReport, SaysWhatToKnowThenTheVerdictsThenTheNumbers) {
  const SyntheticStudy study = synthetic_study();
  const std::string text = printed(study, {});
  EXPECT_TRUE(text.starts_with("! The time budget was spent"));
  const std::string all = joined(text);
  std::size_t last_headline = 0;
  for (const Verdict& verdict : study.analysis.verdicts) {
    const std::size_t found = all.find(verdict.headline);
    ASSERT_NE(found, std::string::npos) << verdict.headline;
    last_headline = std::max(last_headline, found);
    for (const std::string& reason : verdict.reasons) EXPECT_NE(all.find(reason), std::string::npos) << reason;
    for (const Crossover& crossover : verdict.crossovers) {
      EXPECT_NE(all.find(crossover.sentence), std::string::npos) << crossover.sentence;
    }
  }
  const std::size_t table = all.find("matmul on 2 workers size");
  ASSERT_NE(table, std::string::npos);
  EXPECT_LT(last_headline, table);
  for (const std::string& trouble : study.analysis.troubles) EXPECT_NE(all.find(trouble), std::string::npos) << trouble;
  EXPECT_NE(all.find("both in use by this job"), std::string::npos);
}

TEST(TerminalReport, ShowsMediansRatiosAndFailuresSizeByModel) {
  const std::string text = printed(synthetic_study(), {});
  const std::vector<std::string> lines = lines_of(text);
  const auto title = std::ranges::find(lines, "fib_batch on 2 workers");
  ASSERT_NE(title, lines.end());
  EXPECT_EQ(*(title + 1), "size              serial       openmp          tbb          mpi       hybrid");
  const auto row = std::find_if(title, lines.end(), [](const std::string& line) { return line.starts_with("30000"); });
  ASSERT_NE(row, lines.end());
  EXPECT_NE(row->find("63.7 ms"), std::string::npos) << *row;
  EXPECT_NE(row->find("failed"), std::string::npos) << *row;
  EXPECT_NE((row + 1)->find("fastest"), std::string::npos);
  EXPECT_NE((row + 1)->find("1.95x"), std::string::npos) << *(row + 1);
}

TEST(TerminalReport, ShowsWhatRanksReceivedAndWhatCameFromOtherNodes) {
  SyntheticStudy study = synthetic_study();
  const auto table_in = [](const std::string& text) {
    const std::vector<std::string> lines = lines_of(text);
    const auto title = std::ranges::find_if(
        lines, [](const std::string& line) { return line.starts_with("matmul on 2 workers: received by the rank"); });
    return std::vector<std::string>{title, std::min(title + 4, lines.end())};
  };
  std::vector<std::string> table = table_in(printed(study, {}));
  ASSERT_EQ(table.size(), 4U);
  EXPECT_EQ(table[0], "matmul on 2 workers: received by the rank with the most");
  EXPECT_EQ(table[1], "size                              mpi");
  EXPECT_EQ(table[2], "64               16.0 KiB, 8 messages");
  EXPECT_EQ(table[3], "128              64.0 KiB, 8 messages");
  for (CellSummary& cell : study.analysis.cells) {
    if (cell.traffic) cell.traffic->received_between_nodes = cell.traffic->received;
  }
  table = table_in(printed(study, {}));
  EXPECT_EQ(table[0], "matmul on 2 workers: received by the rank with the most; below, by all ranks");
  EXPECT_EQ(table[1], "from other nodes");
  EXPECT_EQ(table[3], "64               16.0 KiB, 8 messages");
}

TEST(TerminalReport, SaysWhatBindsAPipelineWhatWouldHelpAndWhatCameOfTryingIt) {
  const SyntheticStudy study = pipeline_study();
  const std::string text = printed(study, {});
  expect_no_wider(text, 80);
  const std::vector<std::string> lines = lines_of(text);
  const auto title = std::ranges::find(lines, "fib_stream on 2 workers at count = 200: this job waits");
  ASSERT_NE(title, lines.end()) << text;
  const std::vector<std::string> table(title + 1, std::min(title + 6, lines.end()));
  EXPECT_EQ(table, (std::vector<std::string>{
                       "                bound by        stage     at least   of the run",
                       "serial           waiting          ask       10.0 s         95 %",
                       "openmp           waiting          ask       500 ms         95 %",
                       "mpi              waiting          ask       500 ms         95 %",
                       "  ask waits for answers: more threads would help, more cores would not",
                   }));
  const std::string all = joined(text);
  const TriedChange& tried = study.analysis.tried.at(0);
  EXPECT_NE(all.find("- openmp: " + gain_sentence(tried.change, tried.seconds, tried.gain)), std::string::npos) << all;
  EXPECT_NE(all.find("- mpi: readers=200, tokens=404 may help; it was not tried"), std::string::npos) << all;
}

TEST(TerminalReport, NamesNoJobWhereModelsAreBoundByDifferentThings) {
  SyntheticStudy study = pipeline_study();
  for (Trial& trial : study.study.trials) {
    if (trial.cell.model == Model::mpi) trial.stages.front().kind = StageKind::disk;
  }
  study.analysis = analyse(study.study);
  const std::string all = joined(printed(study, {}));
  EXPECT_NE(all.find("at count = 200: what binds its stages"), std::string::npos) << all;
  EXPECT_NE(all.find("serial, openmp: ask waits for answers"), std::string::npos) << all;
  EXPECT_NE(all.find("mpi: ask waits for the disk"), std::string::npos) << all;
}

TEST(TerminalReport, SaysNothingOfStagesWhereThereAreNone) {
  const std::string text = printed(synthetic_study(), {});
  EXPECT_EQ(text.find("bound by"), std::string::npos);
  EXPECT_EQ(text.find("this job computes"), std::string::npos);
  EXPECT_EQ(text.find("may help"), std::string::npos);
}

TEST(TerminalReport, IsNeverWiderThanItsColumns) {
  for (const TerminalStyle style : {TerminalStyle{}, TerminalStyle{.unicode = true}, TerminalStyle{.columns = 60}}) {
    expect_no_wider(printed(synthetic_study(), style), style.columns);
    expect_no_wider(printed(study_that_says(std::string(300, 'w')), style), style.columns);
    std::string wide;
    for (int i = 0; i < 90; ++i) wide += "数";
    expect_no_wider(printed(study_that_says(wide), style), style.columns);
    expect_no_wider(printed(pipeline_study(std::string(300, 'w')), style), style.columns);
  }
}

TEST(TerminalReport, GivesEachLayoutAndTunableAColumnOfItsOwn) {
  SyntheticStudy study = study_that_says("p");
  std::vector<Trial>& trials = study.study.trials;
  const Trial pattern = trials.front();
  trials.clear();
  for (const char* const schedule : {"block", "cyclic", "dynamic", "guided", "stealing", "longest_first"}) {
    trials.push_back(pattern);
    trials.back().cell.size = "64";
    trials.back().cell.tunables["schedule"] = schedule;
  }
  study.analysis = analyse(study.study);
  const std::string text = printed(study, {});
  expect_no_wider(text, 80);
  const std::vector<std::string> lines = lines_of(text);
  EXPECT_EQ(std::ranges::count_if(lines, [](const std::string& line) { return line.starts_with("size "); }), 2);
}

TEST(TerminalReport, KeepsControlCharactersFromTheTerminal) {
  const std::string evil = "evil\x1b]0;title\x07\x1b[2J\r";
  const std::string text =
      printed(study_that_says(evil), {.unicode = true}) + printed(pipeline_study(evil), {.unicode = true});
  for (const char letter : text) EXPECT_TRUE(letter == '\n' || static_cast<unsigned char>(letter) >= 0x20);
}

TEST(TerminalReport, StaysWithinAsciiUnlessTheLocaleIsUtf8) {
  const std::string text = printed(study_that_says("größe × 数 …"), {.unicode = false});
  EXPECT_TRUE(std::ranges::all_of(text, [](char letter) { return static_cast<unsigned char>(letter) < 0x80; }));
  EXPECT_NE(printed(study_that_says("größe"), {.unicode = true}).find("größe"), std::string::npos);
}

TEST(TerminalReport, ColoursOnlyWhereAsked) {
  const SyntheticStudy study = synthetic_study();
  EXPECT_EQ(printed(study, {}).find('\x1b'), std::string::npos);
  const std::string coloured = printed(study, {.colour = true});
  EXPECT_NE(coloured.find("\x1b[32m"), std::string::npos);
  EXPECT_NE(coloured.find("\x1b[31mfailed\x1b[0m"), std::string::npos);
}

TEST(TerminalStyle, ColoursATerminalUnlessNoColorOrTermSaysNo) {
  const int master = posix_openpt(O_RDWR | O_NOCTTY);
  if (master < 0 || grantpt(master) != 0 || unlockpt(master) != 0) GTEST_SKIP() << "no pseudo-terminal here";
  const int terminal = open(ptsname(master), O_RDWR | O_NOCTTY);
  if (terminal < 0) GTEST_SKIP() << "no pseudo-terminal here";
  const int file = open("/dev/null", O_WRONLY);
  {
    const EnvironmentVariable no_colour{"NO_COLOR", nullptr};
    const EnvironmentVariable term{"TERM", "xterm"};
    EXPECT_TRUE(TerminalStyle::of(terminal).colour);
    EXPECT_FALSE(TerminalStyle::of(file).colour);
    const EnvironmentVariable set{"NO_COLOR", "1"};
    EXPECT_FALSE(TerminalStyle::of(terminal).colour);
    const EnvironmentVariable empty{"NO_COLOR", ""};
    EXPECT_TRUE(TerminalStyle::of(terminal).colour);
    const EnvironmentVariable dumb{"TERM", "dumb"};
    EXPECT_FALSE(TerminalStyle::of(terminal).colour);
  }
  close(file);
  close(terminal);
  close(master);
}

TEST(TerminalStyle, TakesTheCharacterSetFromTheFirstVariableThatIsSet) {
  const EnvironmentVariable all{"LC_ALL", ""};
  const EnvironmentVariable type{"LC_CTYPE", "C"};
  const EnvironmentVariable lang{"LANG", "en_GB.UTF-8"};
  EXPECT_FALSE(TerminalStyle::of(1).unicode);
  const EnvironmentVariable utf8{"LC_ALL", "C.utf8"};
  EXPECT_TRUE(TerminalStyle::of(1).unicode);
}

TEST(PrintVerdict, ShowsEfficiencyAgainstWorkersWhereTheStudyAskedForScaling) {
  for (const Scaling scaling : {Scaling::strong, Scaling::weak}) {
    const SyntheticStudy study = scaling_study(scaling);
    std::ostringstream out;
    print_verdict(out, study.study, study.analysis, {});
    const std::string text = out.str();
    SCOPED_TRACE(text);
    for (const char* part : {"openmp", "mpi", "of 1 worker [95 %]", "of serial [95 %]", "base", "above 75 %: up to 4",
                             "above 50 %: up to 8", "without 16 workers it predicts", "USL: contention"}) {
      EXPECT_NE(text.find(part), std::string::npos) << part;
    }
    const bool weak = scaling == Scaling::weak;
    EXPECT_EQ(text.find("Strong scaling of matmul at n = 512") != std::string::npos, !weak);
    EXPECT_EQ(text.find("Weak scaling of matmul from n = 512") != std::string::npos, weak);
    EXPECT_EQ(text.find("Checked: work a worker is constant within 2 %") != std::string::npos, weak);
    EXPECT_EQ(text.find("16: 1296") != std::string::npos, weak);
    std::istringstream lines{text};
    for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 80U) << line;
  }
}

}  // namespace
}  // namespace duet
