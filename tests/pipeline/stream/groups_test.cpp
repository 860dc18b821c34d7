#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "kernels/pipeline/stream/stream_ranks.hpp"

namespace duet {
namespace {

TEST(StageGroups, AFarmHasAllStagesOnAllRanks) {
  EXPECT_EQ(farm(5, 3), (std::vector<StageGroup>{{.begin = 0, .end = 5, .first = 0, .ranks = 3}}));
}

TEST(StageGroups, OneRankDoesEverything) { EXPECT_EQ(stages_by_cost({1, 2, 3}, 1), farm(3, 1)); }

TEST(StageGroups, TheExpensiveStageGetsMoreRanks) {
  const std::vector<StageGroup> groups = stages_by_cost({1, 3, 1}, 5);
  ASSERT_EQ(groups.size(), 3U);
  EXPECT_EQ(groups[0].ranks, 1);
  EXPECT_EQ(groups[1].ranks, 3);
  EXPECT_EQ(groups[2].ranks, 1);
}

TEST(StageGroups, CheapNeighboursShareARank) {
  const std::vector<StageGroup> groups = stages_by_cost({1, 1, 2}, 2);
  EXPECT_EQ(groups, (std::vector<StageGroup>{{.begin = 0, .end = 2, .first = 0, .ranks = 1},
                                             {.begin = 2, .end = 3, .first = 1, .ranks = 1}}));
}

TEST(StageGroups, CoverAllStagesAndAllRanksOnce) {
  for (int ranks = 1; ranks <= 9; ++ranks) {
    for (std::size_t stages = 1; stages <= 6; ++stages) {
      std::vector<double> costs;
      for (std::size_t s = 0; s < stages; ++s) costs.push_back(static_cast<double>((7 * s + 3) % 5));
      std::size_t next_stage = 0;
      int next_rank = 0;
      for (const StageGroup& group : stages_by_cost(costs, ranks)) {
        EXPECT_EQ(group.begin, next_stage);
        EXPECT_EQ(group.first, next_rank);
        EXPECT_GT(group.end, group.begin);
        EXPECT_GT(group.ranks, 0);
        next_stage = group.end;
        next_rank += group.ranks;
      }
      EXPECT_EQ(next_stage, stages);
      EXPECT_EQ(next_rank, ranks);
    }
  }
}

TEST(StageGroups, NoDivisionLeavesLessToTheBusiestRank) {
  const std::vector<double> costs{5, 1, 4, 2};
  const int ranks = 4;
  double found = 0;
  for (const StageGroup& group : stages_by_cost(costs, ranks)) {
    double sum = 0;
    for (std::size_t s = group.begin; s < group.end; ++s) sum += costs[s];
    found = std::max(found, sum / group.ranks);
  }
  // All cuts of four stages and all counts of ranks, by hand: {5,1} on two ranks and {4,2} on two, or all on four.
  EXPECT_DOUBLE_EQ(found, 3);
}

TEST(StageGroups, TooManyStagesAreRefused) {
  EXPECT_THROW(static_cast<void>(stages_by_cost(std::vector<double>(13, 1), 3)), std::invalid_argument);
}

}  // namespace
}  // namespace duet
