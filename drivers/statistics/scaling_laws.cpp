#include "drivers/statistics/scaling_laws.hpp"

#include <fmt/format.h>

#include <Eigen/QR>
#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <optional>
#include <stdexcept>

#include "drivers/statistics/medians.hpp"
#include "drivers/statistics/text.hpp"

namespace duet {
namespace {

/// c, the fraction and the coherency.
struct Parameters {
  double unit = 0;
  double fraction = 0;
  double coherency = 0;
};

/// How many numbers a law leaves open, c among them.
int unknowns_of(ScalingLaw law) { return law == ScalingLaw::usl ? 3 : 2; }

double worker_seconds(ScalingLaw law, const Parameters& parameters, double p) {
  if (law == ScalingLaw::gustafson) return parameters.unit / (1 - parameters.fraction * (1 - 1 / p));
  return parameters.unit * (1 + parameters.fraction * (p - 1) + parameters.coherency * p * (p - 1));
}

/// One equation of the law: coefficients of the unknowns, for the left side `y`, divided by it.
std::array<double, 3> equation(ScalingLaw law, double p, double y) {
  // 1/y = d + e (1/p - 1) with d = 1/c and e = s/c, times y.
  if (law == ScalingLaw::gustafson) return {y, y * (1 / p - 1), 0};
  return {1 / y, (p - 1) / y, p * (p - 1) / y};
}

/// The law through `seconds`, one for each sample, of which the first `count` are used; nothing where they do not
/// determine it.
std::optional<Parameters> solve(ScalingLaw law, std::span<const ScalingSample> samples, std::span<const double> seconds,
                                std::size_t count) {
  const int unknowns = unknowns_of(law);
  Eigen::MatrixXd matrix(static_cast<Eigen::Index>(count), unknowns);
  for (std::size_t i = 0; i < count; ++i) {
    const double p = samples[i].workers;
    const auto row = equation(law, p, p * seconds[i] / samples[i].work);
    for (int column = 0; column < unknowns; ++column) {
      matrix(static_cast<Eigen::Index>(i), column) = row.at(static_cast<std::size_t>(column));
    }
  }
  // Columns of p (p - 1) and of 1 differ by the square of the workers: scaled, their rank says what they mean.
  const Eigen::RowVectorXd scale = matrix.colwise().norm();
  matrix.array().rowwise() /= scale.array();
  const Eigen::ColPivHouseholderQR<Eigen::MatrixXd> factors{matrix};
  if (factors.rank() < unknowns) return std::nullopt;
  const Eigen::VectorXd solution =
      factors.solve(Eigen::VectorXd::Ones(static_cast<Eigen::Index>(count))).array() / scale.transpose().array();
  if (!solution.allFinite() || !(solution[0] > 0)) return std::nullopt;
  Parameters parameters;
  parameters.unit = law == ScalingLaw::gustafson ? 1 / solution[0] : solution[0];
  parameters.fraction = solution[1] / solution[0];
  if (law == ScalingLaw::usl) parameters.coherency = solution[2] / solution[0];
  return parameters;
}

/// What intervals are wanted of, from one time for each sample.
struct Figures {
  double fraction = 0;
  double coherency = 0;
  double most_workers = infinity;
  double error = 0;  ///< of the prediction of the last sample
};

std::optional<Figures> figures_of(ScalingLaw law, std::span<const ScalingSample> samples,
                                  std::span<const double> seconds) {
  const auto all = solve(law, samples, seconds, samples.size());
  const auto without_last = solve(law, samples, seconds, samples.size() - 1);
  if (!all || !without_last) return std::nullopt;
  Figures figures{all->fraction, all->coherency, infinity, 0};
  // The USL's throughput p / (1 + s (p - 1) + k p (p - 1)) is largest where 1 - s = k p^2.
  if (all->coherency > 0) figures.most_workers = std::sqrt(std::max(0.0, 1 - all->fraction) / all->coherency);
  const ScalingSample& last = samples.back();
  const double predicted = worker_seconds(law, *without_last, last.workers) * last.work / last.workers;
  figures.error = predicted / seconds.back() - 1;
  return figures;
}

/// The wider, at each end, of the percentiles of `resampled` and the rank-based interval of `by_round`.
Interval interval_of(double estimate, std::vector<double> resampled, const std::vector<double>& by_round) {
  Interval interval = median_interval(by_round);
  interval.estimate = estimate;
  const auto outside = static_cast<std::ptrdiff_t>((1 - usual_level) / 2 * static_cast<double>(resampled.size()));
  std::ranges::sort(resampled);
  interval.low = std::min(interval.low, *(resampled.begin() + outside));
  interval.high = std::max(interval.high, *(resampled.end() - 1 - outside));
  return interval;
}

void check_samples(std::span<const ScalingSample> samples) {
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const ScalingSample& sample = samples[i];
    if (sample.workers < 1 || (i > 0 && sample.workers <= samples[i - 1].workers)) {
      throw std::invalid_argument(
          fmt::format("a scaling fit wants more workers in each sample, not {} in sample {}", sample.workers, i + 1));
    }
    if (sample.seconds.size() != samples[0].seconds.size()) {
      throw std::invalid_argument(fmt::format("a scaling fit wants the same rounds in each sample, not {} and {}",
                                              samples[0].seconds.size(), sample.seconds.size()));
    }
    const auto positive = [](double value) { return value > 0 && std::isfinite(value); };
    if (!positive(sample.work) || !std::ranges::all_of(sample.seconds, positive)) {
      throw std::invalid_argument(
          fmt::format("a scaling fit wants times and work above 0 on {} workers", sample.workers));
    }
  }
}

/// Why samples cannot identify the law, whatever their times; empty where they might.
std::string refusal_of(ScalingLaw law, std::span<const ScalingSample> samples) {
  const int needed = unknowns_of(law) + 1;
  const auto count = static_cast<int>(samples.size());
  if (count < needed) {
    return fmt::format("{} worker counts with enough rounds are needed, one of them to hold out, and there {} {}",
                       needed, count == 1 ? "is" : "are", count);
  }
  if (samples.front().workers != 1) {
    return fmt::format("one worker was not measured, only {} and more", samples.front().workers);
  }
  const auto rounds = static_cast<int>(samples.front().seconds.size());
  if (rounds < fewest_values()) {
    return fmt::format("{} rounds that have all of its worker counts are needed, and there {} {}", fewest_values(),
                       rounds == 1 ? "is" : "are", rounds);
  }
  return {};
}

std::string range_text(const Interval& interval) {
  return fmt::format("[{}, {}]", share_text(interval.low), share_text(interval.high));
}

/// Why the parameter `name` is not identified, or contradicts the law; empty where it is and does not. `halves` is the
/// value at which it halves the efficiency on the most workers by itself.
std::string refusal_of(std::string_view name, const Interval& value, double halves, int most_workers) {
  if (value.high < 0) {
    return fmt::format("{} would be {}, below 0, which the law does not describe", name, range_text(value));
  }
  if (value.low <= 0 && value.high >= halves) {
    return fmt::format("{} may as well be 0 as {}, which alone halves the efficiency on {} workers", name,
                       share_text(value.high), most_workers);
  }
  if (value.low > 1)
    return fmt::format("{} would be {}, above 100 %: more workers take longer", name, range_text(value));
  return {};
}

/// Entry `round` of each sample.
std::vector<double> seconds_in(std::span<const ScalingSample> samples, std::size_t round) {
  std::vector<double> seconds;
  for (const ScalingSample& sample : samples) seconds.push_back(sample.seconds[round]);
  return seconds;
}

/// Collects figures, a series each.
struct Series {
  std::vector<double> fraction;
  std::vector<double> coherency;
  std::vector<double> most_workers;
  std::vector<double> error;

