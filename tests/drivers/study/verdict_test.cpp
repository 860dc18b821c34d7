#include "drivers/study/verdict.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "drivers/study/headline.hpp"
#include "drivers/study/moved.hpp"
#include "drivers/study/reasons.hpp"
#include "drivers/study/summaries.hpp"
#include "tests/drivers/study/made_up.hpp"

namespace duet {
namespace {

const CellSummary& summary_in(const Analysis& analysis, const Cell& cell) {
  return *std::ranges::find(analysis.cells, cell, &CellSummary::cell);
}

bool mentions(const std::vector<std::string>& sentences, const std::string& text) {
  return std::ranges::any_of(sentences,
                             [&text](const std::string& sentence) { return sentence.find(text) != std::string::npos; });
}

std::string all_of(const std::vector<std::string>& sentences) {
  std::string text;
  for (const std::string& sentence : sentences) text += sentence + "\n";
  return text;
}

TEST(Summary, TakesTheMedianOfEachLaunchAndThenOfTheRounds) {
  const Cell cell = cell_of(Model::openmp, "64");
  MadeUp made_up;
  for (int round = 0; round < 7; ++round) {
    // Three trials in each process; the disturbed third one is forgotten.
    for (const double seconds : {1.0 + round, 1.0 + round, 100.0}) {
      Trial trial = made_up.trial_of(cell, seconds, round);
      trial.launch = round;
      made_up.study.trials.push_back(trial);
    }
  }
  const Analysis analysis = analyse(made_up.study);
  const CellSummary& summary = summary_in(analysis, cell);
  EXPECT_EQ(summary.clean.seconds, (std::vector<double>{1, 2, 3, 4, 5, 6, 7}));
  EXPECT_EQ(summary.clean.rounds, (std::vector<int>{0, 1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(summary.seconds.estimate, 4);
  EXPECT_EQ(summary.seconds.low, 1);
  EXPECT_EQ(summary.seconds.high, 7);
  EXPECT_EQ(summary.trials, 21);
  EXPECT_EQ(summary.operations_per_second, 1e9 / 4);
  EXPECT_EQ(summary.unit, "flop");
  EXPECT_EQ(summary.size, 64);
}

TEST(Summary, DividesTheWorkersTime) {
  const Cell cell = cell_of(Model::openmp, "64");
  const Analysis analysis = analyse(MadeUp{}.add(cell, 1).study);
  const CellSummary& summary = summary_in(analysis, cell);
  EXPECT_NEAR(summary.useful_share, 0.9, 1e-12);
  EXPECT_NEAR(summary.communicating_share, 0.05, 1e-12);
  EXPECT_NEAR(summary.waiting_share, 0.05, 1e-12);
  EXPECT_NEAR(summary.load_balance, 1, 1e-12);
  EXPECT_NEAR(summary.communication_efficiency, 0.9, 1e-12);
  EXPECT_NEAR(summary.parallel_efficiency, 0.9, 1e-12);
}

TEST(Summary, SetsMarkedTrialsAsideAndCountsThem) {
  const Cell cell = cell_of(Model::openmp, "64");
  for (const std::string mark : {"shared_core", "slow_canary", "unbound", "warm_up", "mark_of_another_version"}) {
    MadeUp made_up;
    made_up.add(cell, 1);
    made_up.study.trials[0].marks = {mark};
    made_up.study.trials[0].seconds = 1e6;
    const Analysis analysis = analyse(made_up.study);
    EXPECT_EQ(summary_in(analysis, cell).trials, 7) << mark;
    EXPECT_EQ(summary_in(analysis, cell).set_aside, mark == "warm_up" ? 0 : 1) << mark;
    EXPECT_LT(summary_in(analysis, cell).seconds.high, 2) << mark;
    // Warming up is the plan and no trouble.
    EXPECT_EQ(analysis.troubles.empty(), mark == "warm_up") << mark;
  }
}

TEST(Verdict, UsesDisturbedRoundsWhereTooFewCleanOnesAreCommon) {
  MadeUp made_up;
  made_up.add(cell_of(Model::openmp, "64"), 1).add(cell_of(Model::mpi, "64"), 2);  // eight rounds each
  const auto disturb = [&made_up](const char* mark, std::size_t first, std::size_t trials) {
    for (std::size_t i = first; i < first + trials; ++i) made_up.study.trials[i].marks = {mark};
  };
  disturb("slow_canary", 0, 2);  // six clean ones are left
  EXPECT_FALSE(analyse(made_up.study).comparisons.front().disturbed);
  EXPECT_EQ(analyse(made_up.study).comparisons.front().ratio.n, 6);
  disturb("slow_canary", 10, 2);  // two more, of the other: four
  const Analysis analysis = analyse(made_up.study);
  const Comparison& comparison = analysis.comparisons.front();
  EXPECT_TRUE(comparison.disturbed);
  EXPECT_EQ(comparison.ratio.n, 8);
  EXPECT_TRUE(comparison.significant);
  EXPECT_NE(comparison.sentence.find("on a disturbed machine"), std::string::npos) << comparison.sentence;
  EXPECT_TRUE(mentions(analysis.troubles, "used as well in 1 of 1 comparisons")) << all_of(analysis.troubles);
  // What is doubtful for another reason decides nothing.
  disturb("shared_core", 0, 4);
  EXPECT_FALSE(analyse(made_up.study).comparisons.front().disturbed);
  EXPECT_FALSE(analyse(made_up.study).comparisons.front().significant);
}

TEST(Summary, NamesTheBasesOfItsSpeedups) {
  const MadeUp study = MadeUp{}
                           .add(cell_of(Model::serial, "64", 1), 8)
                           .add(cell_of(Model::openmp, "64", 1), 10)
                           .add(cell_of(Model::openmp, "64", 2), 5)
                           .add(cell_of(Model::openmp, "128", 2), 5);
  const Analysis analysis = analyse(study.study);
  const CellSummary& two = summary_in(analysis, cell_of(Model::openmp, "64", 2));
  EXPECT_NEAR(two.speedup_over_serial.estimate, 1.6, 0.02);
  EXPECT_NEAR(two.speedup_over_one_worker.estimate, 2, 0.02);
  EXPECT_EQ(two.speedup_over_serial.n, 8);
  EXPECT_EQ(summary_in(analysis, cell_of(Model::openmp, "64", 1)).speedup_over_one_worker.estimate, 1);
  EXPECT_EQ(summary_in(analysis, cell_of(Model::openmp, "128", 2)).speedup_over_serial.n, 0);
  EXPECT_EQ(summary_in(analysis, cell_of(Model::openmp, "128", 2)).speedup_over_one_worker.n, 0);
}

TEST(Comparison, SaysWhoBeatsWhomByHowMuchOnWhatAtWhichSize) {
  const Analysis analysis =
      analyse(MadeUp{}.add(cell_of(Model::openmp, "1024"), 1).add(cell_of(Model::mpi, "1024"), 1.34).study);
  ASSERT_EQ(analysis.comparisons.size(), 1U);
  const Comparison& comparison = analysis.comparisons[0];
  EXPECT_TRUE(comparison.significant);
  EXPECT_EQ(comparison.faster, Model::openmp);
  EXPECT_EQ(comparison.slower, Model::mpi);
  EXPECT_NEAR(comparison.ratio.estimate, 1.34, 0.01);
  EXPECT_TRUE(comparison.sentence.starts_with("openmp beats mpi 1.340x [1.33")) << comparison.sentence;
  EXPECT_TRUE(comparison.sentence.ends_with("] on 2 workers at n = 1024")) << comparison.sentence;
}

TEST(Comparison, SaysWhatCannotBeSeen) {
  const Analysis analysis =
      analyse(MadeUp{}.add(cell_of(Model::openmp, "1024"), 1).add(cell_of(Model::mpi, "1024"), 1.001).study);
  ASSERT_EQ(analysis.comparisons.size(), 1U);
  EXPECT_FALSE(analysis.comparisons[0].significant);
  EXPECT_TRUE(analysis.comparisons[0].sentence.starts_with("no difference larger than 0."))
      << analysis.comparisons[0].sentence;
  EXPECT_TRUE(
      analysis.comparisons[0].sentence.ends_with(" % can be seen between openmp and mpi on 2 workers at n = 1024"))
      << analysis.comparisons[0].sentence;
}

TEST(Comparison, ClaimsNothingBelowTheSmallestDifference) {
  const Analysis analysis =
      analyse(MadeUp{20}.add(cell_of(Model::openmp, "1024"), 1).add(cell_of(Model::mpi, "1024"), 1.008).study);
  EXPECT_FALSE(analysis.comparisons.at(0).significant);
}

TEST(Comparison, ClaimsNothingWithTooFewRounds) {
  const Analysis analysis =
      analyse(MadeUp{5}.add(cell_of(Model::openmp, "64"), 1).add(cell_of(Model::mpi, "64"), 2).study);
  ASSERT_EQ(analysis.comparisons.size(), 1U);
  EXPECT_FALSE(analysis.comparisons[0].significant);
  EXPECT_EQ(analysis.comparisons[0].sentence,
            "5 rounds cannot tell openmp from mpi on 2 workers at n = 64: 6 are needed");
  EXPECT_EQ(analysis.verdicts.at(0).headline,
            "No verdict yet between shared state and message passing on 2 workers: 5 rounds tell nothing yet, 6 are "
            "needed");
}

TEST(Comparison, IsMadeOnlyForTheSameQuestionOnAsManyWorkers) {
  Cell other_parameters = cell_of(Model::mpi, "64");
  other_parameters.parameters = {{"layout", "row"}};
  Cell other_seed = cell_of(Model::mpi, "64");
  other_seed.seed = 2;
  const Analysis analysis = analyse(MadeUp{}
                                        .add(cell_of(Model::openmp, "64"), 1)
                                        .add(cell_of(Model::mpi, "64", 4), 1)
                                        .add(cell_of(Model::mpi, "128"), 1)
                                        .add(cell_of(Model::mpi, "64", 2, "fib_batch"), 1)
                                        .add(other_parameters, 1)
                                        .add(other_seed, 1)
                                        .study);
  EXPECT_TRUE(analysis.comparisons.empty());
}

TEST(Comparison, UsesOnlyTheRoundsThatBothHave) {
  MadeUp made_up;
  made_up.add(cell_of(Model::openmp, "64"), 1).add(cell_of(Model::mpi, "64"), 2);
  // The machine was four times slower while only mpi was measured.
  for (int round = 8; round < 30; ++round) {
    made_up.study.trials.push_back(made_up.trial_of(cell_of(Model::mpi, "64"), 8, round));
  }
  const Analysis analysis = analyse(made_up.study);
  EXPECT_EQ(analysis.comparisons.at(0).ratio.n, 8);
  EXPECT_NEAR(analysis.comparisons.at(0).ratio.estimate, 2, 0.02);
}

TEST(Comparison, IsNotMadeWhereNoRoundIsCommon) {
  MadeUp made_up;
  made_up.add(cell_of(Model::openmp, "64"), 1);
  for (int round = 8; round < 16; ++round) {
    made_up.study.trials.push_back(made_up.trial_of(cell_of(Model::mpi, "64"), 8, round));
  }
  const Analysis analysis = analyse(made_up.study);
  EXPECT_TRUE(analysis.comparisons.empty());
  EXPECT_TRUE(
      mentions(analysis.troubles, "matmul/openmp/64/1x2 and matmul/mpi/64/2x1 are not compared: no round has both"))
      << all_of(analysis.troubles);
}

TEST(Comparison, IsNotMadeWhereWorkersSharedACore) {
  const Analysis analysis =
      analyse(MadeUp{}.add(cell_of(Model::openmp, "64"), 1).add(cell_of(Model::mpi, "64"), 2, {"shared_core"}).study);
  EXPECT_TRUE(analysis.comparisons.empty());
  EXPECT_TRUE(mentions(analysis.troubles, "matmul/mpi/64/2x1 is not compared: two workers shared a core"))
      << all_of(analysis.troubles);
  EXPECT_EQ(analysis.verdicts.at(0).headline,
            "No verdict on 2 workers: no size has both shared state and message passing to compare");
}

TEST(Comparison, IsNotMadeWithACellThatAnswersWrong) {
  MadeUp made_up;
  made_up.add(cell_of(Model::openmp, "64"), 1).add(cell_of(Model::mpi, "64"), 0.5);
  Trial& wrong = made_up.study.trials.back();
  wrong.outcome = Outcome::wrong;
  wrong.message = "row 3 of C is off by 2e-3";
  const Analysis analysis = analyse(made_up.study);
  EXPECT_TRUE(analysis.comparisons.empty());
  EXPECT_TRUE(mentions(analysis.troubles,
                       "matmul/mpi/64/2x1: 1 of 8 trials not right (wrong): row 3 of C is off by 2e-3; not "
                       "compared"))
      << all_of(analysis.troubles);
}

TEST(Comparison, SurvivesACrashAndReportsIt) {
  MadeUp made_up{9};
  made_up.add(cell_of(Model::openmp, "64"), 1).add(cell_of(Model::mpi, "64"), 2);
  made_up.study.trials.back().outcome = Outcome::hung;
  made_up.study.trials.back().message = "ended after 60 s";
  const Analysis analysis = analyse(made_up.study);
  EXPECT_EQ(analysis.comparisons.at(0).ratio.n, 8);
  EXPECT_TRUE(mentions(analysis.troubles, "9 trials not right (hung): ended after 60 s")) << all_of(analysis.troubles);
}

TEST(Comparison, OfOversubscribedCellsSaysSoAndIsNeverMadeWithOthers) {
  const Analysis alike = analyse(MadeUp{}
                                     .add(cell_of(Model::openmp, "64"), 1, {"oversubscribed"})
                                     .add(cell_of(Model::mpi, "64"), 2, {"oversubscribed"})
                                     .study);
  ASSERT_EQ(alike.comparisons.size(), 1U);
  EXPECT_TRUE(alike.comparisons[0].sentence.ends_with("with more workers than cores"));
  EXPECT_NE(alike.verdicts.at(0).headline.find("(more workers than cores)"), std::string::npos);
  EXPECT_TRUE(mentions(alike.troubles, "ran more workers than cores"));

  const Analysis mixed = analyse(
      MadeUp{}.add(cell_of(Model::openmp, "64"), 1).add(cell_of(Model::mpi, "64"), 2, {"oversubscribed"}).study);
  EXPECT_TRUE(mixed.comparisons.empty());
}

TEST(Comparison, TakesTheBestTunablesOfEachModel) {
  Cell coarse = cell_of(Model::mpi, "64");
  coarse.tunables = {{"panel", "512"}};
  const Analysis analysis =
      analyse(MadeUp{}.add(cell_of(Model::openmp, "64"), 1).add(cell_of(Model::mpi, "64"), 3).add(coarse, 2).study);
  ASSERT_EQ(analysis.comparisons.size(), 1U);
  EXPECT_NEAR(analysis.comparisons[0].ratio.estimate, 2, 0.02);
}

TEST(Comparison, IsTheSameAgainAndDoesNotDependOnOtherCells) {
  MadeUp made_up;
  made_up.add(cell_of(Model::openmp, "64"), 1).add(cell_of(Model::mpi, "64"), 1.1);
  const Interval alone = analyse(made_up.study).comparisons.at(0).ratio;
  made_up.add(cell_of(Model::openmp, "128"), 1).add(cell_of(Model::mpi, "128"), 1.1);
  const Interval among_others = analyse(made_up.study).comparisons.at(0).ratio;
  EXPECT_EQ(alone.low, among_others.low);
  EXPECT_EQ(alone.high, among_others.high);
}

/// openmp takes 1 s and mpi `ratios` of it, at sizes 64, 128, 256 ...
MadeUp against_each_other(const std::vector<double>& ratios, const std::string& problem = "matmul") {
  MadeUp made_up;
  int size = 64;
  for (const double ratio : ratios) {
    made_up.add(cell_of(Model::openmp, std::to_string(size), 2, problem), 1);
    made_up.add(cell_of(Model::mpi, std::to_string(size), 2, problem), ratio);
    size *= 2;
  }
  return made_up;
}

std::string headline_for(const std::vector<double>& ratios) {
  return analyse(against_each_other(ratios).study).verdicts.at(0).headline;
}

TEST(Headline, SaysThatOneSideWinsEverywhere) {
  EXPECT_EQ(headline_for({1.05, 3.2, 2}),
            "Shared state wins at every size measured on 2 workers: openmp 1.05x to 3.20x faster than mpi");
  EXPECT_EQ(headline_for({0.5, 0.5}),
            "Message passing wins at every size measured on 2 workers: mpi 2.00x faster than openmp");
}

TEST(Headline, NamesTheOnlySize) {
  const std::string headline = headline_for({1.5});
  EXPECT_TRUE(headline.starts_with("Shared state wins on 2 workers at n = 64: openmp 1.500x [1.49")) << headline;
  EXPECT_TRUE(headline.ends_with("] faster than mpi")) << headline;
}

TEST(Headline, NamesTheSizesWithoutAWinner) {
  const std::string headline = headline_for({2, 1.5, 1, 1});
  EXPECT_TRUE(
      headline.starts_with("Shared state wins at n = 64 and 128 on 2 workers: openmp 1.50x to 2.00x faster than "
                           "mpi; at n = 256 and 512 no difference larger than 0."))
      << headline;
}

TEST(Headline, SaysThatBothAreEven) {
  EXPECT_TRUE(headline_for({1, 1, 1}).starts_with(
      "Shared state and message passing are even on 2 workers: no difference larger than 0."));
  EXPECT_TRUE(headline_for({1, 1, 1}).ends_with(" % can be seen at any size measured"));
}

TEST(Headline, NamesTheSizeFromWhichTheOtherSideWins) {
  EXPECT_EQ(headline_for({2, 1.25, 0.8, 0.5}),
            "Message passing wins from about n = 180 on, shared state below, on 2 workers: openmp up to 2.00x faster "
            "than mpi (n = 64), mpi up to 2.00x faster than openmp (n = 512)");
}

TEST(Headline, SaysThatTheWinnerChangesBackAndForth) {
  EXPECT_EQ(headline_for({2, 0.5, 3}),
            "The winner changes 2 times with the size on 2 workers: shared state wins at n = 64 and 256 (openmp up to "
            "3.00x faster than mpi (n = 256)), message passing at n = 128 (mpi up to 2.00x faster than openmp (n = "
            "128))");
}

TEST(Verdict, IsGivenForEachProblemAndNumberOfWorkersMostWorkersFirst) {
  const Analysis analysis = analyse(MadeUp{}
                                        .add(cell_of(Model::openmp, "64", 2), 1)
                                        .add(cell_of(Model::mpi, "64", 2), 2)
                                        .add(cell_of(Model::openmp, "64", 4), 1)
                                        .add(cell_of(Model::mpi, "64", 4), 2)
                                        .add(cell_of(Model::serial, "64", 1), 2)
                                        .add(cell_of(Model::tbb, "9", 2, "fib_batch"), 2)
                                        .add(cell_of(Model::hybrid, "9", 2, "fib_batch"), 1)
                                        .study);
  ASSERT_EQ(analysis.verdicts.size(), 3U);
  EXPECT_EQ(analysis.verdicts[0].workers, 4);
  EXPECT_EQ(analysis.verdicts[1].workers, 2);
  EXPECT_EQ(analysis.verdicts[2].problem, "fib_batch");
  EXPECT_TRUE(analysis.verdicts[1].headline.starts_with("Shared state wins on 2 workers at n = 64"));
}

TEST(Verdict, IsGivenForOneWorkerOnlyWhereThereAreNotMore) {
  MadeUp made_up;
  made_up.add(cell_of(Model::openmp, "64", 1), 1).add(cell_of(Model::mpi, "64", 1), 2);
  EXPECT_EQ(analyse(made_up.study).verdicts.size(), 1U);
  made_up.add(cell_of(Model::openmp, "64", 2), 1).add(cell_of(Model::mpi, "64", 2), 2);
  const Analysis analysis = analyse(made_up.study);
  ASSERT_EQ(analysis.verdicts.size(), 1U);
  EXPECT_EQ(analysis.verdicts[0].workers, 2);
}

TEST(Verdict, NamesTheParametersThatDiffer) {
  MadeUp made_up;
  for (const std::string modulus : {"0", "7"}) {
    for (const Model model : {Model::openmp, Model::mpi}) {
      Cell cell = cell_of(model, "64", 2, "fib_batch");
      cell.parameters = {{"kind", "uneven"}, {"modulus", modulus}};
      made_up.add(cell, model == Model::mpi ? 2 : 1);
    }
  }
  const Analysis analysis = analyse(made_up.study);
  ASSERT_EQ(analysis.verdicts.size(), 2U);
  EXPECT_EQ(analysis.verdicts[0].parameters, "modulus = 0");
  EXPECT_TRUE(analysis.verdicts[1].headline.starts_with("modulus = 7: Shared state wins"));
  EXPECT_EQ(analysis.comparisons.at(1).parameters, "modulus = 7");
}

TEST(Verdict, KeepsOneModelForEachSideUnlessAnotherIsClearlyBetter) {
  MadeUp made_up;
  // tbb is as good as openmp but at the last size, where it is twice as fast; hybrid never is.
  for (const int size : {64, 128, 256}) {
    made_up.add(cell_of(Model::openmp, std::to_string(size)), 1);
    made_up.add(cell_of(Model::tbb, std::to_string(size)), size == 256 ? 0.5 : 1.002);
    made_up.add(cell_of(Model::mpi, std::to_string(size)), 2);
    made_up.add(cell_of(Model::hybrid, std::to_string(size)), 2.2);
  }
  const Analysis analysis = analyse(made_up.study);
  const auto& compared = analysis.verdicts.at(0).comparisons;
  ASSERT_EQ(compared.size(), 3U);
  EXPECT_EQ(compared[0].faster, Model::openmp);
  EXPECT_EQ(compared[1].faster, Model::openmp);
  EXPECT_EQ(compared[2].faster, Model::tbb);
  for (const Comparison& comparison : compared) EXPECT_EQ(comparison.slower, Model::mpi);
  EXPECT_EQ(analysis.verdicts[0].headline,
            "Shared state wins at every size measured on 2 workers: openmp or tbb 2.00x to 4.00x faster than mpi");
}

TEST(Crossover, IsInterpolatedOnLogarithmicAxes) {
  const Analysis analysis = analyse(against_each_other({2, 1.5, 1 / 1.5, 0.5}).study);
  ASSERT_EQ(analysis.verdicts.at(0).crossovers.size(), 1U);
  const Crossover& crossover = analysis.verdicts[0].crossovers[0];
  EXPECT_EQ(crossover.below, Model::openmp);
  EXPECT_EQ(crossover.above, Model::mpi);
  EXPECT_EQ(crossover.last_below, 128);
  EXPECT_EQ(crossover.first_above, 256);
  // log(1.5) and -log(1.5): half way between 128 and 256 by logarithm.
  EXPECT_NEAR(crossover.estimate, 181.02, 1.0);
  EXPECT_EQ(crossover.sentence,
            "shared state wins up to n = 128 (openmp), message passing from n = 256 on (mpi), on 2 workers; they cross "
            "at about n = 180");
}

TEST(Crossover, LooksAcrossSizesWithoutAWinner) {
  const Analysis analysis = analyse(against_each_other({2, 1.003, 0.5}).study);
  ASSERT_EQ(analysis.verdicts.at(0).crossovers.size(), 1U);
  EXPECT_EQ(analysis.verdicts[0].crossovers[0].last_below, 64);
  EXPECT_EQ(analysis.verdicts[0].crossovers[0].first_above, 256);
}

TEST(Crossover, NeedsASignificantWinnerOnBothSides) {
  EXPECT_TRUE(analyse(against_each_other({2, 1.5, 0.998}).study).verdicts.at(0).crossovers.empty());
  EXPECT_TRUE(open_crossovers(analyse(against_each_other({2, 1.5, 0.998}).study), 1.15).empty());
}

TEST(OpenCrossovers, GiveTheSizesToBisect) {
  const Analysis analysis = analyse(against_each_other({2, 1.5, 0.7, 0.5}).study);
  const std::vector<Gap> gaps = open_crossovers(analysis, 1.15);
  ASSERT_EQ(gaps.size(), 1U);
  EXPECT_EQ(gaps[0].problem, "matmul");
  EXPECT_EQ(gaps[0].workers, 2);
  EXPECT_EQ(gaps[0].below, 128);
  EXPECT_EQ(gaps[0].above, 256);
  EXPECT_TRUE(open_crossovers(analysis, 2.5).empty());
}

TEST(OpenCrossovers, EndWhereTheMiddleHasNoWinnerEitherSide) {
  // Without a winner at 128 and 256, a size between them would not have one.
  EXPECT_TRUE(open_crossovers(analyse(against_each_other({2, 1.004, 0.996, 0.5}).study), 1.15).empty());
}

TEST(OpenCrossovers, EndAtNeighbouringSizes) {
  const Analysis analysis = analyse(MadeUp{}
                                        .add(cell_of(Model::openmp, "2"), 1)
                                        .add(cell_of(Model::mpi, "2"), 2)
                                        .add(cell_of(Model::openmp, "3"), 2)
                                        .add(cell_of(Model::mpi, "3"), 1)
                                        .study);
  EXPECT_EQ(analysis.verdicts.at(0).crossovers.size(), 1U);
  EXPECT_TRUE(open_crossovers(analysis, 1.15).empty());
}

TEST(OpenCrossovers, FindTheCrossoverByBisection) {
  // The law: mpi / openmp = (n / 700)^-0.3. Each step measures where it is told to, as a study does.
  MadeUp made_up;
  const auto measure = [&made_up](double size) {
    const std::string text = std::to_string(std::lround(size));
    made_up.add(cell_of(Model::openmp, text), 1);
    made_up.add(cell_of(Model::mpi, text), std::pow(size / 700, -0.3));
  };
  measure(64);
  measure(4096);
  int steps = 0;
  for (;; ++steps) {
    const std::vector<Gap> gaps = open_crossovers(analyse(made_up.study), 1.15);
    if (gaps.empty()) break;
    measure(std::sqrt(gaps[0].below * gaps[0].above));
    ASSERT_LT(steps, 10);
  }
  const Crossover crossover = analyse(made_up.study).verdicts.at(0).crossovers.at(0);
  EXPECT_GE(steps, 4);
  EXPECT_NEAR(crossover.estimate, 700, 20);
}

TEST(Reasons, NameTheFactorThatMakesTheDifference) {
  const Cell openmp = cell_of(Model::openmp, "64");
  const Cell mpi = cell_of(Model::mpi, "64");
  const auto reasons_with = [&](auto&& act) {
    MadeUp made_up;
    made_up.add(openmp, 1).add(mpi, 1.5).change(mpi, act);
    return analyse(made_up.study).verdicts.at(0).reasons;
  };
  const auto communicating = reasons_with([](Trial& trial) {
    trial.useful_seconds.assign(2, 0.6 * trial.seconds);
    trial.communicating_seconds.assign(2, 0.3 * trial.seconds);
  });
  ASSERT_EQ(communicating.size(), 1U) << all_of(communicating);
  EXPECT_EQ(
      communicating[0],
      "At n = 64 mpi communicates 30 % and waits 10 % of its time, openmp communicates 5.0 % and waits 5.0 % of its "
      "time: communication efficiency (POP) 0.60 against 0.90, which makes 1.50x");

  const auto unbalanced = reasons_with([](Trial& trial) {
    trial.useful_seconds = {0.9 * trial.seconds, 0.3 * trial.seconds};
  });
  ASSERT_EQ(unbalanced.size(), 1U) << all_of(unbalanced);
  EXPECT_EQ(unbalanced[0],
            "At n = 64 mpi shares the work out less evenly than openmp: load balance (POP) 0.67 against 1.00, which "
            "makes 1.50x");

  const auto slow = reasons_with([](Trial&) {});
  ASSERT_EQ(slow.size(), 1U) << all_of(slow);
  EXPECT_EQ(slow[0], "At n = 64 mpi's workers compute 1.50x as long as openmp's for the same answer");

  const auto silent = reasons_with([](Trial& trial) { trial.useful_seconds.clear(); });
  ASSERT_EQ(silent.size(), 1U);
  EXPECT_EQ(silent[0], "At n = 64 mpi booked no useful time, so nothing says why");
}

TEST(Reasons, SayWhatWasMovedWhereCommunicationExplains) {
  const Cell mpi = cell_of(Model::mpi, "64");
  const Traffic traffic{.received = {{32, 65536}, {16, 32768}}};
  const auto reasons_with = [&](auto&& act) {
    MadeUp made_up;
    made_up.add(cell_of(Model::openmp, "64"), 1).add(mpi, 1.5).change(mpi, [&](Trial& trial) {
      trial.traffic = traffic;
      act(trial);
    });
    return analyse(made_up.study).verdicts.at(0).reasons;
  };
  const auto communicating = reasons_with([](Trial& trial) { trial.useful_seconds.assign(2, 0.6 * trial.seconds); });
  ASSERT_EQ(communicating.size(), 2U) << all_of(communicating);
  EXPECT_EQ(communicating[1], "At n = 64 mpi moves 32.0 KiB to each rank in 16 messages, none between nodes");
  EXPECT_EQ(reasons_with([](Trial&) {}).size(), 1U);  // its workers compute longer: that no message explains
}

TEST(Moved, SaysHowMuchCameToARankAndFromWhere) {
  EXPECT_EQ(moved_text({}, 4), "nothing");
  EXPECT_EQ(moved_text({.received = {{4, 4096}, {1, 1024}}}, 4),
            "1.00 KiB to each rank in 1 message, none between nodes");
  const AcrossRanks uneven{{12, 2048}, {5, 1024}};
  EXPECT_EQ(moved_text({.received = uneven}, 3),
            "up to 1.00 KiB to a rank in up to 5 messages, 2.00 KiB in all, none between nodes");
  EXPECT_EQ(moved_text({.received = uneven, .received_between_nodes = {{6, 512}, {4, 256}}}, 3),
            "up to 1.00 KiB to a rank in up to 5 messages, 2.00 KiB in all, 512 B in 6 messages between nodes");
  EXPECT_EQ(moved_text({.received = uneven, .received_between_nodes = uneven}, 3),
            "up to 1.00 KiB to a rank in up to 5 messages, 2.00 KiB in all, all between nodes");
}

TEST(Reasons, SayWhatWorksAgainstTheDifference) {
  const Cell mpi = cell_of(Model::mpi, "64");
  MadeUp made_up;
  made_up.add(cell_of(Model::openmp, "64"), 1).add(mpi, 1.5);
  made_up.change(mpi, [](Trial& trial) { trial.useful_seconds.assign(2, 0.4 * trial.seconds); });
  const auto reasons = analyse(made_up.study).verdicts.at(0).reasons;
  EXPECT_TRUE(mentions(reasons, "which makes 2.25x")) << all_of(reasons);
  EXPECT_TRUE(mentions(reasons, "the other way round, openmp's workers compute 1.50x as long as mpi's"))
      << all_of(reasons);
}

TEST(Reasons, CompareWithOneWorkerWhereItWasMeasured) {
  const auto reasons = analyse(MadeUp{}
                                   .add(cell_of(Model::openmp, "64", 1), 1.9)
                                   .add(cell_of(Model::mpi, "64", 1), 1.9)
                                   .add(cell_of(Model::openmp, "64"), 1)
                                   .add(cell_of(Model::mpi, "64"), 1.5)
                                   .study)
                           .verdicts.at(0)
                           .reasons;
  EXPECT_TRUE(mentions(reasons, "At n = 64 openmp is 1.90x as fast on 2 workers as on one, mpi 1.27x"))
      << all_of(reasons);
}

TEST(Reasons, SayThatEvenModelsKeepTheirWorkersBusy) {
  const auto reasons = analyse(against_each_other({1}).study).verdicts.at(0).reasons;
  ASSERT_EQ(reasons.size(), 1U);
  EXPECT_TRUE(reasons[0].starts_with("At n = 64 both keep their workers computing: parallel efficiency (POP) 0.90 in"))
      << reasons[0];
}

TEST(Reasons, AreNotGivenBeforeThereIsAnythingToExplain) {
  const Analysis analysis =
      analyse(MadeUp{3}.add(cell_of(Model::openmp, "64"), 1).add(cell_of(Model::mpi, "64"), 2).study);
  EXPECT_TRUE(analysis.verdicts.at(0).reasons.empty());
}

TEST(Troubles, NameDifferingAnswers) {
  MadeUp made_up;
  made_up.add(cell_of(Model::openmp, "64"), 1).add(cell_of(Model::mpi, "64"), 2);
  made_up.change(cell_of(Model::openmp, "64"), [](Trial& trial) { trial.digest = "aa"; });
  made_up.change(cell_of(Model::mpi, "64"), [](Trial& trial) { trial.digest = "aa"; });
  EXPECT_TRUE(analyse(made_up.study).troubles.empty());
  made_up.change(cell_of(Model::mpi, "64"), [](Trial& trial) { trial.digest = "bb"; });
  EXPECT_TRUE(
      mentions(analyse(made_up.study).troubles, "answers differ: matmul at n = 64 has digest aa in openmp; bb in mpi"))
      << all_of(analyse(made_up.study).troubles);
}

TEST(Troubles, NameCellsThatNeverRan) {
  MadeUp made_up;
  Trial refused = made_up.trial_of(cell_of(Model::mpi, "64"), 0, 0);
  refused.outcome = Outcome::refused;
  refused.message = "needs 96 GiB, there are 24";
  made_up.study.trials.push_back(refused);
  const Analysis analysis = analyse(made_up.study);
  EXPECT_EQ(summary_in(analysis, refused.cell).seconds.n, 0);
  EXPECT_TRUE(
      mentions(analysis.troubles, "matmul/mpi/64/2x1: 1 of 1 trial not right (refused): needs 96 GiB, there are 24"))
      << all_of(analysis.troubles);
}

TEST(Analysis, OfNothingIsNothing) {
  const Analysis analysis = analyse({});
  EXPECT_TRUE(analysis.cells.empty());
  EXPECT_TRUE(analysis.verdicts.empty());
  EXPECT_TRUE(analysis.troubles.empty());
  EXPECT_TRUE(open_crossovers(analysis, 1.15).empty());
}

TEST(Analysis, TakesTrialsWithoutMeasurableTime) {
  const Analysis analysis =
      analyse(MadeUp{}.add(cell_of(Model::openmp, "0"), 0).add(cell_of(Model::mpi, "0"), 0).study);
  EXPECT_TRUE(analysis.comparisons.empty());
  EXPECT_EQ(analysis.cells.size(), 2U);
}

TEST(SizeValue, IsTheExtentOrTheGeometricMean) {
  EXPECT_EQ(size_value("1024"), 1024);
  EXPECT_NEAR(size_value("100x200x400"), 200, 1e-9);
  EXPECT_EQ(size_value("large"), 0);
  EXPECT_EQ(size_value(""), 0);
}

TEST(SizeNamed, WritesUnequalExtentsWhole) {
  EXPECT_EQ(size_named("matmul", "1024"), "n = 1024");
  EXPECT_EQ(size_named("matmul", "100x200x300"), "100x200x300");
}

TEST(RoundedWithin, KeepsTwoDigitsOrAsManyAsNeeded) {
  EXPECT_EQ(rounded_within(712.3, 512, 1024), "710");
  EXPECT_EQ(rounded_within(1004.2, 1003, 1006), "1004");
  EXPECT_EQ(rounded_within(3.4, 3, 4), "3");
  EXPECT_EQ(rounded_within(0, 0, 4), "0");
}

}  // namespace
}  // namespace duet
