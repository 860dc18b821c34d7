#include "drivers/statistics/task_granularity.hpp"

#include <gtest/gtest.h>

namespace duet {
namespace {

TEST(MinimumEffectiveGranularity, LiesOnTheLineBetweenItsNeighbours) {
  const std::vector<Granularity> curve{{1e-8, 0.1}, {1e-6, 0.5}, {1e-4, 0.9}};
  EXPECT_DOUBLE_EQ(minimum_effective_granularity(curve, 0.5), 1e-6);
  EXPECT_DOUBLE_EQ(minimum_effective_granularity(curve, 0.3), 1e-7);
  EXPECT_DOUBLE_EQ(minimum_effective_granularity(curve, 0.7), 1e-5);
}

TEST(MinimumEffectiveGranularity, TakesPointsInAnyOrder) {
  EXPECT_DOUBLE_EQ(minimum_effective_granularity({{1e-4, 0.9}, {1e-8, 0.1}, {1e-6, 0.5}}, 0.3), 1e-7);
}

TEST(MinimumEffectiveGranularity, IsOfTheFineEndWhereTheCoarseOneFallsAgain) {
  const std::vector<Granularity> curve{{1e-8, 0.25}, {1e-6, 0.75}, {1e-2, 0.4}, {1e-1, 0.6}};
  EXPECT_DOUBLE_EQ(minimum_effective_granularity(curve, 0.5), 1e-7);
}

TEST(MinimumEffectiveGranularity, IsBoundedByTheSmallestTaskWhereThatIsEfficient) {
  EXPECT_EQ(minimum_effective_granularity({{1e-7, 0.8}, {1e-6, 0.9}}, 0.5), 1e-7);
}

TEST(MinimumEffectiveGranularity, IsInfiniteWhereNothingIsEfficient) {
  EXPECT_EQ(minimum_effective_granularity({{1e-7, 0.1}, {1e-6, 0.2}}, 0.5), infinity);
  EXPECT_EQ(minimum_effective_granularity({}, 0.5), infinity);
}

TEST(MinimumEffectiveGranularity, IsTwiceTheCostOfATaskWhereTasksCostAlwaysTheSame) {
  // Tasks of w seconds of work that cost c each: granularity w + c, efficiency w / (w + c).
  constexpr double cost = 1e-7;
  std::vector<Granularity> curve;
  for (double work = 1e-9; work < 1e-3; work *= 1.2) curve.push_back({work + cost, work / (work + cost)});
  EXPECT_NEAR(minimum_effective_granularity(curve, 0.5), 2 * cost, 0.01 * cost);
}

}  // namespace
}  // namespace duet
