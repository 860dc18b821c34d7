#include "drivers/statistics/scaling.hpp"

#include <stdexcept>
#include <string>

#include "drivers/statistics/medians.hpp"

namespace duet {

Interval speedup(std::span<const double> base_seconds, std::span<const double> seconds, double level,
                 std::uint64_t seed) {
  return ratio_of_medians(base_seconds, seconds, level, seed);
}

Interval efficiency(const Interval& speedup, int workers) {
  if (workers < 1) throw std::invalid_argument("the efficiency of " + std::to_string(workers) + " workers");
  Interval result = speedup;
  result.estimate /= workers;
  result.low /= workers;
  result.high /= workers;
  return result;
}

Interval karp_flatt(const Interval& speedup, int workers) {
  if (workers < 2) {
    throw std::invalid_argument("the serial fraction needs 2 workers or more, not " + std::to_string(workers));
  }
  Interval result = speedup;
  if (speedup.n == 0) return result;
  const double share = 1.0 / workers;
  const auto fraction = [share](double value) { return (1 / value - share) / (1 - share); };
  result.estimate = fraction(speedup.estimate);
  result.low = fraction(speedup.high);
  result.high = fraction(speedup.low);
  return result;
}

}  // namespace duet
