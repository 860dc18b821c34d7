#include "kernels/pipeline/cholesky/wavefront.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <tuple>

#include "tests/pipeline/cholesky/reference.hpp"

namespace duet {
namespace {

using Stage = WavefrontStep::Stage;

class WavefrontTest : public testing::TestWithParam<Grid> {};

INSTANTIATE_TEST_SUITE_P(Grids, WavefrontTest,
                         testing::Values(Grid{1, 1}, Grid{1, 2}, Grid{2, 1}, Grid{2, 2}, Grid{2, 3}, Grid{1, 7}),
                         [](const auto& grid) {
                           return std::to_string(grid.param.rows) + "x" + std::to_string(grid.param.columns);
                         });

TEST_P(WavefrontTest, HasEveryTaskOnceOverAllRanks) {
  const TileLayout layout{24 * 9, 24, GetParam()};
  std::multiset<std::tuple<Stage, int, int, int>> seen;
  for (std::int64_t rank = 0; rank < GetParam().size(); ++rank) {
    for (const WavefrontStep& step : wavefront(TileMatrix{layout, rank}, 3))
      seen.insert({step.stage, step.i, step.j, step.k});
  }
  std::multiset<std::tuple<Stage, int, int, int>> wanted;
  for (int k = 0; k < 9; ++k) {
    wanted.insert({Stage::factor, k, k, k});
    for (int i = k + 1; i < 9; ++i) {
      wanted.insert({Stage::solve, i, k, k});
      for (int j = k + 1; j <= i; ++j) wanted.insert({Stage::update, i, j, k});
    }
  }
  EXPECT_EQ(seen, wanted);
}

// The ranks take turns in an order that is unkind to the list: whoever can do a task does as few as possible.
TEST_P(WavefrontTest, NeverWaitsInACircle) {
  const TileLayout layout{24 * 9, 24, GetParam()};
  for (const std::int64_t ahead : {0, 1, 4, 1000}) {
    std::vector<std::vector<WavefrontStep>> lists;
    for (std::int64_t rank = 0; rank < GetParam().size(); ++rank) {
      lists.push_back(wavefront(TileMatrix{layout, rank}, ahead));
    }
    std::vector<std::size_t> next(lists.size());
    std::map<std::pair<int, int>, int> taken;
    std::set<std::pair<int, int>> done;
    const auto is_ready = [&](const WavefrontStep& step) {
      if (taken[{step.i, step.j}] != step.k) return false;
      if (step.stage == Stage::solve) return done.contains({step.k, step.k});
      return step.stage == Stage::factor || (done.contains({step.i, step.k}) && done.contains({step.j, step.k}));
    };
    bool moved = true;
    while (moved) {
      moved = false;
      for (std::size_t rank = lists.size(); rank-- > 0;) {
        if (next[rank] == lists[rank].size() || !is_ready(lists[rank][next[rank]])) continue;
        const WavefrontStep& step = lists[rank][next[rank]++];
        if (step.stage == Stage::update) {
          ++taken[{step.i, step.j}];
        } else {
          done.insert({step.i, step.j});
        }
        moved = true;
      }
    }
    for (std::size_t rank = 0; rank < lists.size(); ++rank) EXPECT_EQ(next[rank], lists[rank].size());
  }
}

}  // namespace
}  // namespace duet
