#include "drivers/report/simulated.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "drivers/report/report.hpp"
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

TEST(SimulatedTrials, ChangeNothingInTheVerdicts) {
  SyntheticStudy study = synthetic_study();
  study.study.simulated = simulated_trials();
  const Analysis analysis = analyse(study.study);
  ASSERT_EQ(analysis.cells.size(), study.analysis.cells.size());
  ASSERT_EQ(analysis.verdicts.size(), study.analysis.verdicts.size());
  for (std::size_t i = 0; i < analysis.verdicts.size(); ++i) {
    EXPECT_EQ(analysis.verdicts[i].headline, study.analysis.verdicts[i].headline);
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
        "7                      -            -            -        wrong\n"}) {
    EXPECT_NE(text.find(piece), std::string::npos) << piece << "\n" << text.substr(text.find("Simulated"));
  }
}

}  // namespace
}  // namespace duet
