#include "drivers/study/pipelines.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "tests/drivers/report/synthetic_study.hpp"
#include "tests/drivers/study/made_up.hpp"

namespace duet {
namespace {

using Change = std::map<std::string, std::string>;

StageFigures waiting_stage(double useful, int workers, std::int64_t items) {
  return {.name = "ask", .kind = StageKind::waiting, .workers = workers, .items = items, .useful_seconds = useful};
}

Trial trial_with(std::vector<StageFigures> stages) {
  Trial trial;
  trial.cell = cell_of(Model::openmp, "200", 2, "fib_stream");
  trial.outcome = Outcome::right;
  trial.stages = std::move(stages);
  return trial;
}

TEST(MedianStages, AreMediansOfEachFigure) {
  const Trial quick = trial_with({waiting_stage(1, 20, 200)});
  const Trial middle = trial_with({waiting_stage(3, 21, 200)});
  const Trial slow = trial_with({waiting_stage(100, 30, 260)});
  const std::vector<StageFigures> stages = median_stages({&slow, &quick, &middle});
  ASSERT_EQ(stages.size(), 1U);
  EXPECT_EQ(stages[0].name, "ask");
  EXPECT_EQ(stages[0].useful_seconds, 3);
  EXPECT_EQ(stages[0].workers, 21);
  EXPECT_EQ(stages[0].items, 200);
}

TEST(MedianStages, AreThoseOfMostTrialsWhereTheyDiffer) {
  const Trial whole = trial_with({waiting_stage(1, 20, 200)});
  const Trial divided = trial_with({waiting_stage(2, 20, 200), waiting_stage(5, 20, 200)});
  EXPECT_EQ(median_stages({&whole, &divided, &divided}).size(), 2U);
  EXPECT_EQ(median_stages({&whole, &divided, &whole}).size(), 1U);
  const Trial none = trial_with({});
  EXPECT_TRUE(median_stages({&none}).empty());
}

Change change_for(Model model, const Change& tunables, const StageFigures& stage, const std::string& problem) {
  Cell cell = cell_of(model, "64", 2, problem);
  cell.tunables = tunables;
  return change_that_may_help(cell, {stage}, bound_of({stage}, 2, 1));
}

TEST(ChangeThatMayHelp, IsAThreadForEachItemWhereTheyWait) {
  const StageFigures stage = waiting_stage(10, 20, 200);
  EXPECT_EQ(change_for(Model::openmp, {{"readers", "20"}}, stage, "fib_stream"),
            (Change{{"readers", "200"}, {"tokens", "408"}}));
  EXPECT_EQ(change_for(Model::openmp, {{"readers", "20"}, {"tokens", "900"}}, stage, "fib_stream"),
            (Change{{"readers", "200"}, {"tokens", "900"}}))
      << "no fewer tokens than there were";
  EXPECT_EQ(change_for(Model::openmp, {}, waiting_stage(10, 20, 5000), "fib_stream").at("readers"), "1000")
      << "the most that are allowed";
}

TEST(ChangeThatMayHelp, HasThreadsWaitWhereWorkersDid) {
  const StageFigures stage = waiting_stage(10, 2, 200);
  const Change threads{{"readers", "200"}, {"tokens", "408"}, {"waiting", "threads"}};
  EXPECT_EQ(change_for(Model::openmp, {{"waiting", "blocking"}}, stage, "fib_stream"), threads);
  EXPECT_EQ(change_for(Model::openmp, {{"waiting", "blocking"}, {"readers", "200"}}, stage, "fib_stream"), threads);
}

TEST(ChangeThatMayHelp, IsTwiceTheThreadsOfADisk) {
  StageFigures stage = waiting_stage(10, 1, 64);
  stage.kind = StageKind::disk;
  EXPECT_EQ(change_for(Model::openmp, {{"readers", "3"}}, stage, "matrix_stream").at("readers"), "6");
}

TEST(ChangeThatMayHelp, IsNoneWhereThereAreNoMoreThreadsToHave) {
  const StageFigures stage = waiting_stage(10, 20, 200);
  EXPECT_EQ(change_for(Model::serial, {}, stage, "fib_stream"), Change{});
  EXPECT_EQ(change_for(Model::openmp, {{"readers", "200"}}, stage, "fib_stream"), Change{});
  EXPECT_EQ(change_for(Model::openmp, {{"readers", "many"}}, stage, "fib_stream"), Change{});
  EXPECT_EQ(change_for(Model::openmp, {}, stage, "a problem of another program"), Change{});
  StageFigures computing = stage;
  computing.kind = StageKind::computing;
  EXPECT_EQ(change_for(Model::openmp, {}, computing, "fib_stream"), Change{});
}

TEST(TriedChanges, HaveAGainWithItsIntervalAndNoPartInCellsAndVerdicts) {
  const SyntheticStudy study = pipeline_study();
  ASSERT_EQ(study.analysis.tried.size(), 1U);
  const TriedChange& tried = study.analysis.tried.front();
  EXPECT_EQ(tried.failure, "");
  EXPECT_EQ(tried.change, (Change{{"readers", "200"}, {"tokens", "408"}}));
  EXPECT_EQ(tried.gain.n, 6);
  EXPECT_LE(tried.gain.low, tried.gain.estimate);
  EXPECT_GE(tried.gain.high, tried.gain.estimate);
  EXPECT_NEAR(tried.gain.estimate, 9.5, 0.3);

  SavedStudy without = study.study;
  std::erase_if(without.trials, [](const Trial& trial) { return !trial.tried.empty(); });
  const Analysis plain = analyse(without);
  EXPECT_TRUE(plain.tried.empty());
  ASSERT_EQ(plain.cells.size(), study.analysis.cells.size());
  for (std::size_t i = 0; i < plain.cells.size(); ++i) {
    EXPECT_EQ(plain.cells[i].cell, study.analysis.cells[i].cell);
    EXPECT_EQ(plain.cells[i].trials, study.analysis.cells[i].trials);
    EXPECT_EQ(plain.cells[i].seconds.estimate, study.analysis.cells[i].seconds.estimate);
  }
  ASSERT_EQ(plain.verdicts.size(), study.analysis.verdicts.size());
  for (std::size_t i = 0; i < plain.verdicts.size(); ++i) {
    EXPECT_EQ(plain.verdicts[i].headline, study.analysis.verdicts[i].headline);
  }
}

TEST(TriedChanges, SayWhyThereIsNoGain) {
  SavedStudy study = pipeline_study().study;
  for (Trial& trial : study.trials) {
    if (trial.tried.empty() || with_tunables(trial.cell, trial.tried) != trial.cell) continue;
    trial.outcome = Outcome::hung;
    trial.message = "met its time limit";
  }
  const Analysis analysis = analyse(study);
  ASSERT_EQ(analysis.tried.size(), 1U);
  EXPECT_EQ(analysis.tried.front().failure, "hung: met its time limit");
  EXPECT_TRUE(std::ranges::any_of(analysis.troubles, [](const std::string& trouble) {
    return trouble.ends_with("tried readers=200, tokens=408: hung: met its time limit");
  }));
}

TEST(TriedChanges, SayThatNoRoundCounts) {
  SavedStudy study = pipeline_study().study;
  for (Trial& trial : study.trials) {
    if (!trial.tried.empty()) trial.marks = {"shared_core"};
  }
  const Analysis analysis = analyse(study);
  ASSERT_EQ(analysis.tried.size(), 1U);
  EXPECT_EQ(analysis.tried.front().gain.n, 0);
  const auto openmp = std::ranges::find_if(
      analysis.cells, [&](const CellSummary& summary) { return summary.cell == analysis.tried.front().cell; });
  ASSERT_NE(openmp, analysis.cells.end());
  EXPECT_EQ(trial_of_change(*openmp, analysis.tried),
            "tried readers=200, tokens=408: no round counts that would say what it gains");
}

TEST(ToldPipelines, AreThoseOfTheLargestSizeWithTheMostWorkersAndSerial) {
  const SyntheticStudy study = pipeline_study();
  const auto told = told_pipelines(study.analysis.cells);
  ASSERT_EQ(told.size(), 1U);
  std::vector<std::string> ids;
  for (const CellSummary* const cell : told.front()) {
    EXPECT_EQ(cell->cell.size, "200");
    ids.push_back(std::string{name_of(cell->cell.model)} + " " + std::to_string(cell->cell.workers()));
  }
  EXPECT_EQ(ids, (std::vector<std::string>{"serial 1", "openmp 2", "mpi 2"}));
  EXPECT_TRUE(told_pipelines(synthetic_study().analysis.cells).empty());
}

TEST(TrialRecord, KeepsWhatALaunchTried) {
  Trial trial = trial_with({});
  EXPECT_FALSE(nlohmann::json(trial).contains("tried"));
  trial.tried = {{"readers", "200"}};
  EXPECT_EQ(nlohmann::json(trial).get<Trial>().tried, trial.tried);
}

}  // namespace
}  // namespace duet
