#include "drivers/study/scaling.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <stdexcept>
#include <tuple>
#include <utility>

#include "drivers/statistics/medians.hpp"
#include "drivers/statistics/scaling.hpp"
#include "drivers/statistics/text.hpp"
#include "drivers/study/headline.hpp"
#include "drivers/study/summaries.hpp"
#include "drivers/study/verdict.hpp"

namespace duet {
namespace {

/// A curve and, parallel to its points, what was measured there.
struct Measured {
  ScalingCurve curve;
  std::vector<const CellSummary*> summaries;
};

std::string why_missing(const CellSummary& summary) {
  if (is_comparable(summary)) return {};
  if (summary.not_right > 0) return std::string{name_of(summary.worst)};
  return summary.set_aside > 0 ? "set aside" : "no time";
}

/// The summaries of one curve each, with one summary for each number of workers: the fastest, where splits or nodes
/// differ.
std::vector<Measured> curves_of(const std::vector<CellSummary>& summaries, Scaling scaling) {
  using Key = std::tuple<std::string, std::string, std::string, Model>;
  std::vector<Key> keys;
  std::vector<Measured> curves;
  for (const CellSummary& summary : summaries) {
    const Cell& cell = summary.cell;
    if (cell.model == Model::serial) continue;
    const Key key{cell.problem, group_of(cell).parameters, scaling == Scaling::strong ? cell.size : "", cell.model};
    const auto known = std::ranges::find(keys, key) - keys.begin();
    if (known == std::ssize(keys)) {
      keys.push_back(key);
      curves.emplace_back();
      curves.back().curve.problem = cell.problem;
      curves.back().curve.scaling = scaling;
      curves.back().curve.model = cell.model;
    }
    auto& of_curve = curves[static_cast<std::size_t>(known)].summaries;
    const auto same = std::ranges::find_if(
        of_curve, [&cell](const CellSummary* other) { return other->cell.workers() == cell.workers(); });
    if (same == of_curve.end()) {
      of_curve.push_back(&summary);
    } else if (is_comparable(summary) &&
               (!is_comparable(**same) || summary.seconds.estimate < (*same)->seconds.estimate)) {
      *same = &summary;
    }
  }
  for (Measured& measured : curves) {
    std::ranges::sort(measured.summaries, {}, [](const CellSummary* summary) { return summary->cell.workers(); });
  }
  std::ranges::stable_sort(curves, {}, [](const Measured& measured) { return measured.curve.model; });
  return curves;
}

/// y(base) / y(point), as scaling.hpp has it.
Interval efficiency_against(const CellSummary& base, const CellSummary& summary, std::uint64_t seed) {
  const CommonRounds rounds = common_rounds(base, summary);
  Interval interval = speedup(rounds.first, rounds.second, usual_level, seed_for(base, summary, seed));
  if (interval.n == 0) return interval;
  const double share = base.cell.workers() * summary.operations / (summary.cell.workers() * base.operations);
  interval.estimate *= share;
  interval.low *= share;
  interval.high *= share;
  return interval;
}

/// The serial cell that the curve is measured against: the fastest of its question, in a weak run of any size.
const CellSummary* serial_of(const Measured& measured, const std::vector<CellSummary>& summaries) {
  const Cell& cell = measured.summaries.front()->cell;
  const CellSummary* best = nullptr;
  for (const CellSummary& summary : summaries) {
    const bool same = summary.cell.model == Model::serial &&
                      group_of(summary.cell).parameters == group_of(cell).parameters &&
                      summary.cell.problem == cell.problem &&
                      (measured.curve.scaling == Scaling::weak || summary.cell.size == cell.size);
    if (!same || !is_comparable(summary) || !(summary.operations > 0)) continue;
    if (best == nullptr || summary.operations_per_second > best->operations_per_second) best = &summary;
  }
  return best;
}

/// Entry by entry the rounds that all of `summaries` have.
std::vector<ScalingSample> samples_of(const std::vector<const CellSummary*>& summaries) {
  std::vector<ScalingSample> samples;
  if (summaries.empty()) return samples;
  std::vector<int> common = summaries.front()->clean.rounds;
  for (const CellSummary* const summary : summaries) {
    std::erase_if(common, [&](int round) { return !std::ranges::binary_search(summary->clean.rounds, round); });
  }
  for (const CellSummary* const summary : summaries) {
    ScalingSample sample{summary->cell.workers(), summary->operations, {}};
    for (const int round : common) {
      const auto& [rounds, seconds] = summary->clean;
      sample.seconds.push_back(
          seconds[static_cast<std::size_t>(std::ranges::lower_bound(rounds, round) - rounds.begin())]);
    }
    samples.push_back(std::move(sample));
  }
  return samples;
}

bool has_ends(const Interval& interval) {
  return interval.n > 0 && std::isfinite(interval.low) && std::isfinite(interval.high);
}

/// `efficiency_of` gives a point's interval; that of the base itself is 1 by definition.
template <class Get>
EfficiencyLine line_of(const ScalingCurve& curve, double share, int base_workers, Get&& efficiency_of) {
  EfficiencyLine line{.share = share};
  bool above = true;
  for (const ScalingPoint& point : curve.points) {
    const Interval interval = efficiency_of(point);
    const bool is_base = point.cell.workers() == base_workers;
    above = above && !point.oversubscribed && (is_base || (interval.n > 0 && interval.low > share));
    if (above) line.above_up_to = point.cell.workers();
    if (!is_base && has_ends(interval) && interval.high < share && line.below_from == 0) {
      line.below_from = point.cell.workers();
    }
  }
  return line;
}

/// "up to 4 workers, below from 8 workers on". `efficiency_of` is what the line was drawn through.
template <class Get>
std::string line_text(const EfficiencyLine& line, const ScalingCurve& curve, Get&& efficiency_of) {
  const int most = curve.points.back().cell.workers();
  if (line.above_up_to == most) return fmt::format("up to {}, the most measured", counted(most, "worker"));
  const std::string below =
      line.below_from > 0 ? fmt::format("below from {} on", counted(line.below_from, "worker")) : "";
  const auto next = std::ranges::find_if(
      curve.points, [&](const ScalingPoint& point) { return point.cell.workers() > line.above_up_to; });
  const int next_workers = next->cell.workers();
  const std::string up_to =
      line.above_up_to == 0 ? "nowhere" : fmt::format("up to {}", counted(line.above_up_to, "worker"));
  if (line.below_from == next_workers) return up_to + ", " + below;
  const Interval interval = efficiency_of(*next);
  const std::string_view why = interval.n == 0       ? "no time that counts"
                               : !has_ends(interval) ? "too few rounds to tell"
                                                     : "an interval on both sides of it";
  return fmt::format("{} for sure; {} {} {}{}{}", up_to, counted(next_workers, "worker"),
                     next_workers == 1 ? "has" : "have", why, below.empty() ? "" : ", ", below);
}

std::string lines_sentence(const ScalingCurve& curve, std::size_t i) {
  const std::string own = line_text(curve.lines[i], curve, std::mem_fn(&ScalingPoint::efficiency));
  const std::string text = fmt::format("above {:.0f} %: {}", 100 * curve.lines[i].share, own);
  if (curve.serial_lines.empty()) return text;
  const std::string serial = line_text(curve.serial_lines[i], curve, std::mem_fn(&ScalingPoint::serial_efficiency));
  return text + "; of serial " + (serial == own ? "the same" : serial);
}

/// "2.3 % [1.9, 2.8]", or "below 0.4 %" where it may be 0 as well.
std::string parameter_text(const Interval& value) {
  constexpr double percent = 100;
  if (value.low <= 0) return fmt::format("below {:.2g} % (not told from 0)", percent * std::max(0.0, value.high));
  return fmt::format("{:.2g} % [{:.2g}, {:.2g}]", percent * value.estimate, percent * value.low, percent * value.high);
}

std::string fit_sentence(const ScalingFit& fit) {
  const std::string_view law = name_of(fit.law);
  if (!fit.refusal.empty()) return fmt::format("{} refused: {}", law, fit.refusal);
  std::string text;
  if (fit.law == ScalingLaw::usl) {
    text = fmt::format("{}: contention {}, coherency {}", law, parameter_text(fit.fraction),
                       parameter_text(fit.coherency));
    if (has_ends(fit.most_workers)) {
      text += fmt::format("; most throughput on {:.3g} workers [{:.3g}, {:.3g}]", fit.most_workers.estimate,
                          fit.most_workers.low, fit.most_workers.high);
    }
  } else {
    text = fmt::format("{}: serial fraction {}", law, parameter_text(fit.fraction));
    if (fit.law == ScalingLaw::amdahl && fit.fraction.low > 0) {
      text += fmt::format(", so never more than {:.3g}x [{:.3g}, {:.3g}] as fast as one worker",
                          1 / fit.fraction.estimate, 1 / fit.fraction.high, 1 / fit.fraction.low);
    }
  }
  constexpr double percent = 100;
  const HeldOut& held_out = fit.held_out;
  return text + fmt::format(
                    "; misses the medians by {} at most; without {} it predicts {} there, {:+.1f} % [{:+.1f}, {:+.1f}] "
                    "off the {} measured",
                    share_text(fit.misfit), counted(held_out.workers, "worker"),
                    seconds_text(held_out.predicted_seconds), percent * held_out.error.estimate,
                    percent * held_out.error.low, percent * held_out.error.high,
                    seconds_text(held_out.measured_seconds));
}

double largest_deviation(const ScalingCurve& curve) {
  double largest = 0;
  for (const ScalingPoint& point : curve.points) largest = std::max(largest, std::abs(point.work_deviation));
  return largest;
}

void book_fits(ScalingCurve& curve, const std::vector<const CellSummary*>& summaries, std::uint64_t seed) {
  std::vector<const CellSummary*> usable;
  for (std::size_t i = 0; i < summaries.size(); ++i) {
    const CellSummary& summary = *summaries[i];
    const bool has_rounds = is_comparable(summary) && summary.seconds.n >= fewest_values();
    if (has_rounds && summary.operations > 0 && !summary.oversubscribed) usable.push_back(&summary);
  }
  const std::vector<ScalingSample> samples = samples_of(usable);
  curve.rounds = samples.empty() ? 0 : static_cast<int>(samples.front().seconds.size());
  const bool weak = curve.scaling == Scaling::weak;
  for (const ScalingLaw law : {weak ? ScalingLaw::gustafson : ScalingLaw::amdahl, ScalingLaw::usl}) {
    curve.fits.push_back(fit_scaling(law, samples, seed));
    if (weak && largest_deviation(curve) > most_work_deviation) {
      curve.fits.back().refusal = work_sentence(curve);
    }
  }
}

void book_points(Measured& measured, const std::vector<CellSummary>& summaries, std::uint64_t seed) {
  ScalingCurve& curve = measured.curve;
  const CellSummary* base = nullptr;
  for (const CellSummary* const summary : measured.summaries) {
    if (base == nullptr && is_comparable(*summary) && summary->operations > 0) base = summary;
  }
  const CellSummary* const serial = serial_of(measured, summaries);
  curve.base_workers = base == nullptr ? 0 : base->cell.workers();
  curve.has_serial = serial != nullptr;
  for (const CellSummary* const summary : measured.summaries) {
    ScalingPoint point;
    point.cell = summary->cell;
    point.operations = summary->operations;
    point.oversubscribed = summary->oversubscribed;
    point.missing = why_missing(*summary);
    if (point.missing.empty()) point.seconds = summary->seconds;
    if (point.missing.empty() && summary->operations > 0) {
      point.work_deviation =
          summary->operations / summary->cell.workers() / (base->operations / curve.base_workers) - 1;
      if (summary != base) point.efficiency = efficiency_against(*base, *summary, seed);
      if (serial != nullptr) point.serial_efficiency = efficiency_against(*serial, *summary, seed);
    }
    curve.points.push_back(std::move(point));
  }
}

nlohmann::json number(double value) { return std::isfinite(value) ? nlohmann::json(value) : nlohmann::json(nullptr); }

nlohmann::json interval_json(const Interval& interval) {
  if (interval.n == 0) return nullptr;
  return {{"estimate", number(interval.estimate)},
          {"low", number(interval.low)},
          {"high", number(interval.high)},
          {"level", interval.level},
          {"n", interval.n}};
}

nlohmann::json point_json(const ScalingPoint& point) {
  return {{"cell", point.cell.id()},
          {"workers", point.cell.workers()},
          {"ranks", point.cell.ranks},
          {"threads", point.cell.threads},
          {"nodes", point.cell.nodes},
          {"size", point.cell.size},
          {"operations", point.operations},
          {"work_deviation", point.work_deviation},
          {"seconds", interval_json(point.seconds)},
          {"efficiency", interval_json(point.efficiency)},
          {"serial_efficiency", interval_json(point.serial_efficiency)},
          {"oversubscribed", point.oversubscribed},
          {"missing", point.missing}};
}

nlohmann::json lines_json(const std::vector<EfficiencyLine>& lines) {
  nlohmann::json json = nlohmann::json::array();
  for (const EfficiencyLine& line : lines) {
    json.push_back({{"share", line.share}, {"above_up_to", line.above_up_to}, {"below_from", line.below_from}});
  }
  return json;
}

/// The law as a line to draw: [workers, efficiency] between the fewest and the most workers.
nlohmann::json drawn(const ScalingCurve& curve, const ScalingFit& fit) {
  constexpr int steps = 64;
  const double first = curve.base_workers;
  const double ratio = curve.points.back().cell.workers() / first;
  nlohmann::json line = nlohmann::json::array();
  for (int i = 0; i <= steps; ++i) {
    const double workers = first * std::pow(ratio, static_cast<double>(i) / steps);
    line.push_back({workers, number(efficiency_on(curve, fit, workers))});
  }
  return line;
}

nlohmann::json fit_json(const ScalingCurve& curve, const ScalingFit& fit) {
  nlohmann::json json{{"law", name_of(fit.law)}, {"refusal", fit.refusal}};
  if (!fit.refusal.empty()) return json;
  json[fit.law == ScalingLaw::usl ? "contention" : "serial_fraction"] = interval_json(fit.fraction);
  if (fit.law == ScalingLaw::usl) {
    json["coherency"] = interval_json(fit.coherency);
    json["most_workers"] = interval_json(fit.most_workers);
  }
  json["seconds_per_operation"] = fit.seconds_a_unit;
  json["misfit"] = fit.misfit;
  json["held_out"] = {{"workers", fit.held_out.workers},
                      {"measured_seconds", fit.held_out.measured_seconds},
                      {"predicted_seconds", fit.held_out.predicted_seconds},
                      {"error", interval_json(fit.held_out.error)}};
  json["line"] = drawn(curve, fit);
  return json;
}

}  // namespace

std::string_view name_of(Scaling scaling) {
  switch (scaling) {
    case Scaling::none:
      return "none";
    case Scaling::strong:
      return "strong";
    case Scaling::weak:
      return "weak";
  }
  return "?";
}

Scaling scaling_of(const std::map<std::string, std::string>& options) {
  const auto found = options.find("scaling");
  if (found == options.end()) return Scaling::none;
  for (const Scaling scaling : {Scaling::none, Scaling::strong, Scaling::weak}) {
    if (found->second == name_of(scaling)) return scaling;
  }
  throw std::invalid_argument(fmt::format("option 'scaling': '{}' is none of none, strong, weak", found->second));
}

std::vector<ScalingCurve> scaling_curves(const std::vector<CellSummary>& summaries, Scaling scaling,
                                         std::uint64_t seed) {
  std::vector<ScalingCurve> curves;
  if (scaling == Scaling::none) return curves;
  for (Measured& measured : curves_of(summaries, scaling)) {
    book_points(measured, summaries, seed);
    ScalingCurve& curve = measured.curve;
    book_fits(curve, measured.summaries, seed);
    for (const double share : {0.75, 0.5}) {
      curve.lines.push_back(line_of(curve, share, curve.base_workers, std::mem_fn(&ScalingPoint::efficiency)));
      if (!curve.has_serial) continue;
      curve.serial_lines.push_back(line_of(curve, share, 0, std::mem_fn(&ScalingPoint::serial_efficiency)));
    }
    if (curve.base_workers == 0) {
      curve.sentences.emplace_back("nothing counts, so there is no efficiency");
    } else {
      for (std::size_t i = 0; i < curve.lines.size(); ++i) curve.sentences.push_back(lines_sentence(curve, i));
    }
    for (const ScalingFit& fit : curve.fits) curve.sentences.push_back(fit_sentence(fit));
    curves.push_back(std::move(curve));
  }
  return curves;
}

std::string title_of(const ScalingCurve& curve) {
  const ScalingPoint& first = curve.points.front();
  const std::string size = size_named(curve.problem, first.cell.size);
  if (curve.scaling == Scaling::strong) return fmt::format("Strong scaling of {} at {}", curve.problem, size);
  return fmt::format("Weak scaling of {} from {} {}", curve.problem, size, on_workers(first.cell.workers()));
}

std::string work_sentence(const ScalingCurve& curve) {
  if (curve.scaling != Scaling::weak) return {};
  const double largest = largest_deviation(curve);
  if (largest <= most_work_deviation) {
    return fmt::format("work a worker is constant within {}, and efficiency is corrected for that",
                       bound_text(largest));
  }
  return fmt::format("work a worker is not constant: it differs by up to {}, and {} is allowed", share_text(largest),
                     share_text(most_work_deviation));
}

double efficiency_on(const ScalingCurve& curve, const ScalingFit& fit, double workers) {
  const auto base = std::ranges::find(curve.points, curve.base_workers,
                                      [](const ScalingPoint& point) { return point.cell.workers(); });
  const double measured = curve.base_workers * base->seconds.estimate / base->operations;
  return measured / worker_seconds(fit, workers);
}

nlohmann::json scaling_json(const std::vector<ScalingCurve>& curves) {
  if (curves.empty()) return nullptr;
  nlohmann::json json = nlohmann::json::array();
  for (const ScalingCurve& curve : curves) {
    nlohmann::json points = nlohmann::json::array();
    for (const ScalingPoint& point : curve.points) points.push_back(point_json(point));
    nlohmann::json fits = nlohmann::json::array();
    for (const ScalingFit& fit : curve.fits) fits.push_back(fit_json(curve, fit));
    json.push_back({{"problem", curve.problem},
                    {"scaling", name_of(curve.scaling)},
                    {"model", name_of(curve.model)},
                    {"title", title_of(curve)},
                    {"work", work_sentence(curve)},
                    {"base_workers", curve.base_workers},
                    {"has_serial", curve.has_serial},
                    {"rounds", curve.rounds},
                    {"points", std::move(points)},
                    {"lines", lines_json(curve.lines)},
                    {"serial_lines", lines_json(curve.serial_lines)},
                    {"fits", std::move(fits)},
                    {"sentences", curve.sentences}});
  }
  return json;
}

std::set<std::string> scaling_in_need(const std::vector<ScalingCurve>& curves, const std::set<std::string>& among,
                                      double precision) {
  std::set<std::string> need;
  const auto want = [&](const ScalingPoint& point) {
    if (among.contains(point.cell.id())) need.insert(point.cell.id());
  };
  for (const ScalingCurve& curve : curves) {
    const auto base = std::ranges::find(curve.points, curve.base_workers,
                                        [](const ScalingPoint& point) { return point.cell.workers(); });
    for (const ScalingPoint& point : curve.points) {
      const bool known = point.cell.workers() == curve.base_workers || !among.contains(point.cell.id()) ||
                         (has_ends(point.efficiency) && point.efficiency.relative_half_width() <= precision);
      if (!known) want(point);
      if (!known && base != curve.points.end()) want(*base);
      // A fit rests on the rounds that all points have.
      if (curve.rounds < fewest_values() && point.seconds.n > 0) want(point);
    }
  }
  return need;
}

}  // namespace duet
