#include "drivers/study/rounds.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <random>
#include <set>

#include "drivers/study/marks.hpp"

namespace duet {
namespace {

constexpr Resources small_machine{.cores = 2, .numa_nodes = 1, .nodes = 1, .memory_bytes = 8e9};

StudyOptions options_for(std::vector<std::string> sizes, double budget) {
  StudyOptions options;
  options.problems = {"matmul"};
  options.models = {Model::serial, Model::openmp, Model::mpi};
  options.sizes["matmul"] = std::move(sizes);
  options.workers = {1, 2};
  options.budget_seconds = budget;
  return options;
}

Analysis analysis_of(const std::vector<Trial>& trials, const std::map<std::string, std::string>& options = {}) {
  SavedStudy study;
  study.record.options = options;
  study.trials = trials;
  return analyse(study);
}

/// As a study does: what was disturbed is set aside.
Analysis analysis_of_marked(std::vector<Trial> trials) {
  mark_disturbances(trials);
  return analysis_of(trials);
}

/// A machine that exists in this test only: openmp starts faster, mpi is better at large sizes. Times scatter by
/// `noise`; starting a process takes 50 ms, starting ranks 170 ms.
class Simulation {
 public:
  Simulation(const StudyOptions& options, double noise)
      : rounds_{options, small_machine, plan_cells(options, small_machine),
                [text = as_text(options)](const std::vector<Trial>& trials) { return analysis_of(trials, text); }},
        noise_{noise},
        left_{options.budget_seconds} {}

  [[nodiscard]] double seconds_of(const Cell& cell) const {
    const double n = std::stod(cell.size);
    const double work = 2 * n * n * n / 20e9 / cell.workers();
    if (cell.model == Model::mpi) return work + 40e-6;
    if (cell.model == Model::openmp) return 1.2 * work + 4e-6;
    return work;
  }

  /// One launch: up to five trials and a warm-up.
  std::vector<Trial> launch(const PlannedCell& planned) {
    std::normal_distribution<double> scatter{0, noise_};
    const double factor = launches_ < disturbed_launches_ ? 1000 : 1;
    const double neighbour = std::bernoulli_distribution{neighbours_}(random_) ? 1.6 : 1;
    const double seconds = factor * neighbour * seconds_of(planned.cell) * std::exp(scatter(random_));
    const bool slow = std::bernoulli_distribution{slow_canaries_}(random_);
    std::vector<Trial> trials;
    for (int number = 0; number <= 3; ++number) {
      Trial trial;
      trial.cell = planned.cell;
      trial.round = rounds_.number();
      trial.launch = launches_ + 1;
      trial.number = number;
      trial.outcome = failing_.contains(planned.id) ? Outcome::failed : Outcome::right;
      trial.seconds = seconds;
      trial.operations = planned.operations;
      if (number == 0) trial.marks = {"warm_up"};
      trial.canary_before = trial.canary_after = slow ? 60 : 100;
      if (planned.cell.workers() > 1) trial.hop_seconds = launches_ % 5 < moved_in_five_ ? 340e-9 : 85e-9;
      trials.push_back(trial);
      if (trial.outcome == Outcome::failed) break;
    }
    ++launches_;
    cost_ = (passes_messages(planned.cell.model) ? 0.17 : 0.05) + seconds * static_cast<double>(trials.size());
    left_ -= cost_;
    return trials;
  }

  /// Runs until nothing more is wanted, or `most` launches are done.
  void run(int most = 1'000'000) {
    while (left_ > 0) {
      const auto cells = rounds_.next(left_);
      if (cells.empty()) return;
      std::set<std::string> once;
      for (const PlannedCell& planned : cells) {
        ASSERT_TRUE(once.insert(planned.id).second) << planned.id << " twice in a round";
        if (!rounds_.worth_launching(planned.cell)) continue;
        const auto trials = launch(planned);
        trials_.insert(trials_.end(), trials.begin(), trials.end());
        rounds_.note(trials, cost_);
        if (--most == 0) return;
      }
    }
  }

  void fail(const std::string& id) { failing_.insert(id); }

  [[nodiscard]] std::map<std::string, int> launches() const {
    std::map<std::string, std::set<int>> launches;
    for (const Trial& trial : trials_) launches[trial.cell.id()].insert(trial.launch);
    std::map<std::string, int> counts;
    for (const auto& [id, numbers] : launches) counts[id] = static_cast<int>(numbers.size());
    return counts;
  }
  [[nodiscard]] std::set<std::string> sizes() const {
    std::set<std::string> sizes;
    for (const Trial& trial : trials_) sizes.insert(trial.cell.size);
    return sizes;
  }

