#pragma once

/// The laws by which people extrapolate scaling, fitted to medians over rounds, with intervals; and refused where the
/// measurements do not identify them.
///
/// All three speak of y(p) = p T(p) / W(p), the workers' seconds for a unit of work W when p of them take the time T.
/// Efficiency is y(base) / y(p), for a fixed problem (strong scaling: W is constant) and for one that grows with the
/// workers (weak scaling: W / p is) alike. Where instances are whole numbers and W / p only nearly constant, dividing
/// by the work that was really there corrects for it.
///
///     Amdahl       y = c (1 + s (p - 1))                         s: serial fraction of one worker's time
///     Gustafson    1 / y = (1 - s (1 - 1/p)) / c                 s: serial fraction of the p workers' time
///     USL          y = c (1 + contention (p - 1) + coherency p (p - 1))
///
/// c is free: one worker's time is measured as inexactly as the others. Each law is linear in its parameters times c,
/// so linear least squares solve it; each equation is divided by its measured left side, because times scatter by a
/// share of themselves. Intervals are, as those of ratios (medians.hpp), the wider at each end of the percentile
/// bootstrap over whole rounds and the rank-based interval of the median of the rounds' own fits. They hold what rounds
/// differ by, and not that a law may be wrong: for that there are `misfit` and the point that is held out.
///
/// Sources: Gene M. Amdahl, "Validity of the single processor approach to achieving large scale computing
/// capabilities", AFIPS 1967; John L. Gustafson, "Reevaluating Amdahl's law", Communications of the ACM 31(5), 1988;
/// Neil J. Gunther, "Guerrilla Capacity Planning", 2007, chapter 4 (contention is his sigma or alpha, coherency his
/// kappa or beta).

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "drivers/statistics/interval.hpp"

namespace duet {

enum class ScalingLaw { amdahl, gustafson, usl };

/// "Amdahl", "Gustafson", "USL".
[[nodiscard]] std::string_view name_of(ScalingLaw law);

/// What was measured on so many workers. Entry i of `seconds` is the same round in all samples of a fit.
struct ScalingSample {
  int workers = 1;
  double work = 1;  ///< in any unit
  std::vector<double> seconds{};
};

/// A fit to all samples but the one with the most workers, and how well it predicts that one.
struct HeldOut {
  int workers = 0;
  double measured_seconds = 0;
  double predicted_seconds = 0;
  Interval error{};  ///< predicted / measured - 1
};

struct ScalingFit {
  ScalingLaw law = ScalingLaw::amdahl;
  /// Why the measurements do not identify the law, in one line; empty where they do. Where it is not empty, the rest is
  /// only as far as it could be computed.
  std::string refusal{};
  /// Amdahl and Gustafson: the serial fraction. USL: contention. An interval that reaches down to 0 or below says that
  /// it is only known to be below its upper end.
  Interval fraction{};
  Interval coherency{};       ///< USL alone
  Interval most_workers{};    ///< USL alone: where throughput is largest; n = 0 unless coherency is surely above 0
  double seconds_a_unit = 0;  ///< c
  double misfit = 0;          ///< the largest distance of the law from a measured median, as a share of that
  HeldOut held_out{};
};

/// y(p), in seconds a unit of work.
[[nodiscard]] double worker_seconds(const ScalingFit& fit, double workers);

/// Fits `law` to samples of different numbers of workers, fewest first. Refused are, with the figure,
///
/// - too few worker counts: Amdahl and Gustafson need 3, the USL 4, with one worker among them, so that without the
/// last
///   there are still as many equations as unknowns;
/// - fewer than `fewest_values()` rounds that have every worker count;
/// - worker counts that do not tell the parameters apart;
/// - a parameter that may as well be nothing as halve the efficiency on the most workers;
/// - a parameter that is surely below 0, or a serial fraction surely above 1: the law does not describe such times.
///
/// The same samples and `seed` give the same fit. Throws std::invalid_argument where samples have different numbers of
/// rounds or values that are not positive, or are out of order. Cost: about 3 us for each of 2000 resamples.
[[nodiscard]] ScalingFit fit_scaling(ScalingLaw law, std::span<const ScalingSample> samples, std::uint64_t seed = 1);

}  // namespace duet
