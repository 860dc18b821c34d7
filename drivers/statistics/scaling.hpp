#pragma once

/// What more workers bring. Who calls names the base of a speedup beside its figure: the serial variant, or one worker
/// of the same model.

#include <cstdint>
#include <span>

#include "drivers/statistics/interval.hpp"

namespace duet {

/// base seconds / seconds, round by round as in `ratio_of_medians`.
[[nodiscard]] Interval speedup(std::span<const double> base_seconds, std::span<const double> seconds,
                               double level = usual_level, std::uint64_t seed = 1);

/// speedup / workers. Throws std::invalid_argument for fewer than 1 worker.
[[nodiscard]] Interval efficiency(const Interval& speedup, int workers);

/// The serial fraction that a speedup over one worker shows by experiment:
///
///     e = (1 / speedup - 1 / p) / (1 - 1 / p)
///
/// A fraction that grows with p shows overhead and not serial work; below 0 the speedup is superlinear. e falls with
/// the speedup, so the ends of its interval are those of the speedup, exchanged: [0, infinity] gives one without ends.
/// Throws std::invalid_argument for fewer than 2 workers.
///
/// Source: Alan H. Karp and Horace P. Flatt, "Measuring parallel processor performance", Communications of the ACM
/// 33(5), 1990.
[[nodiscard]] Interval karp_flatt(const Interval& speedup, int workers);

}  // namespace duet
