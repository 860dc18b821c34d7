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
  EXPECT_TRUE(mark_disturbances(trials).empty());
  EXPECT_EQ(slow_ones(trials), 0);
}

TEST(MarkDisturbances, JudgesACellByItsOwnTrialsAndNotByThoseThatTriedAChange) {
  std::vector<Trial> trials(2, trial_with(50));
  trials.resize(6, trial_with(100));
  for (std::size_t i = 2; i < trials.size(); ++i) trials[i].tried = {{"readers", "2"}};
  EXPECT_FALSE(mark_disturbances(trials).empty());
  EXPECT_EQ(slow_ones(trials), 0) << "all that the cell has";
}

constexpr UsualHops any_distance{0, 1};

/// One launch of two workers whose cores are so far apart.
Trial trial_at(double hop_seconds, int launch) {
  Trial trial = trial_with(100, 2);
  trial.hop_seconds = hop_seconds;
  trial.launch = launch;
  return trial;
}

int moved_ones(const std::vector<Trial>& trials) {
  return static_cast<int>(std::ranges::count_if(
      trials, [](const Trial& trial) { return std::ranges::find(trial.marks, "moved_cores") != trial.marks.end(); }));
}

TEST(MarkDisturbances, LeavesItToPlannedTrialsHowFarApartCoresUsuallyAre) {
  std::vector<Trial> trials;
  for (int launch = 0; launch < 20; ++launch) trials.push_back(trial_at(launch < 6 ? 80e-9 : 350e-9, launch));
  for (std::size_t i = 6; i < trials.size(); ++i) trials[i].tried = {{"readers", "2"}};
  EXPECT_TRUE(mark_disturbances(trials).empty());
  EXPECT_EQ(moved_ones(trials), 0) << "and those that tried a change are compared with one another";
}

TEST(MarksOf, JudgesTheWorseOfBothCanaries) {
  Trial trial = trial_with(100);
  EXPECT_TRUE(marks_of(trial, 100, any_distance).empty());
  trial.canary_after = 89;
  EXPECT_EQ(marks_of(trial, 100, any_distance), (std::vector<std::string>{"slow_canary"}));
  EXPECT_TRUE(marks_of(trial, 0, any_distance).empty());
}

TEST(MarksOf, KeepsWhatTheProcessMarkedAndJudgesOldCanariesAnew) {
  Trial trial = trial_with(100);
  trial.marks = {"shared_core", "slow_canary", "moved_cores"};
  EXPECT_EQ(marks_of(trial, 100, any_distance), (std::vector<std::string>{"shared_core"}));
}

TEST(MarkDisturbances, SetsAsideTheFewThatWereDisturbed) {
  std::vector<Trial> trials(30, trial_with(100));
  trials[3] = trials[17] = trial_with(70);
  EXPECT_TRUE(mark_disturbances(trials).empty());
  EXPECT_EQ(slow_ones(trials), 2);
  EXPECT_TRUE(mark_disturbances(trials).empty());
  EXPECT_EQ(slow_ones(trials), 2);
}

TEST(MarkDisturbances, KeepsACellThatWasMostlyDisturbedAndWarns) {
  std::vector<Trial> trials(30, trial_with(100));
  trials.resize(34, trial_with(70, 1, "128"));
  trials.push_back(trial_with(100, 1, "128"));
  const auto warnings = mark_disturbances(trials);
  EXPECT_EQ(slow_ones(trials), 0);
  ASSERT_EQ(warnings.size(), 2U);
  EXPECT_NE(warnings[0].find("4 of 35 trials"), std::string::npos) << warnings[0];
  EXPECT_NE(warnings[1].find("matmul/openmp/128/1x1: 4 of 5 trials"), std::string::npos) << warnings[1];
}

TEST(MarkDisturbances, SetsAsideEvenMostOfACellWhereEnoughRoundsAreLeft) {
  std::vector<Trial> trials(300, trial_with(100));
  for (int round = 1; round <= 16; ++round) {
    trials.push_back(trial_with(round % 3 == 0 ? 100 : 70, 1, "128"));
    trials.back().round = round;
  }
  EXPECT_EQ(mark_disturbances(trials).size(), 1U) << "five rounds are too few";
  EXPECT_EQ(slow_ones(trials), 0);
  trials.push_back(trial_with(100, 1, "128"));
  trials.back().round = 17;
  EXPECT_TRUE(mark_disturbances(trials).empty());
  EXPECT_EQ(slow_ones(trials), 11);
}

TEST(MarkDisturbances, LeavesTrialsWithoutCanariesAlone) {
  std::vector<Trial> trials(5, trial_with(0));
  EXPECT_TRUE(mark_disturbances(trials).empty());
  EXPECT_EQ(slow_ones(trials), 0);
}

TEST(UsualHops, AreTheNearestOfTheDistancesThatAThirdOfTheLaunchesMet) {
  std::vector<Trial> trials;
  for (int i = 0; i < 40; ++i) trials.push_back(trial_at(85e-9 + i * 1e-10, i));
  for (int i = 40; i < 100; ++i) trials.push_back(trial_at(340e-9 + i * 1e-10, i));
  const UsualHops usual = usual_hops(trials, 1, 2);
  EXPECT_GT(usual.farthest, 90e-9);
  EXPECT_LT(usual.farthest, 340e-9);
  EXPECT_EQ(usual_hops(trials, 1, 3).nearest, 0);
}

TEST(UsualHops, AreFarWhereHardlyALaunchWasNear) {
  std::vector<Trial> trials;
  for (int i = 0; i < 20; ++i) trials.push_back(trial_at(85e-9, i));
  for (int i = 20; i < 100; ++i) trials.push_back(trial_at(340e-9, i));
  const UsualHops usual = usual_hops(trials, 1, 2);
  EXPECT_GT(usual.nearest, 85e-9);
  EXPECT_GT(usual.farthest, 340e-9);
}

TEST(UsualHops, CountALaunchOnceHoweverManyTrialsItHas) {
  std::vector<Trial> trials(1000, trial_at(85e-9, 0));
  for (int i = 1; i < 10; ++i) trials.push_back(trial_at(340e-9, i));
  EXPECT_GT(usual_hops(trials, 1, 2).nearest, 85e-9);
}

TEST(MarkDisturbances, SetsAsideTrialsWhoseCoresWereMoved) {
  std::vector<Trial> trials;
  for (int i = 0; i < 30; ++i) trials.push_back(trial_at(i % 3 == 0 ? 340e-9 : 85e-9, i));
  trials.push_back(trial_with(100, 1));
  const auto warnings = mark_disturbances(trials);
  EXPECT_EQ(moved_ones(trials), 10);
  ASSERT_EQ(warnings.size(), 1U);
  EXPECT_NE(warnings[0].find("cores of 2 workers: 340 ns from one to the next in 10 of 30 trials"), std::string::npos)
      << warnings[0];
  EXPECT_EQ(mark_disturbances(trials), warnings);
  EXPECT_EQ(moved_ones(trials), 10);
}

TEST(MarkDisturbances, LeavesMachinesAloneWhoseCoresStay) {
  std::vector<Trial> trials;
  for (int i = 0; i < 30; ++i) trials.push_back(trial_at((80 + i % 10) * 1e-9, i));
  EXPECT_TRUE(mark_disturbances(trials).empty());
  EXPECT_EQ(moved_ones(trials), 0);
}

}  // namespace
}  // namespace duet