  Rounds rounds_;
  double noise_;
  double left_;
  double cost_ = 0;
  int launches_ = 0;
  int moved_in_five_ = 0;       ///< launches of five whose cores are far apart
  int disturbed_launches_ = 0;  ///< the first so many take a thousand times as long
  double slow_canaries_ = 0;    ///< share of the launches whose canary says so
  double neighbours_ = 0;       ///< share of the launches that a neighbour makes 1.6 times as long
  std::vector<Trial> trials_;
  std::set<std::string> failing_;
  std::mt19937_64 random_{7};
};

TEST(Rounds, EndCompleteWhenEverythingIsPrecise) {
  Simulation study{options_for({"64", "256", "1024"}, 600), 0.002};
  study.run();
  EXPECT_TRUE(study.rounds_.complete());
  EXPECT_GT(study.left_, 100);
  const Analysis analysis = analysis_of(study.trials_);
  for (const CellSummary& cell : analysis.cells) {
    EXPECT_GE(cell.seconds.n, fewest_rounds) << cell.cell.id();
    EXPECT_LE(cell.seconds.relative_half_width(), 0.02) << cell.cell.id();
  }
}

TEST(Rounds, MakeEveryCellUsableBeforeAnyIsPolished) {
  Simulation study{options_for({"64"}, 45), 0.03};
  study.neighbours_ = 0.2;
  study.run();
  EXPECT_FALSE(study.rounds_.complete()) << "no time was short: this shows nothing";
  for (const CellSummary& cell : analysis_of(study.trials_).cells) {
    EXPECT_LE(cell.seconds.relative_half_width(), coarse_precision) << cell.cell.id();
  }
}

TEST(Rounds, BisectWhereTheWinnerChanges) {
  Simulation study{options_for({"64", "256", "1024"}, 600), 0.002};
  study.run();
  // 1.2 w + 4 us = w + 40 us at w = 180 us on 2 workers: n = 153.
  const auto sizes = study.sizes();
  EXPECT_GT(sizes.size(), 4U);
  const Analysis analysis = analysis_of(study.trials_);
  for (const Verdict& verdict : analysis.verdicts) {
    if (verdict.workers != 2) continue;
    ASSERT_EQ(verdict.crossovers.size(), 1U);
    EXPECT_NEAR(verdict.crossovers[0].estimate, 153, 15);
    EXPECT_LE(verdict.crossovers[0].first_above / verdict.crossovers[0].last_below, 1.35);
  }
}

TEST(Rounds, NeverPlanMoreThanTheBudget) {
  for (const double budget : {0.5, 5.0, 30.0}) {
    Simulation study{options_for({"64", "128", "256", "512", "1024", "2048"}, budget), 0.05};
    study.run();
    // The first launches of all are made whatever they cost: nothing is known of them yet.
    EXPECT_GT(study.left_, -2.5) << budget;
    EXPECT_FALSE(study.rounds_.complete()) << budget;
  }
}

TEST(Rounds, GiveEverySizeThatTheyTakeEnoughRoundsForAnInterval) {
  Simulation study{options_for({"64", "128", "256", "512", "1024", "2048"}, 60), 0.05};
  study.run();
  for (const auto& [id, launches] : study.launches()) EXPECT_GE(launches, fewest_rounds) << id;
}

TEST(Rounds, LeaveOutSizesCoarselyAndSaySoWhereTheBudgetIsSmall) {
  Simulation study{options_for({"64", "128", "256", "512", "1024"}, 9), 0.01};
  study.run();
  const auto sizes = study.sizes();
  EXPECT_LT(sizes.size(), 5U);
  EXPECT_TRUE(sizes.contains("64"));
  const auto warnings = study.rounds_.warnings();
  ASSERT_FALSE(warnings.empty());
  EXPECT_NE(warnings[0].find("the budget of 9 s is too small for every size of matmul: left out "), std::string::npos)
      << warnings[0];
}

TEST(Rounds, TakeUpASizeThatTurnsOutToBeCheap) {
  // The first launches are disturbed: they say that nothing large can be had.
  Simulation study{options_for({"64", "256", "1024"}, 40), 0.01};
  study.disturbed_launches_ = 6;
  study.run();
  EXPECT_TRUE(study.sizes().contains("1024"));
  for (const auto& [id, launches] : study.launches()) EXPECT_GE(launches, fewest_rounds) << id;
}

TEST(Rounds, MeasureExactlySoManyRoundsWhereTheyAreTold) {
  StudyOptions options = options_for({"64", "256"}, std::numeric_limits<double>::infinity());
  options.rounds = 4;
  Simulation study{options, 0.3};
  study.run();
  EXPECT_TRUE(study.rounds_.complete());
  const auto launches = study.launches();
  EXPECT_EQ(launches.size(), 2U * 5);
  for (const auto& [id, count] : launches) EXPECT_EQ(count, 4) << id;
}

TEST(Rounds, MakeUpForLaunchesThatAreSetAside) {
  Simulation study{options_for({"64", "256"}, 200), 0.002};
  study.moved_in_five_ = 2;
  study.run();
  const Analysis analysis = analysis_of_marked(study.trials_);
  for (const CellSummary& summary : analysis.cells) {
    EXPECT_GE(summary.seconds.n, fewest_rounds) << summary.cell.id();
    EXPECT_EQ(summary.set_aside > 0, summary.cell.workers() > 1) << summary.cell.id();
  }
}

TEST(Rounds, GiveSpeedupsEnoughRoundsThatBothOfTheirCellsHave) {
  Simulation study{options_for({"64", "256"}, 200), 0.002};
  study.slow_canaries_ = 0.3;
  study.run();
  const Analysis analysis = analysis_of_marked(study.trials_);
  int set_aside = 0;
  for (const CellSummary& summary : analysis.cells) {
    set_aside += summary.set_aside;
    if (summary.cell.model == Model::serial) continue;
    EXPECT_GE(summary.speedup_over_serial.n, fewest_rounds) << summary.cell.id();
  }
  EXPECT_GT(set_aside, 0) << "nothing was disturbed: this shows nothing";
}

TEST(Rounds, LaunchACellThatFailsTwiceAndNotAgain) {
  Simulation study{options_for({"64", "256"}, 60), 0.01};
  study.fail("matmul/mpi/64/2x1");
  study.run();
  auto launches = study.launches();
  EXPECT_EQ(launches["matmul/mpi/64/2x1"], most_failures);
  EXPECT_GE(launches["matmul/openmp/64/1x2"], fewest_rounds);
}

TEST(Rounds, GoOnAfterAnInterruptionAsIfThereHadBeenNone) {
  const StudyOptions options = options_for({"64", "256", "1024"}, 600);
  StudyOptions fixed = options;
  fixed.rounds = 3;
  Simulation whole{fixed, 0.01};
  whole.run();
  for (const int after : {1, 7, 15, 16, 29}) {
    Simulation first{fixed, 0.01};
    first.run(after);
    Simulation second{fixed, 0.01};
    second.rounds_.resume(nlohmann::json::parse(first.rounds_.state().dump()), first.trials_);
    second.trials_ = first.trials_;
    second.launches_ = first.launches_;
    EXPECT_EQ(second.rounds_.number(), first.rounds_.number());
    EXPECT_EQ(second.rounds_.state(), first.rounds_.state());
    second.run();
    EXPECT_TRUE(second.rounds_.complete());
    EXPECT_EQ(second.launches(), whole.launches());
  }
}

TEST(Rounds, KnowTheSizesThatBisectionAddedAfterAnInterruption) {
  Simulation first{options_for({"64", "256", "1024"}, 600), 0.002};
  first.run();
  Simulation second{options_for({"64", "256", "1024"}, 600), 0.002};
  second.rounds_.resume(first.rounds_.state(), first.trials_);
  EXPECT_EQ(second.rounds_.plan().size(), first.rounds_.plan().size());
  EXPECT_TRUE(second.rounds_.next(100).empty());
  EXPECT_TRUE(second.rounds_.complete());
}

TEST(Rounds, LeaveRefusedCellsAlone) {
  const StudyOptions options = options_for({"64", "256"}, 60);
  auto plan = plan_cells(options, small_machine);
  for (PlannedCell& planned : plan) {
    if (planned.cell.size == "256") planned.refusal = "too large";
  }
  Rounds rounds{options, small_machine, plan, [](const std::vector<Trial>& trials) { return analysis_of(trials); }};
  for (int piece = 0; piece < 10; ++piece) {
    for (const PlannedCell& planned : rounds.next(60)) EXPECT_EQ(planned.cell.size, "64");
  }
}

CellSummary summary_of(Model model, double half_width, int n) {
  CellSummary summary;
  summary.cell.problem = "matmul";
  summary.cell.model = model;
  summary.cell.size = "64";
  summary.cell.threads = 2;
  summary.seconds = {.estimate = 1, .low = 1 - half_width, .high = 1 + half_width, .level = 0.95, .n = n};
  return summary;
}

TEST(CellsInNeed, AreThoseWithAWideIntervalOrTooFewRounds) {
  Analysis analysis;
  analysis.cells = {summary_of(Model::openmp, 0.01, 9), summary_of(Model::tbb, 0.05, 9)};
  const std::string openmp = analysis.cells[0].cell.id();
  const std::string tbb = analysis.cells[1].cell.id();
  EXPECT_EQ(cells_in_need(analysis, {openmp, tbb}, 0.02), (std::set<std::string>{tbb}));
  EXPECT_EQ(cells_in_need(analysis, {openmp, "unknown"}, 0.02), (std::set<std::string>{"unknown"}));
  analysis.cells[0].seconds.n = 5;
  EXPECT_EQ(cells_in_need(analysis, {openmp}, 0.02), (std::set<std::string>{openmp}));
}

TEST(CellsInNeed, AreBothPartnersOfARatioThatIsNotYetNarrow) {
  Analysis analysis;
  analysis.cells = {summary_of(Model::openmp, 0.01, 9), summary_of(Model::tbb, 0.01, 9)};
  Comparison comparison;
  comparison.problem = "matmul";
  comparison.size = "64";
  comparison.workers = 2;
  comparison.faster = Model::openmp;
  comparison.slower = Model::tbb;
  comparison.ratio = {.estimate = 1.1, .low = 1.0, .high = 1.2, .level = 0.95, .n = 9};
  const std::string openmp = analysis.cells[0].cell.id();
  const std::string tbb = analysis.cells[1].cell.id();
  comparison.faster_id = openmp;
  comparison.slower_id = tbb;
  analysis.comparisons = {comparison};
  EXPECT_EQ(cells_in_need(analysis, {openmp, tbb}, 0.02), (std::set<std::string>{openmp, tbb}));
  // Alone, a cell can do nothing for the ratio: its partner has failed.
  EXPECT_TRUE(cells_in_need(analysis, {openmp}, 0.02).empty());
  analysis.comparisons[0].ratio = {.estimate = 1.1, .low = 1.09, .high = 1.11, .level = 0.95, .n = 9};
  EXPECT_TRUE(cells_in_need(analysis, {openmp, tbb}, 0.02).empty());
}

/// Four times the work for four workers, n growing with the cube root.
StudyOptions weak_options(double budget) {
  StudyOptions options = options_for({"512", "648", "816"}, budget);
  options.scaling = Scaling::weak;
  options.workers = {1, 2, 4};
  options.oversubscribe = true;
  return options;
}

TEST(Rounds, OfAStudyOfScalingEndWhenEveryEfficiencyIsPrecise) {
  const StudyOptions options = weak_options(600);
  Simulation study{options, 0.01};
  study.run();
  EXPECT_TRUE(study.rounds_.complete());
  EXPECT_EQ(study.sizes(), (std::set<std::string>{"512", "648", "816"}));
  const Analysis analysis = analysis_of(study.trials_, as_text(options));
  ASSERT_EQ(analysis.scaling.size(), 2U);
  for (const ScalingCurve& curve : analysis.scaling) {
    ASSERT_EQ(curve.points.size(), 3U);
    EXPECT_GE(curve.rounds, fewest_rounds);
    for (const ScalingPoint& point : curve.points) {
      if (point.cell.workers() == 1) continue;
      EXPECT_LE(point.efficiency.relative_half_width(), 0.02) << point.cell.id();
      // No round was spent on a point without its base.
      EXPECT_EQ(point.efficiency.n, point.seconds.n) << point.cell.id();
    }
  }
}

TEST(Rounds, OfAWeakRunLeaveOutWorkerCountsThatTheBudgetDoesNotHold) {
  StudyOptions options = weak_options(8);
  options.sizes["matmul"] = {"512", "648", "8000"};
  Simulation study{options, 0.01};
  study.run();
  EXPECT_EQ(study.sizes(), (std::set<std::string>{"512", "648"}));
  ASSERT_EQ(study.rounds_.warnings().size(), 1U);
  EXPECT_NE(study.rounds_.warnings()[0].find("left out 8000"), std::string::npos) << study.rounds_.warnings()[0];
}

TEST(RepeatsFor, GivesShortTrialsManyAndLongOnesOne) {
  EXPECT_EQ(repeats_for(0).at_most, 0.05);
  EXPECT_NEAR(repeats_for(0.05).at_most, 0.175, 1e-9);
  EXPECT_EQ(repeats_for(5).at_most, 0.25);
}

}  // namespace
}  // namespace duet
