#include "drivers/statistics/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace duet {
namespace {

/// Decimals that leave three digits of a value from 0.1 up.
int decimals_of(double value) {
  // The limits are those of rounding: 9.995 is written with one decimal, as 10.0.
  const double size = std::abs(value);
  return size < 9.995 ? 2 : size < 99.95 ? 1 : 0;
}

std::string three_digits(double value) { return fmt::format("{:.{}f}", value, decimals_of(value)); }

struct Scale {
  double factor;
  std::string_view unit;
};

/// The largest unit of which `value` is at least one after rounding to three digits.
template <std::size_t count>
const Scale& scale_for(const std::array<Scale, count>& largest_first, double value) {
  const auto found = std::ranges::find_if(
      largest_first, [value](const Scale& scale) { return std::abs(value) >= 0.9995 * scale.factor; });
  return found == largest_first.end() ? largest_first.back() : *found;
}

constexpr std::array<Scale, 4> time_scales{{{1, "s"}, {1e-3, "ms"}, {1e-6, "us"}, {1e-9, "ns"}}};

bool has_ends(const Interval& interval) {
  return interval.n > 0 && std::isfinite(interval.low) && std::isfinite(interval.high);
}

}  // namespace

std::string seconds_text(double seconds) {
  if (!std::isfinite(seconds)) return "-";
  if (seconds == 0) return "0 s";
  if (seconds < 99.95) {
    const Scale& scale = scale_for(time_scales, seconds);
    return fmt::format("{} {}", three_digits(seconds / scale.factor), scale.unit);
  }
  const auto whole = std::llround(seconds);
  if (whole < 3600) return fmt::format("{} min {} s", whole / 60, whole % 60);
  const auto minutes = std::llround(seconds / 60);
  return fmt::format("{} h {} min", minutes / 60, minutes % 60);
}

std::string seconds_text(const Interval& seconds) {
  if (seconds.n == 0) return "-";
  if (!has_ends(seconds)) return seconds_text(seconds.estimate);
  if (seconds.estimate >= 99.95) {
    return fmt::format("{} [{}, {}]", seconds_text(seconds.estimate), seconds_text(seconds.low),
                       seconds_text(seconds.high));
  }
  const Scale& scale = scale_for(time_scales, seconds.estimate);
  const int decimals = decimals_of(seconds.estimate / scale.factor);
  return fmt::format("{:.{}f} {} [{:.{}f}, {:.{}f}]", seconds.estimate / scale.factor, decimals, scale.unit,
                     seconds.low / scale.factor, decimals, seconds.high / scale.factor, decimals);
}

std::string bytes_text(double bytes) {
  static constexpr std::array<Scale, 5> scales{
      {{0x1p40, "TiB"}, {0x1p30, "GiB"}, {0x1p20, "MiB"}, {0x1p10, "KiB"}, {1, "B"}}};
  if (!std::isfinite(bytes)) return "-";
  const Scale& scale = scale_for(scales, bytes);
  if (scale.factor == 1) return fmt::format("{:.0f} B", bytes);
  return fmt::format("{} {}", three_digits(bytes / scale.factor), scale.unit);
}

std::string rate_text(double per_second, std::string_view unit) {
  static constexpr std::array<Scale, 5> scales{{{1e12, "T"}, {1e9, "G"}, {1e6, "M"}, {1e3, "k"}, {1, ""}}};
  if (!std::isfinite(per_second)) return "-";
  const Scale& scale = scale_for(scales, per_second);
  const std::string figure = three_digits(per_second / scale.factor);
  if (unit.find(' ') == std::string_view::npos) return fmt::format("{} {}{}/s", figure, scale.unit, unit);
  return fmt::format("{} {}{}{}s/s", figure, scale.unit, scale.unit.empty() ? "" : " ", unit);
}

std::string factor_text(double factor) {
  if (!std::isfinite(factor)) return "-";
  return three_digits(factor) + "x";
}

std::string factor_text(const Interval& factor) {
  if (factor.n == 0) return "-";
  if (!has_ends(factor)) return factor_text(factor.estimate);
  const int decimals = factor.high - factor.low < 0.02 ? 3 : decimals_of(factor.estimate);
  return fmt::format("{:.{}f}x [{:.{}f}, {:.{}f}]", factor.estimate, decimals, factor.low, decimals, factor.high,
                     decimals);
}

std::string share_text(double share) {
  if (!std::isfinite(share)) return "-";
  const double percent = 100 * share;
  if (percent == 0) return "0 %";
  return fmt::format("{:.{}f} %", percent, std::abs(percent) < 9.95 ? 1 : 0);
}

std::string bound_text(double share) {
  if (!std::isfinite(share)) return "-";
  // A hair is taken off first, so that 0.02 is 2 % although 100 x 0.02 is a little more than 2.
  const double percent = 100 * share * (1 - 1e-12);
  if (percent >= 1) return fmt::format("{:.0f} %", std::ceil(percent));
  return fmt::format("{:.1f} %", std::max(0.1, std::ceil(10 * percent) / 10));
}

std::string counted(long long count, std::string_view thing) {
  return fmt::format("{} {}{}", count, thing, count == 1 ? "" : "s");
}

}  // namespace duet
