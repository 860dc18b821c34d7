#include "drivers/statistics/medians.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <stdexcept>
#include <vector>

namespace duet {
namespace {

TEST(Median, IsTheMiddleValueOfAnOddNumber) {
  EXPECT_EQ(median(std::vector<double>{5, 1, 3}), 3);
  EXPECT_EQ(median(std::vector<double>{7}), 7);
}

TEST(Median, IsHalfwayBetweenTheTwoInTheMiddleOfAnEvenNumber) {
  EXPECT_EQ(median(std::vector<double>{4, 1, 3, 2}), 2.5);
  EXPECT_EQ(median(std::vector<double>{10, 2}), 6);
}

TEST(Median, ForgetsAnOutlier) { EXPECT_EQ(median(std::vector<double>{1, 2, 3, 4, 1e9}), 3); }

TEST(Median, RefusesNoValuesAndValuesThatAreNoNumbers) {
  EXPECT_THROW((void)median(std::vector<double>{}), std::invalid_argument);
  EXPECT_THROW((void)median(std::vector<double>{1, std::nan("")}), std::invalid_argument);
}

// Le Boudec, "Performance Evaluation of Computer and Communication Systems", 2010, table A.1, for the n at which its
// pair of ranks is symmetric; the rows of 8 and 9 values by hand: 2 (1 + 8) / 2^8 = 0.070 is more than 0.05, but
// 2 (1 + 9) / 2^9 = 0.039 is not.
TEST(RankOfInterval, HasThePublishedValues) {
  EXPECT_EQ(rank_of_interval(5), 0);
  EXPECT_EQ(rank_of_interval(6), 1);
  EXPECT_EQ(rank_of_interval(8), 1);
  EXPECT_EQ(rank_of_interval(9), 2);
  EXPECT_EQ(rank_of_interval(10), 2);
  EXPECT_EQ(rank_of_interval(12), 3);
  EXPECT_EQ(rank_of_interval(20), 6);
  EXPECT_EQ(rank_of_interval(30), 10);
  EXPECT_EQ(rank_of_interval(70), 27);
  EXPECT_EQ(rank_of_interval(7, 0.99), 0);
  EXPECT_EQ(rank_of_interval(8, 0.99), 1);
  EXPECT_EQ(rank_of_interval(0), 0);
}

TEST(RankOfInterval, NeedsSixValuesAt95PercentAndEightAt99) {
  EXPECT_EQ(fewest_values(0.95), 6);
  EXPECT_EQ(fewest_values(0.99), 8);
}

TEST(MedianInterval, TakesOrderStatistics) {
  const std::vector<double> values{9, 1, 8, 2, 7, 3, 6, 4, 5, 10};
  const Interval interval = median_interval(values);
  EXPECT_EQ(interval.estimate, 5.5);
  EXPECT_EQ(interval.low, 2);
  EXPECT_EQ(interval.high, 9);
  EXPECT_EQ(interval.n, 10);
  EXPECT_EQ(interval.level, 0.95);
}

TEST(MedianInterval, HasNoEndsWhereValuesAreTooFew) {
  const Interval interval = median_interval(std::vector<double>{1, 2, 3, 4, 5});
  EXPECT_EQ(interval.estimate, 3);
  EXPECT_EQ(interval.low, -infinity);
  EXPECT_EQ(interval.high, infinity);
}

TEST(MedianInterval, KnowsNothingOfNoValues) { EXPECT_EQ(median_interval(std::vector<double>{}).n, 0); }

TEST(RatioOfMedians, CancelsWhatSlowsWholeRounds) {
  // Each round is slowed by another factor, both sides alike: the ratio is 2 in every round and every resample.
  const std::vector<double> below{1, 1.5, 3, 1.1, 2, 9, 1.2};
  std::vector<double> above = below;
  for (double& value : above) value *= 2;
  const Interval ratio = ratio_of_medians(above, below);
  EXPECT_DOUBLE_EQ(ratio.estimate, 2);
  EXPECT_NEAR(ratio.low, 2, 1e-12);
  EXPECT_NEAR(ratio.high, 2, 1e-12);
  EXPECT_EQ(ratio.n, 7);
}

TEST(RatioOfMedians, IsAtLeastAsWideAsEachOfItsTwoIntervals) {
  const std::vector<double> above{1.31, 1.40, 1.28, 1.36, 1.33, 1.52, 1.30, 1.35};
  const std::vector<double> below{1.00, 1.05, 0.99, 1.01, 1.02, 1.00, 0.97, 1.03};
  const Interval both = ratio_of_medians(above, below);
  const Interval bootstrap = bootstrap_ratio_of_medians(above, below);
  EXPECT_LE(both.low, bootstrap.low);
  EXPECT_GE(both.high, bootstrap.high);
  // With 8 rounds the ranks ask for the smallest and the largest ratio of a round.
  EXPECT_LE(both.low, 1.28 / 0.99);
  EXPECT_NEAR(both.high, 1.52 / 1.00, 1e-12);
  // (1.33 + 1.35) / 2 over (1.00 + 1.01) / 2
  EXPECT_DOUBLE_EQ(both.estimate, 1.34 / 1.005);
}

TEST(RatioOfMedians, IsTheSameForTheSameSeed) {
  const std::vector<double> above{1.3, 1.4, 1.2, 1.9, 1.1, 1.5, 1.6};
  const std::vector<double> below{1.0, 1.1, 0.9, 1.2, 0.8, 1.3, 0.7};
  EXPECT_EQ(bootstrap_ratio_of_medians(above, below, 0.95, 7).low,
            bootstrap_ratio_of_medians(above, below, 0.95, 7).low);
  EXPECT_EQ(bootstrap_ratio_of_medians(above, below, 0.95, 7).high,
            bootstrap_ratio_of_medians(above, below, 0.95, 7).high);
}

TEST(RatioOfMedians, HasNoEndsBelowSixRounds) {
  const Interval ratio = ratio_of_medians(std::vector<double>{2, 2, 2, 2, 2}, std::vector<double>{1, 1, 1, 1, 1});
  EXPECT_EQ(ratio.estimate, 2);
  EXPECT_EQ(ratio.low, 0);
  EXPECT_EQ(ratio.high, infinity);
}

TEST(RatioOfMedians, KnowsNothingWithoutPositiveTimes) {
  EXPECT_EQ(ratio_of_medians(std::vector<double>{}, std::vector<double>{}).n, 0);
  EXPECT_EQ(ratio_of_medians(std::vector<double>{1}, std::vector<double>{0}).n, 0);
  EXPECT_EQ(ratio_of_medians(std::vector<double>{infinity}, std::vector<double>{1}).n, 0);
  EXPECT_THROW((void)ratio_of_medians(std::vector<double>{1, 2}, std::vector<double>{1}), std::invalid_argument);
}

TEST(StandardErrorOfMedian, FollowsPriceAndBonettByHand) {
  // n = 8: c = round(4.5 - 2.83) = 2, P(Binomial(8, 1/2) <= 1) = 9 / 256, z = 1.8103: (70 - 20) / (2 x 1.8103).
  EXPECT_NEAR(standard_error_of_median(std::vector<double>{10, 20, 30, 40, 50, 60, 70, 1000}), 50 / (2 * 1.8103),
              0.005);
  EXPECT_EQ(standard_error_of_median(std::vector<double>{1, 2, 3, 4}), infinity);
}

TEST(WidenedRatio, ContainsThePlainOneAndGrowsWithTheLevel) {
  const std::vector<double> above{1.31, 1.40, 1.28, 1.36, 1.33, 1.41, 1.30, 1.35};
  const std::vector<double> below{1.00, 1.05, 0.99, 1.01, 1.02, 1.00, 0.97, 1.03};
  const Interval plain = ratio_of_medians(above, below);
  const Interval wide = widened_ratio_of_medians(above, below, 0.999);
  const Interval wider = widened_ratio_of_medians(above, below, 0.9999);
  EXPECT_LE(wide.low, plain.low);
  EXPECT_GE(wide.high, plain.high);
  EXPECT_LT(wider.low, wide.low);
  EXPECT_GT(wider.high, wide.high);
  EXPECT_EQ(wide.level, 0.999);
  EXPECT_THROW((void)widened_ratio_of_medians(above, below, 0.5), std::invalid_argument);
}

TEST(LevelForFamily, DividesTheErrorByTheNumberOfComparisons) {
  EXPECT_DOUBLE_EQ(level_for_family(0.95, 1), 0.95);
  EXPECT_DOUBLE_EQ(level_for_family(0.95, 10), 0.995);
  EXPECT_THROW((void)level_for_family(0.95, 0), std::invalid_argument);
}

TEST(LargestDifference, LooksBothWays) {
  EXPECT_NEAR(largest_difference({.estimate = 1, .low = 0.99, .high = 1.02, .n = 8}), 0.02, 1e-12);
  EXPECT_NEAR(largest_difference({.estimate = 1, .low = 0.8, .high = 1.02, .n = 8}), 0.25, 1e-12);
  EXPECT_EQ(largest_difference({.estimate = 1, .low = 0, .high = infinity, .n = 3}), infinity);
}

/// Times of two models in `rounds` rounds whose true ratio is 1.1: each launch has noise of its own (2 %, with two
/// modes 4 % apart and outliers of up to 50 % in one launch of twelve), and the machine drifts by 10 % between rounds.
struct NoisyRounds {
  std::vector<double> above;
  std::vector<double> below;
};
NoisyRounds noisy_rounds(std::mt19937_64& engine, int rounds) {
  std::normal_distribution<double> normal;
  std::uniform_real_distribution<double> uniform;
  const auto launch = [&] {
    double log_seconds = 0.02 * normal(engine);
    if (uniform(engine) < 0.4) log_seconds += 0.04;
    if (uniform(engine) < 1.0 / 12) log_seconds += 0.4 * uniform(engine);
    return log_seconds;
  };
  NoisyRounds noisy;
  double drift = 0;
  for (int i = 0; i < rounds; ++i) {
    drift = 0.7 * drift + 0.1 * normal(engine);
    noisy.above.push_back(1.1 * std::exp(drift + launch()));
    noisy.below.push_back(std::exp(drift + launch()));
  }
  return noisy;
}

TEST(RatioOfMedians, CoversTheTruthAsOftenAsItSaysWithFewRounds) {
  constexpr int studies = 300;
  for (const int rounds : {6, 8, 12}) {
    std::mt19937_64 engine{static_cast<std::uint64_t>(rounds)};
    int covered = 0;
    int covered_when_widened = 0;
    for (int study = 0; study < studies; ++study) {
      const NoisyRounds noisy = noisy_rounds(engine, rounds);
      const auto covers = [](const Interval& ratio) { return ratio.low <= 1.1 && 1.1 <= ratio.high; };
      covered += covers(ratio_of_medians(noisy.above, noisy.below)) ? 1 : 0;
      covered_when_widened += covers(widened_ratio_of_medians(noisy.above, noisy.below, 0.999)) ? 1 : 0;
    }
    RecordProperty("covered_with_" + std::to_string(rounds), covered);
    RecordProperty("covered_when_widened_with_" + std::to_string(rounds), covered_when_widened);
    // Two standard errors of a simulation with 300 studies are 2.5 percentage points.
    EXPECT_GE(covered, 0.925 * studies) << rounds << " rounds";
    EXPECT_GE(covered_when_widened, 0.994 * studies) << rounds << " rounds";
  }
}

}  // namespace
}  // namespace duet
