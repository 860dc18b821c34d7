#include "kernels/core/partition.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace duet {
namespace {

const std::vector<std::int64_t> lengths{0, 1, 2, 3, 7, 31, 64, 97, 1000};
const std::vector<std::int64_t> worker_counts{1, 2, 3, 4, 7, 16, 101};

TEST(Partition, SharesFollowEachOtherAndCoverEverything) {
  for (const std::int64_t n : lengths) {
    for (const std::int64_t parts : worker_counts) {
      std::int64_t next = 0;
      for (std::int64_t part = 0; part < parts; ++part) {
        const Range share = share_of(n, parts, part);
        EXPECT_EQ(share.begin, next) << n << " in " << parts;
        EXPECT_GE(share.size(), 0);
        next = share.end;
      }
      EXPECT_EQ(next, n) << "in " << parts;
    }
  }
}

TEST(Partition, SharesDifferByOneAndLargerOnesComeFirst) {
  for (const std::int64_t n : lengths) {
    for (const std::int64_t parts : worker_counts) {
      for (std::int64_t part = 0; part + 1 < parts; ++part) {
        EXPECT_GE(share_of(n, parts, part).size(), share_of(n, parts, part + 1).size());
      }
      EXPECT_LE(share_of(n, parts, 0).size() - share_of(n, parts, parts - 1).size(), 1);
    }
  }
}

TEST(Partition, OwnerIsTheShareThatContainsTheIndex) {
  for (const std::int64_t n : lengths) {
    for (const std::int64_t parts : worker_counts) {
      for (std::int64_t index = 0; index < n; ++index) {
        EXPECT_TRUE(share_of(n, parts, owner_of(n, parts, index)).contains(index)) << index << " of " << n;
      }
    }
  }
}

TEST(Partition, DividesMoreItemsThanThirtyTwoBitsCount) {
  constexpr std::int64_t n = std::int64_t{1} << 61;
  constexpr std::int64_t parts = 1'000'003;
  EXPECT_EQ(share_of(n, parts, parts - 1).end, n);
  EXPECT_EQ(owner_of(n, parts, n - 1), parts - 1);
  EXPECT_EQ(owner_of(n, parts, share_of(n, parts, 1234).begin), 1234);
}

TEST(Partition, RangeEndsBeforeItsEnd) {
  constexpr Range range{3, 5};
  EXPECT_FALSE(range.contains(2));
  EXPECT_TRUE(range.contains(3));
  EXPECT_TRUE(range.contains(4));
  EXPECT_FALSE(range.contains(5));
  EXPECT_EQ(range.size(), 2);
  EXPECT_FALSE(range.empty());
  EXPECT_TRUE((Range{4, 4}.empty()));
}

TEST(Grid, HasExactlyAsManyPlacesAsWorkers) {
  for (const std::int64_t p : worker_counts) {
    const Grid grid = grid_for(100, 50, p);
    EXPECT_EQ(grid.size(), p);
    for (std::int64_t worker = 0; worker < p; ++worker) {
      EXPECT_LT(grid.row_of(worker), grid.rows);
      EXPECT_EQ(grid.row_of(worker) * grid.columns + grid.column_of(worker), worker);
    }
  }
}

TEST(Grid, IsSquareForASquareMatrixAndASquareNumber) {
  EXPECT_EQ(grid_for(1000, 1000, 16), (Grid{4, 4}));
  EXPECT_EQ(grid_for(1000, 1000, 1), (Grid{1, 1}));
}

TEST(Grid, FollowsTheLongerSide) {
  EXPECT_EQ(grid_for(10000, 10, 6), (Grid{6, 1}));
  EXPECT_EQ(grid_for(10, 10000, 6), (Grid{1, 6}));
}

TEST(Grid, TakesFewerRowsWhereTwoGridsAreAsGood) {
  EXPECT_EQ(grid_for(100, 100, 2), (Grid{1, 2}));
  EXPECT_EQ(grid_for(100, 100, 6), (Grid{2, 3}));
}

TEST(Grid, HasTheLeastHalfPerimeterOfAll) {
  for (const std::int64_t p : worker_counts) {
    for (const std::int64_t n : {1, 10, 100, 5000}) {
      const Grid best = grid_for(100, n, p);
      const auto perimeter = [&](std::int64_t rows) {
        return 100.0 / static_cast<double>(rows) +
               static_cast<double>(n) * static_cast<double>(rows) / static_cast<double>(p);
      };
      for (std::int64_t rows = 1; rows <= p; ++rows) {
        if (p % rows != 0) continue;
        EXPECT_LE(perimeter(best.rows), perimeter(rows) * (1 + 1e-12)) << p << " workers";
      }
    }
  }
}

TEST(Grid, ServesAnEmptyMatrix) { EXPECT_EQ(grid_for(0, 0, 4).size(), 4); }

}  // namespace
}  // namespace duet
