#include "drivers/study/marks.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace duet {
namespace {

Trial trial_with(double canary, int threads = 1, const std::string& size = "64") {
  Trial trial;
  trial.cell.problem = "matmul";
  trial.cell.model = Model::openmp;
  trial.cell.size = size;
  trial.cell.threads = threads;
  trial.outcome = Outcome::right;
  trial.seconds = 1;
  trial.canary_before = canary;
  trial.canary_after = canary;
  return trial;
}

int slow_ones(const std::vector<Trial>& trials) {
  return static_cast<int>(std::ranges::count_if(
      trials, [](const Trial& trial) { return std::ranges::find(trial.marks, "slow_canary") != trial.marks.end(); }));
}

TEST(CanaryReference, IsAHighQuantileAndNotTheMaximum) {
  std::vector<Trial> trials;
  for (int i = 1; i <= 11; ++i) trials.push_back(trial_with(i));
  EXPECT_EQ(canary_reference(trials, 1), 10);
  EXPECT_EQ(canary_reference(trials, 2), 0);
}

TEST(CanaryReference, IsKeptForEachNumberOfWorkers) {
  std::vector<Trial> trials(10, trial_with(100, 1));
  trials.resize(20, trial_with(60, 2));
  EXPECT_EQ(canary_reference(trials, 1), 100);
  EXPECT_EQ(canary_reference(trials, 2), 60);
  EXPECT_TRUE(mark_slow_canaries(trials).empty());
  EXPECT_EQ(slow_ones(trials), 0);
}

TEST(MarksOf, JudgesTheWorseOfBothCanaries) {
  Trial trial = trial_with(100);
  EXPECT_TRUE(marks_of(trial, 100).empty());
  trial.canary_after = 89;
  EXPECT_EQ(marks_of(trial, 100), (std::vector<std::string>{"slow_canary"}));
  EXPECT_TRUE(marks_of(trial, 0).empty());
}

TEST(MarksOf, KeepsWhatTheProcessMarkedAndJudgesOldCanariesAnew) {
  Trial trial = trial_with(100);
  trial.marks = {"shared_core", "slow_canary"};
  EXPECT_EQ(marks_of(trial, 100), (std::vector<std::string>{"shared_core"}));
}

TEST(MarkSlowCanaries, SetsAsideTheFewThatWereDisturbed) {
  std::vector<Trial> trials(30, trial_with(100));
  trials[3] = trials[17] = trial_with(70);
  EXPECT_TRUE(mark_slow_canaries(trials).empty());
  EXPECT_EQ(slow_ones(trials), 2);
  EXPECT_TRUE(mark_slow_canaries(trials).empty());
  EXPECT_EQ(slow_ones(trials), 2);
}

TEST(MarkSlowCanaries, KeepsACellThatWasMostlyDisturbedAndWarns) {
  std::vector<Trial> trials(30, trial_with(100));
  trials.resize(34, trial_with(70, 1, "128"));
  trials.push_back(trial_with(100, 1, "128"));
  const auto warnings = mark_slow_canaries(trials);
  EXPECT_EQ(slow_ones(trials), 0);
  ASSERT_EQ(warnings.size(), 2U);
  EXPECT_NE(warnings[0].find("4 of 35 trials"), std::string::npos) << warnings[0];
  EXPECT_NE(warnings[1].find("matmul/openmp/128/1x1: 4 of 5 trials"), std::string::npos) << warnings[1];
}

TEST(MarkSlowCanaries, LeavesTrialsWithoutCanariesAlone) {
  std::vector<Trial> trials(5, trial_with(0));
  EXPECT_TRUE(mark_slow_canaries(trials).empty());
  EXPECT_EQ(slow_ones(trials), 0);
}

}  // namespace
}  // namespace duet
