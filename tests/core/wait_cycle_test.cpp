#include "kernels/core/wait_cycle.hpp"

#include <gtest/gtest.h>

namespace duet {
namespace {

using Cycle = std::vector<std::size_t>;

TEST(WaitCycle, IsNoneWhereEveryWayEnds) {
  EXPECT_EQ(shortest_cycle({}), Cycle{});
  EXPECT_EQ(shortest_cycle({{}}), Cycle{});
  EXPECT_EQ(shortest_cycle({{1, 2, 3}, {2, 3}, {3}, {}}), Cycle{});
}

TEST(WaitCycle, GoesTheWayOfTheWaitsFromTheLowest) {
  EXPECT_EQ(shortest_cycle({{2}, {0}, {1}}), (Cycle{0, 2, 1}));
  EXPECT_EQ(shortest_cycle({{}, {3}, {1}, {2}}), (Cycle{1, 3, 2}));
}

TEST(WaitCycle, MayBeOneThatWaitsForItself) { EXPECT_EQ(shortest_cycle({{1}, {1}}), Cycle{1}); }

TEST(WaitCycle, LeavesOutWhoOnlyWaitsForIt) { EXPECT_EQ(shortest_cycle({{1}, {2}, {1}}), (Cycle{1, 2})); }

TEST(WaitCycle, IsAShortestOne) {
  EXPECT_EQ(shortest_cycle({{1}, {2}, {3, 4}, {0}, {2}}), (Cycle{2, 4})) << "the other one has four";
  EXPECT_EQ(shortest_cycle({{1, 3}, {2}, {0}, {0}}), (Cycle{0, 3}));
}

}  // namespace
}  // namespace duet
