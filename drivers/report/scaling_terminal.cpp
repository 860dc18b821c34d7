#include "drivers/report/scaling_terminal.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>

#include "drivers/statistics/text.hpp"

namespace duet {
namespace {

/// "97 % [95, 99]"; with a decimal where the interval is narrower than two per cent.
std::string efficiency_text(const Interval& efficiency) {
  constexpr double percent = 100;
  if (efficiency.n == 0) return "-";
  if (!std::isfinite(efficiency.high)) return fmt::format("{:.0f} %", percent * efficiency.estimate);
  const int decimals = efficiency.high - efficiency.low < 0.02 ? 1 : 0;
  return fmt::format("{:.{}f} % [{:.{}f}, {:.{}f}]", percent * efficiency.estimate, decimals, percent * efficiency.low,
                     decimals, percent * efficiency.high, decimals);
}

/// Above 75 %, between the two lines, below 50 %.
std::string_view look_of(const Interval& efficiency) {
  if (efficiency.n == 0 || !std::isfinite(efficiency.high)) return {};
  if (efficiency.low > 0.75) return green;
  return efficiency.high < 0.5 ? red : efficiency.high < 0.75 ? yellow : std::string_view{};
}

std::string time_text(const ScalingPoint& point) {
  if (point.seconds.n == 0) return point.missing;
  constexpr double percent = 100;
  const double half = point.seconds.relative_half_width();
  const std::string width = std::isfinite(half) ? fmt::format(" {:.0f}%", percent * half) : "";
  return (point.oversubscribed ? "! " : "") + seconds_text(point.seconds.estimate) + width;
}

/// "16", and in a weak run the size that so many workers have.
std::string row_name(const ScalingCurve& curve, const ScalingPoint& point) {
  const std::string workers = std::to_string(point.cell.workers());
  return curve.scaling == Scaling::weak ? workers + ": " + point.cell.size : workers;
}

void print_curve(Writer& writer, const ScalingCurve& curve) {
  writer.blank();
  writer.paragraph("", std::string{name_of(curve.model)}, bold);
  const bool weak = curve.scaling == Scaling::weak;
  int first_width = weak ? 14 : 9;
  for (const ScalingPoint& point : curve.points) {
    first_width = std::max(first_width, static_cast<int>(row_name(curve, point).size()) + 1);
  }
  const int width = (writer.columns() - first_width) / 3;
  const std::string base = curve.base_workers == 0 ? "-" : "of " + counted(curve.base_workers, "worker") + " [95 %]";
  std::vector<Entry> head{{"time", dim}, {base, dim}};
  if (curve.has_serial) head.push_back({"of serial [95 %]", dim});
  writer.row(weak ? "workers: size" : "workers", first_width, head, width, dim);
  for (const ScalingPoint& point : curve.points) {
    const bool is_base = point.cell.workers() == curve.base_workers;
    std::vector<Entry> row{{time_text(point), point.seconds.n == 0 ? yellow : std::string_view{}},
                           {is_base ? "base" : efficiency_text(point.efficiency), look_of(point.efficiency)}};
    if (curve.has_serial) row.push_back({efficiency_text(point.serial_efficiency), look_of(point.serial_efficiency)});
    writer.row(row_name(curve, point), first_width, row, width);
  }
  for (const std::string& sentence : curve.sentences) writer.paragraph("  - ", sentence);
}

}  // namespace

void print_scaling(Writer& writer, const std::vector<ScalingCurve>& curves) {
  std::string title;
  for (const ScalingCurve& curve : curves) {
    if (title_of(curve) != title) {
      title = title_of(curve);
      writer.blank();
      writer.paragraph("", title + ": efficiency", bold);
      const std::string serial = curve.has_serial ? " and of the serial variant" : "";
      writer.paragraph("", fmt::format("Bases: the fewest workers of the same model{}. Intervals are of ratios over "
                                       "common rounds; the time has the half width of its own.",
                                       serial));
      if (const std::string work = work_sentence(curve); !work.empty()) writer.paragraph("", "Checked: " + work + ".");
    }
    print_curve(writer, curve);
  }
}

}  // namespace duet
