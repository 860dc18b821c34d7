#include "drivers/report/simulated.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "drivers/report/report.hpp"
#include "tests/drivers/files/scratch_folder.hpp"
#include "tests/drivers/report/synthetic_study.hpp"

namespace duet {
namespace {

TEST(SimulatedSeries, IsOneQuestionOnOnePlatformBySizeAndRanks) {
  const std::vector<SimulatedSeries> all = simulated_series(simulated_trials());
  std::vector<std::string> names;
  for (const SimulatedSeries& series : all) names.push_back(series.size + " " + series.label());
  EXPECT_EQ(names, (std::vector<std::string>{"512 simulated on fat-tree", "512 simulated on fat-tree, panel = 64",
                                             "65536 simulated on fat-tree", "65536 simulated on ethernet"}));
  std::vector<int> ranks;
  for (const SimulatedPoint& point : all[2].points) ranks.push_back(point.ranks);
  EXPECT_EQ(ranks, (std::vector<int>{4, 16, 1024}));
}

TEST(SimulatedSeries, TakesWhatWasRecordedLast) {
  EXPECT_EQ(simulated_series(simulated_trials()).at(2).points.at(0).seconds, 2800);
}

TEST(SimulatedSeries, NamesTheBaseOfItsEfficiencies) {
  const SimulatedSeries series = simulated_series(simulated_trials()).at(2);
  EXPECT_EQ(series.base_ranks, 4);
  EXPECT_EQ(series.points.at(0).efficiency, 1);
  EXPECT_DOUBLE_EQ(series.points.at(2).efficiency, 2800.0 * 4 / (11 * 1024));
  EXPECT_NEAR(series.points.at(2).useful_share, 0.8, 1e-12);
}

TEST(SimulatedSeries, GivesAWrongAnswerNoTime) {
  const SimulatedSeries series = simulated_series(simulated_trials()).at(0);
  ASSERT_EQ(series.points.size(), 2U);
  EXPECT_EQ(series.points.at(1).outcome, Outcome::wrong);
  EXPECT_EQ(series.points.at(1).efficiency, 0);
}

/// All that a report says: cells, verdicts, speedups, troubles, warnings, scaling.
nlohmann::json said_of(const SavedStudy& study) {
  const std::string page = report_page(study, analyse(study));
  const std::string opening = R"(<script type="application/json" id="data">)";
  const std::size_t begin = page.find(opening) + opening.size();
  return nlohmann::json::parse(page.substr(begin, page.find("</script>", begin) - begin));
}

TEST(SimulatedTrials, ChangeNothingElseInAReport) {
  for (const SyntheticStudy& made : {synthetic_study(), scaling_study(Scaling::strong), scaling_study(Scaling::weak)}) {
    const ScratchFolder scratch;
    const std::filesystem::path folder = scratch.path("");
    save_record(folder, made.study.record);
    append_trials(folder, made.study.trials);
    nlohmann::json without = said_of(load_study(folder));
    append_trials(folder, simulated_trials(), "simulated.jsonl");
    nlohmann::json with = said_of(load_study(folder));
    EXPECT_TRUE(without.at("simulated").empty());
    EXPECT_EQ(with.at("simulated").size(), 4);
    without.erase("simulated");
    with.erase("simulated");
    EXPECT_EQ(with, without);
    EXPECT_FALSE(with.at("cells").empty());
  }
}

TEST(SimulatedTrials, HaveASectionOfTheirOwnOnTheTerminal) {
  const SyntheticStudy plain = synthetic_study();
  std::ostringstream without;
  print_verdict(without, plain.study, plain.analysis, {});
  EXPECT_EQ(without.str().find("Simulated"), std::string::npos);

  SyntheticStudy study = plain;
  study.study.simulated = simulated_trials();
  std::ostringstream with;
  print_verdict(with, study.study, study.analysis, {});
  const std::string text = with.str();
  for (const char* const piece :
       {"Simulated, not measured: no part of any verdict", "matmul, n = 65536, simulated on fat-tree\n",
        "efficiency against 4 ranks", "1024              11.0 s        0.994         80 %         none\n",
        "7                      -            -            -        wrong\n",
        "matmul, n = 512, simulated on fat-tree, panel = 64\n"}) {
    EXPECT_NE(text.find(piece), std::string::npos) << piece << "\n" << text.substr(text.find("Simulated"));
  }
}

TEST(SimulatedTrials, HaveTheirLargestSizeOnTheTerminalAndTheOthersInTheReport) {
  SyntheticStudy study = synthetic_study();
  for (const Trial& trial : simulated_trials()) {
    if (trial.outcome != Outcome::wrong) study.study.simulated.push_back(trial);
  }
  std::ostringstream out;
  print_verdict(out, study.study, study.analysis, {});
  const std::string text = out.str();
  EXPECT_NE(text.find("matmul, n = 65536, simulated on fat-tree\n"), std::string::npos);
  EXPECT_EQ(text.find("matmul, n = 512, simulated on fat-tree\n"), std::string::npos);
  EXPECT_NE(text.find("The report has 1 table more, of smaller sizes"), std::string::npos);
}

}  // namespace
}  // namespace duet
