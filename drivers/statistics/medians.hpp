#pragma once

/// Medians and ratios of medians, with intervals that stay honest for the 6 to 12 rounds of a short study. Times are
/// skewed, have outliers and several modes, so nothing here assumes a distribution but where it says so, and nothing is
/// averaged.

#include <cstdint>
#include <functional>
#include <span>

#include "drivers/statistics/interval.hpp"

namespace duet {

/// The middle value; of an even number of them, half the sum of the two in the middle. Throws std::invalid_argument for
/// no values, or where one is not a number. Cost: linear.
[[nodiscard]] double median(std::span<const double> values);

/// The median with its rank-based interval: the j-th smallest and the j-th largest value, with the largest j for which
/// the two cover the true median with at least the probability `level`, whatever the distribution. Below 6 values
/// there is no such pair at 95 %: the interval is then [-infinity, infinity]. n = 0 for no values.
///
/// Source: William J. Conover, "Practical Nonparametric Statistics", 3rd edition, 1999, section 3.2; tabulated in
/// Jean-Yves Le Boudec, "Performance Evaluation of Computer and Communication Systems", 2010, appendix A.
[[nodiscard]] Interval median_interval(std::span<const double> values, double level = usual_level);

/// The rank j that `median_interval` takes of n values, counted from 1; 0 where n values are too few for `level`.
[[nodiscard]] int rank_of_interval(int n, double level = usual_level);

/// The fewest values that can give an interval of the median at `level`: 6 at 95 %.
[[nodiscard]] int fewest_values(double level = usual_level);

/// How many times `numerators` is larger than `denominators`: the ratio of their medians, where entry i of both was
/// measured in the same round. The interval is the wider, at each end, of
///
/// - the percentile bootstrap of the ratio of medians, which draws whole rounds (pairs) with replacement, so that what
///   slows a whole round cancels; and
/// - the rank-based interval of the median of the rounds' own ratios.
///
/// The bootstrap alone covers too seldom with few rounds (93 % instead of 95 % with 6 or 7); the second covers for
/// any n. With fewer than 6 rounds at 95 % the interval is [0, infinity]. The same values and `seed` give the same
/// interval. n = 0 where there is no round, or a value that is not positive and finite. Throws std::invalid_argument
/// for spans of different lengths.
///
/// Source: Bradley Efron and Robert J. Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13.
[[nodiscard]] Interval ratio_of_medians(std::span<const double> numerators, std::span<const double> denominators,
                                        double level = usual_level, std::uint64_t seed = 1);

/// The percentile bootstrap alone, for those who study its coverage.
[[nodiscard]] Interval bootstrap_ratio_of_medians(std::span<const double> numerators,
                                                  std::span<const double> denominators, double level = usual_level,
                                                  std::uint64_t seed = 1);

/// The same ratio at the levels that many comparisons at once ask for (99.9 % and more), where ranks would need a dozen
/// rounds and a bootstrap has no values so far out: `ratio_of_medians` at 95 %, widened to
///
///     median of the rounds' log ratios +- t(n - 1) s,
///
/// with t the quantile of Student's distribution at `level` and s the standard error of a median from the distance of
/// two order statistics, which one outlier on either side does not move. It assumes that log ratios are roughly
/// normal in the middle; its coverage under drift, outliers and two modes is tested by simulation. `level` >= 0.95.
///
/// Source: Robert M. Price and Douglas G. Bonett, "Estimating the variance of the sample median", Journal of
/// Statistical Computation and Simulation 68 (2001).
[[nodiscard]] Interval widened_ratio_of_medians(std::span<const double> numerators,
                                                std::span<const double> denominators, double level,
                                                std::uint64_t seed = 1);

/// Calls `each` for every resample of a bootstrap over rounds (2000 of them), with the medians of all series: whole
/// rounds are drawn with replacement, so entry i of all series, which have the same length, is drawn together.
void for_each_resample(std::span<const std::span<const double>> series, std::uint64_t seed,
                       const std::function<void(std::span<const double> medians)>& each);

/// The standard error of the median after Price and Bonett; infinite below 5 values, where it rests on nothing.
[[nodiscard]] double standard_error_of_median(std::span<const double> values);

/// The level at which each of `family` intervals must be built so that all of them cover together with the probability
/// `level`, however they depend on one another (Carlo E. Bonferroni, "Teoria statistica delle classi", 1936).
[[nodiscard]] double level_for_family(double level, int family);

/// By how much, as a fraction, two things may differ at the most, in either direction, when their ratio lies in
/// `ratio`: [0.99, 1.02] gives 0.02. Infinite where the interval is.
[[nodiscard]] double largest_difference(const Interval& ratio);

}  // namespace duet