  void add(const Figures& figures) {
    fraction.push_back(figures.fraction);
    coherency.push_back(figures.coherency);
    most_workers.push_back(figures.most_workers);
    error.push_back(figures.error);
  }
};

}  // namespace

std::string_view name_of(ScalingLaw law) {
  switch (law) {
    case ScalingLaw::amdahl:
      return "Amdahl";
    case ScalingLaw::gustafson:
      return "Gustafson";
    case ScalingLaw::usl:
      return "USL";
  }
  return "?";
}

double worker_seconds(const ScalingFit& fit, double workers) {
  return worker_seconds(fit.law, {fit.seconds_a_unit, fit.fraction.estimate, fit.coherency.estimate}, workers);
}

ScalingFit fit_scaling(ScalingLaw law, std::span<const ScalingSample> samples, std::uint64_t seed) {
  check_samples(samples);
  ScalingFit fit;
  fit.law = law;
  fit.refusal = refusal_of(law, samples);
  if (!fit.refusal.empty()) return fit;

  std::vector<std::span<const double>> by_sample;
  std::vector<double> medians;
  for (const ScalingSample& sample : samples) {
    by_sample.emplace_back(sample.seconds);
    medians.push_back(median(sample.seconds));
  }
  constexpr const char* not_told_apart = "the worker counts do not tell its parameters apart";
  const auto estimate = figures_of(law, samples, medians);
  if (!estimate) {
    fit.refusal = not_told_apart;
    return fit;
  }
  Series resampled;
  for_each_resample(by_sample, seed, [&](std::span<const double> of_resample) {
    if (const auto figures = figures_of(law, samples, of_resample)) resampled.add(*figures);
  });
  Series by_round;
  const std::size_t rounds = samples.front().seconds.size();
  for (std::size_t round = 0; round < rounds; ++round) {
    if (const auto figures = figures_of(law, samples, seconds_in(samples, round))) by_round.add(*figures);
  }
  if (by_round.fraction.size() < rounds || resampled.fraction.empty()) {
    fit.refusal = not_told_apart;
    return fit;
  }

  const Parameters parameters = *solve(law, samples, medians, samples.size());
  fit.seconds_a_unit = parameters.unit;
  fit.fraction = interval_of(estimate->fraction, resampled.fraction, by_round.fraction);
  fit.coherency.n = 0;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const double measured = samples[i].workers * medians[i] / samples[i].work;
    fit.misfit = std::max(fit.misfit, std::abs(worker_seconds(law, parameters, samples[i].workers) / measured - 1));
  }
  fit.held_out.workers = samples.back().workers;
  fit.held_out.measured_seconds = medians.back();
  fit.held_out.predicted_seconds = medians.back() * (1 + estimate->error);
  fit.held_out.error = interval_of(estimate->error, resampled.error, by_round.error);

  const int most = samples.back().workers;
  const double p = most;
  const std::string_view fraction = law == ScalingLaw::usl ? "contention" : "the serial fraction";
  fit.refusal =
      refusal_of(fraction, fit.fraction, law == ScalingLaw::gustafson ? 0.5 / (1 - 1 / p) : 1 / (p - 1), most);
  if (law != ScalingLaw::usl) return fit;
  fit.coherency = interval_of(estimate->coherency, resampled.coherency, by_round.coherency);
  if (fit.refusal.empty()) fit.refusal = refusal_of("coherency", fit.coherency, 1 / (p * (p - 1)), most);
  if (fit.coherency.low > 0) {
    fit.most_workers = interval_of(estimate->most_workers, resampled.most_workers, by_round.most_workers);
  }
  return fit;
}

}  // namespace duet
