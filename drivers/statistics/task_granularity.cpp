#include "drivers/statistics/task_granularity.hpp"

#include <algorithm>
#include <cmath>

namespace duet {

double minimum_effective_granularity(std::vector<Granularity> curve, double efficiency) {
  std::ranges::sort(curve, {}, &Granularity::task_seconds);
  const auto reached =
      std::ranges::find_if(curve, [&](const Granularity& point) { return point.efficiency >= efficiency; });
  if (reached == curve.end()) return infinity;
  if (reached == curve.begin()) return reached->task_seconds;
  const Granularity& below = *std::prev(reached);
  const double part = (efficiency - below.efficiency) / (reached->efficiency - below.efficiency);
  return below.task_seconds * std::pow(reached->task_seconds / below.task_seconds, part);
}

}  // namespace duet
