#include "drivers/study/weak_sizes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <stdexcept>

#include "drivers/statistics/text.hpp"
#include "drivers/study/scaling.hpp"

namespace duet {
namespace {

/// An instance whose extents are `factor` times those of `one`, to the nearest multiple of `grain`.
Instance grown(const Instance& one, double factor, std::int64_t grain) {
  Instance instance = one;
  for (std::int64_t& extent : instance.extents) {
    if (extent == 0) continue;
    extent = grain *
             std::max<std::int64_t>(1, std::llround(static_cast<double>(extent) * factor / static_cast<double>(grain)));
  }
  return instance;
}

/// The factor at which the work first reaches `operations`; work grows with the factor, at most one whole size at a
/// time.
double factor_for(const Problem& problem, const Instance& one, double operations, double most) {
  double low = 1;
  double high = most;
  constexpr double close_enough = 1e-9;
  while (high / low > 1 + close_enough) {
    const double middle = std::sqrt(low * high);
    (problem.work(grown(one, middle, 1)).operations < operations ? low : high) = middle;
  }
  return std::sqrt(low * high);
}

Instance size_for(const Problem& problem, const Instance& one, int workers) {
  if (workers == 1) return one;
  const double operations = problem.work(one).operations * workers;
  const auto deviation = [&](const Instance& instance) {
    return std::abs(problem.work(instance).operations / operations - 1);
  };
  const auto largest = static_cast<double>(std::ranges::max(one.extents));
  // Work grows at least as fast as the extents, but for the luck of random inputs.
  const double most = std::min(2.0 * workers, static_cast<double>(problem.largest_extent) / largest);
  const std::string size = one.size_text();
  if (problem.work(grown(one, most, 1)).operations < operations) {
    throw std::invalid_argument(fmt::format(
        "--size {}: on {} workers it would have to grow beyond {}, the largest that {} takes; a smaller size "
        "has room",
        size, workers, problem.largest_extent, problem.name));
  }
  const double factor = factor_for(problem, one, operations, most);
  constexpr double for_a_round_size = 0.02;
  for (std::int64_t grain = static_cast<std::int64_t>(std::bit_floor(static_cast<std::uint64_t>(largest * factor)));
       grain > 1; grain /= 2) {
    Instance round = grown(one, factor, grain);
    if (std::ranges::max(round.extents) <= problem.largest_extent && deviation(round) <= for_a_round_size) return round;
  }
  // The factor lies where the nearest size changes: one of its two neighbours is the nearest.
  constexpr double beside = 1e-6;
  Instance below = grown(one, factor * (1 - beside), 1);
  Instance above = grown(one, factor * (1 + beside), 1);
  Instance nearest = deviation(below) <= deviation(above) ? below : above;
  if (deviation(nearest) > most_work_deviation) {
    throw std::invalid_argument(fmt::format(
        "--size {}: {} cannot grow evenly from it, since on {} workers the nearest size, {}, is {} off in work a "
        "worker, and {} is allowed; a larger size comes nearer",
        size, problem.name, workers, nearest.size_text(), share_text(deviation(nearest)),
        share_text(most_work_deviation)));
  }
  return nearest;
}

}  // namespace

std::vector<std::string> weak_sizes(const Problem& problem, const std::string& size, const std::vector<int>& workers,
                                    std::uint64_t seed, const std::map<std::string, std::string>& parameters) {
  const Instance one = problem.pose(size, seed, parameters);
  if (!(problem.work(one).operations > 0)) {
    throw std::invalid_argument(fmt::format(
        "--size {}: {} has nothing to do at this size, so it cannot grow with the workers", size, problem.name));
  }
  std::vector<std::string> sizes;
  for (const int count : workers) sizes.push_back(size_for(problem, one, count).size_text());
  return sizes;
}

}  // namespace duet
