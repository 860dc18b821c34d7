#include "drivers/statistics/medians.hpp"

#include <algorithm>
#include <array>
#include <boost/math/distributions/binomial.hpp>
#include <boost/math/distributions/normal.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <limits>
#include <numeric>
#include <stdexcept>
#include <string>
#include <vector>

#include "kernels/core/random.hpp"

namespace duet {
namespace {

/// Ends of a percentile interval move by a few per cent of its width between two seeds at this number of resamples.
constexpr int resamples = 2000;

/// A series whose resamples have their medians computed without sorting again.
class Resampled {
 public:
  explicit Resampled(std::span<const double> values) : values_(values), by_size_(values.size()) {
    std::iota(by_size_.begin(), by_size_.end(), std::size_t{0});
    std::ranges::sort(by_size_, {}, [values](std::size_t i) { return values[i]; });
  }

  /// The median of the resample that holds values[i] `times[i]` times, as many in all as there are values.
  [[nodiscard]] double median(std::span<const int> times) const {
    const auto n = static_cast<int>(values_.size());
    std::size_t at = 0;
    int seen = times[by_size_[0]];
    while (seen <= (n - 1) / 2) seen += times[by_size_[++at]];
    const double lower = values_[by_size_[at]];
    while (seen <= n / 2) seen += times[by_size_[++at]];
    return 0.5 * (lower + values_[by_size_[at]]);
  }

