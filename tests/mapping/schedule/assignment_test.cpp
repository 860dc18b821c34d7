#include "kernels/mapping/schedule/assignment.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <stdexcept>
#include <vector>

#include "kernels/core/random.hpp"

namespace duet {
namespace {

/// The least that the dearest worker can have, by trying every assignment of the items from `next` on.
double best_makespan(const std::vector<double>& costs, std::vector<double>& loads, std::size_t next, double best) {
  if (next == costs.size()) return std::min(best, std::ranges::max(loads));
  for (std::size_t worker = 0; worker < loads.size(); ++worker) {
    // Workers without anything are alike.
    if (worker > 0 && loads[worker] == 0 && loads[worker - 1] == 0) break;
    loads[worker] += costs[next];
    if (loads[worker] < best) best = best_makespan(costs, loads, next + 1, best);
    loads[worker] -= costs[next];
  }
  return best;
}

double best_makespan(const std::vector<double>& costs, int workers) {
  std::vector<double> loads(static_cast<std::size_t>(workers));
  return best_makespan(costs, loads, 0, std::numeric_limits<double>::infinity());
}

double assigned_makespan(const std::vector<double>& costs, int workers) {
  return makespan(costs, assigned_longest_first(costs, workers), workers);
}

TEST(AssignedLongestFirst, IsWithinGrahamsBoundOfTheBest) {
  for (int workers = 1; workers <= 4; ++workers) {
    const double bound = 4.0 / 3 - 1.0 / (3 * workers);
    for (std::int64_t sample = 0; sample < 60; ++sample) {
      std::vector<double> costs;
      for (std::int64_t i = 0; i < 9; ++i) {
        // Whole numbers, so that sums are exact; every third sample is skewed.
        const double drawn = 1 + std::floor(20 * std::abs(random_entry(5, 0, sample, i)));
        costs.push_back(sample % 3 == 0 ? drawn * drawn * drawn : drawn);
      }
      EXPECT_LE(assigned_makespan(costs, workers), bound * best_makespan(costs, workers) * (1 + 1e-12));
    }
  }
}

TEST(AssignedLongestFirst, ReachesGrahamsBoundWhereHeDid) {
  // 2p - 1, 2p - 1, 2p - 2, 2p - 2, ..., p + 1, p + 1, p, p, p on p workers: 4p - 1 where 3p is possible.
  for (int workers = 2; workers <= 7; ++workers) {
    std::vector<double> costs{static_cast<double>(workers)};
    for (int cost = 2 * workers - 1; cost >= workers; --cost) costs.insert(costs.end(), 2, cost);
    EXPECT_EQ(assigned_makespan(costs, workers), 4 * workers - 1);
  }
}

TEST(AssignedLongestFirst, GivesEveryItemToAWorkerThatExists) {
  for (const int workers : {1, 2, 3, 7, 50}) {
    for (const std::size_t count : {0U, 1U, 6U, 200U}) {
      std::vector<double> costs(count);
      std::iota(costs.begin(), costs.end(), 1.0);
      const std::vector<int> assigned = assigned_longest_first(costs, workers);
      ASSERT_EQ(assigned.size(), count);
      for (const int worker : assigned) {
        EXPECT_GE(worker, 0);
        EXPECT_LT(worker, workers);
      }
      const double even = std::accumulate(costs.begin(), costs.end(), 0.0) / workers;
      const double dearest = costs.empty() ? 0 : costs.back();
      EXPECT_LE(makespan(costs, assigned, workers), even + dearest);
    }
  }
}

TEST(AssignedLongestFirst, LeavesEqualItemsInTheirOrder) {
  EXPECT_EQ(assigned_longest_first(std::vector<double>(5, 1.0), 2), (std::vector<int>{0, 1, 0, 1, 0}));
  EXPECT_EQ(longest_first_order(std::vector<double>{1, 3, 1, 3}), (std::vector<std::uint32_t>{1, 3, 0, 2}));
}

TEST(AssignedLongestFirst, NeedsAWorker) {
  EXPECT_THROW((void)assigned_longest_first(std::vector<double>{1}, 0), std::invalid_argument);
}

}  // namespace
}  // namespace duet
