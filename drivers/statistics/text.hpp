#pragma once

/// How figures are written, in one place, so that terminal, page and verdict say the same.

#include <string>
#include <string_view>

#include "drivers/statistics/interval.hpp"

namespace duet {

/// Three digits and a unit: "1.23 ms", "45.6 us", "7.00 s"; from 100 s on "2 min 5 s" and "1 h 23 min". "-" for what
/// is not a number.
[[nodiscard]] std::string seconds_text(double seconds);

/// "1.23 ms [1.20, 1.31]", all three in the unit of the first; "1.23 ms" alone where the interval has no ends, "-"
/// where nothing is known.
[[nodiscard]] std::string seconds_text(const Interval& seconds);

/// "512 B", "1.50 KiB", "24.0 GiB".
[[nodiscard]] std::string bytes_text(double bytes);

/// "123 Gflop/s"; units of several words get a space and a plural: "1.23 M doubling steps/s".
[[nodiscard]] std::string rate_text(double per_second, std::string_view unit);

/// "1.34x", "13.4x", "134x".
[[nodiscard]] std::string factor_text(double factor);

/// "1.34x [1.29, 1.40]"; a third decimal where the interval is narrower than 0.02. "1.34x" alone where the interval has
/// no ends, "-" where nothing is known.
[[nodiscard]] std::string factor_text(const Interval& factor);

/// A share as a percentage: "0.4 %", "2.5 %", "18 %".
[[nodiscard]] std::string share_text(double share);

/// An upper bound as a percentage, rounded up: 0.0151 is "2 %", 0.0032 is "0.4 %".
[[nodiscard]] std::string bound_text(double share);

/// "1 worker", "2 workers".
[[nodiscard]] std::string counted(long long count, std::string_view thing);

}  // namespace duet