 private:
  std::span<const double> values_;
  std::vector<std::size_t> by_size_;  ///< indices of values_, the smallest value first
};

/// What the ratio of two series can be computed from; false leaves n = 0 in the answer.
bool comparable(std::span<const double> numerators, std::span<const double> denominators) {
  if (numerators.size() != denominators.size()) {
    throw std::invalid_argument("a ratio over rounds needs as many numerators as denominators, not " +
                                std::to_string(numerators.size()) + " and " + std::to_string(denominators.size()));
  }
  const auto positive = [](double value) { return value > 0 && std::isfinite(value); };
  return !numerators.empty() && std::ranges::all_of(numerators, positive) &&
         std::ranges::all_of(denominators, positive);
}

std::vector<double> log_ratios(std::span<const double> numerators, std::span<const double> denominators) {
  std::vector<double> logs(numerators.size());
  for (std::size_t i = 0; i < logs.size(); ++i) logs[i] = std::log(numerators[i] / denominators[i]);
  return logs;
}

}  // namespace

double median(std::span<const double> values) {
  if (values.empty()) throw std::invalid_argument("the median of no values");
  if (std::ranges::any_of(values, [](double value) { return std::isnan(value); })) {
    throw std::invalid_argument("the median of values that are not all numbers");
  }
  std::vector<double> copy(values.begin(), values.end());
  const auto middle = copy.begin() + static_cast<std::ptrdiff_t>(copy.size() / 2);
  std::nth_element(copy.begin(), middle, copy.end());
  if (copy.size() % 2 == 1) return *middle;
  return 0.5 * (*std::max_element(copy.begin(), middle) + *middle);
}

int rank_of_interval(int n, double level) {
  if (n < 1) return 0;
  // The interval [x(j), x(n + 1 - j)] misses the median when fewer than j of n values fall on one side of it:
  // P = 2 P(Binomial(n, 1/2) <= j - 1).
  const boost::math::binomial_distribution<> below_median{static_cast<double>(n), 0.5};
  int rank = 0;
  while (2 * (rank + 1) <= n && 2 * boost::math::cdf(below_median, rank) <= 1 - level) ++rank;
  return rank;
}

int fewest_values(double level) {
  int n = 1;
  while (rank_of_interval(n, level) == 0) ++n;
  return n;
}

Interval median_interval(std::span<const double> values, double level) {
  Interval interval{.level = level, .n = static_cast<int>(values.size())};
  if (values.empty()) return interval;
  interval.estimate = median(values);
  const int rank = rank_of_interval(interval.n, level);
  if (rank == 0) {
    interval.low = -infinity;
    interval.high = infinity;
    return interval;
  }
  std::vector<double> sorted(values.begin(), values.end());
  std::ranges::sort(sorted);
  interval.low = sorted[static_cast<std::size_t>(rank - 1)];
  interval.high = sorted[sorted.size() - static_cast<std::size_t>(rank)];
  return interval;
}

void for_each_resample(std::span<const std::span<const double>> series, std::uint64_t seed,
                       const std::function<void(std::span<const double> medians)>& each) {
  if (series.empty() || series.front().empty()) return;
  const std::vector<Resampled> resampled{series.begin(), series.end()};
  const std::size_t n = series.front().size();
  std::vector<int> times(n);
  std::vector<double> medians(series.size());
  for (std::size_t sample = 0; sample < resamples; ++sample) {
    std::ranges::fill(times, 0);
    for (std::size_t i = 0; i < n; ++i) {
      // A round at random, by the high bits: floor(u n) for u in [0, 1) with 32 bits.
      ++times[(random_bits(seed, 0, sample, i) >> 32U) * n >> 32U];
    }
    for (std::size_t i = 0; i < series.size(); ++i) medians[i] = resampled[i].median(times);
    each(medians);
  }
}

Interval bootstrap_ratio_of_medians(std::span<const double> numerators, std::span<const double> denominators,
                                    double level, std::uint64_t seed) {
  Interval interval{.level = level};
  if (!comparable(numerators, denominators)) return interval;
  interval.n = static_cast<int>(numerators.size());
  interval.estimate = median(numerators) / median(denominators);

  std::vector<double> ratios;
  ratios.reserve(resamples);
  const std::array<std::span<const double>, 2> both{numerators, denominators};
  for_each_resample(both, seed,
                    [&ratios](std::span<const double> medians) { ratios.push_back(medians[0] / medians[1]); });
  const auto outside = static_cast<std::ptrdiff_t>((1 - level) / 2 * resamples);
  std::nth_element(ratios.begin(), ratios.begin() + outside, ratios.end());
  interval.low = ratios[static_cast<std::size_t>(outside)];
  std::nth_element(ratios.begin(), ratios.end() - 1 - outside, ratios.end());
  interval.high = *(ratios.end() - 1 - outside);
  return interval;
}

Interval ratio_of_medians(std::span<const double> numerators, std::span<const double> denominators, double level,
                          std::uint64_t seed) {
  Interval interval = bootstrap_ratio_of_medians(numerators, denominators, level, seed);
  if (interval.n == 0) return interval;
  const Interval of_rounds = median_interval(log_ratios(numerators, denominators), level);
  interval.low = std::min(interval.low, std::exp(of_rounds.low));
  interval.high = std::max(interval.high, std::exp(of_rounds.high));
  return interval;
}

double standard_error_of_median(std::span<const double> values) {
  const auto n = static_cast<double>(values.size());
  if (values.size() < 5) return infinity;
  std::vector<double> sorted(values.begin(), values.end());
  std::ranges::sort(sorted);
  // The distance of x(c) and x(n + 1 - c) is what a normal median would spread by 2 z standard errors.
  const double c = std::max(1.0, std::round((n + 1) / 2 - std::sqrt(n)));
  const double outside = boost::math::cdf(boost::math::binomial_distribution<>{n, 0.5}, c - 1);
  const double z = boost::math::quantile(boost::math::complement(boost::math::normal{}, outside));
  const auto rank = static_cast<std::size_t>(c);
  return (sorted[sorted.size() - rank] - sorted[rank - 1]) / (2 * z);
}

Interval widened_ratio_of_medians(std::span<const double> numerators, std::span<const double> denominators,
                                  double level, std::uint64_t seed) {
  if (!(level >= usual_level && level < 1)) {
    throw std::invalid_argument("level " + std::to_string(level) + " is not in [0.95, 1)");
  }
  Interval interval = ratio_of_medians(numerators, denominators, usual_level, seed);
  interval.level = level;
  if (interval.n < fewest_values(usual_level)) return interval;
  const std::vector<double> logs = log_ratios(numerators, denominators);
  const double t = boost::math::quantile(
      boost::math::complement(boost::math::students_t{static_cast<double>(logs.size() - 1)}, (1 - level) / 2));
  const double reach = t * standard_error_of_median(logs);
  const double middle = median(logs);
  interval.low = std::min(interval.low, std::exp(middle - reach));
  interval.high = std::max(interval.high, std::exp(middle + reach));
  return interval;
}

double level_for_family(double level, int family) {
  if (family < 1) throw std::invalid_argument("a family of " + std::to_string(family) + " comparisons");
  return 1 - (1 - level) / family;
}

double largest_difference(const Interval& ratio) {
  if (ratio.low <= 0) return infinity;
  return std::max(ratio.high, 1 / ratio.low) - 1;
}

}  // namespace duet
