#include "kernels/data_decomposition/matmul/grid_plan.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <stdexcept>
#include <string>
#include <vector>

#include "kernels/data_decomposition/matmul/matmul.hpp"
#include "tests/sanitizers.hpp"

namespace duet {
namespace {

constexpr std::int64_t step = under_sanitizer ? 37 : 1;

/// Square, outer product, inner product, tall, and a shape without a common factor.
const std::vector<ProductShape> shapes{
    {16384, 16384, 16384}, {16384, 16384, 256}, {1024, 1024, 262144}, {1000000, 1000, 1000}, {7919, 10007, 5003}};

std::string text_of_ranks(const ProductShape& shape, std::int64_t ranks) {
  return std::to_string(shape.m) + "x" + std::to_string(shape.n) + "x" + std::to_string(shape.k) + " on " +
         std::to_string(ranks);
}

TEST(ProductPlan, ReceivesAtMostThirtyPercentMoreThanAnyAlgorithmMust) {
  for (const ProductShape& shape : shapes) {
    const bool square = shape.m == shape.k;
    for (std::int64_t ranks = 2; ranks <= 4096; ranks += square || ranks < 200 ? step : 7 * step) {
      const ProductPlan plan = plan_product(shape, ranks);
      const double least = least_words(shape, ranks);
      EXPECT_GT(least, 0);
      EXPECT_LE(plan.words, 1.3 * least) << text_of_ranks(shape, ranks) << ": " << grid_text(plan.grid);
      EXPECT_LE(plan.grid.size(), ranks);
      EXPECT_GE(3 * plan.grid.size(), 2 * ranks);
    }
  }
}

TEST(ProductPlan, IsNoWorseThanAnyGridOfAsManyRanks) {
  for (const ProductShape& shape : shapes) {
    for (const std::int64_t ranks : {1, 2, 3, 4, 7, 8, 12, 23, 64, 97, 100, 360}) {
      const ProductPlan plan = plan_product(shape, ranks);
      for (std::int64_t rows = 1; rows <= ranks; ++rows) {
        for (std::int64_t columns = 1; rows * columns <= ranks; ++columns) {
          for (std::int64_t layers = 1; rows * columns * layers <= ranks; ++layers) {
            const ProductGrid grid{rows, columns, layers};
            if (3 * grid.size() < 2 * ranks) continue;
            EXPECT_LE(plan.words, 1.0500001 * received_words(shape, grid))
                << text_of_ranks(shape, ranks) << ": " << grid_text(plan.grid) << " and " << grid_text(grid);
          }
        }
      }
    }
  }
}

TEST(ProductPlan, OfASquareProductIsWhatIsKnownToBeBest) {
  const double area = 4096.0 * 4096.0;
  EXPECT_EQ(plan_product({4096, 4096, 4096}, 1).words, 0);
  EXPECT_LE(plan_product({4096, 4096, 4096}, 2).words, 0.5 * area);
  EXPECT_LE(plan_product({4096, 4096, 4096}, 4).words, 0.5 * area);
  EXPECT_LE(plan_product({4096, 4096, 4096}, 8).words, 0.375 * area);
  EXPECT_EQ(plan_product({4096, 4096, 4096}, 8).grid, (ProductGrid{2, 2, 2}));
  EXPECT_EQ(plan_product({4096, 4096, 4096}, 64).grid, (ProductGrid{4, 4, 4}));
  // An inner product shares out k, an outer product m and n.
  EXPECT_EQ(plan_product({1024, 1024, 262144}, 2).grid, (ProductGrid{1, 1, 2}));
  EXPECT_EQ(plan_product({16384, 16384, 256}, 4).grid, (ProductGrid{2, 2, 1}));
}

TEST(ProductPlan, KeepsToTheMemoryAndStaysNearTheBoundForIt) {
  for (const ProductShape& shape : {shapes[0], shapes[2], shapes[4]}) {
    for (std::int64_t ranks = 8; ranks <= 4096; ranks += 11 * step) {
      const double data =
          static_cast<double>(shape.m * shape.n + shape.m * shape.k + shape.n * shape.k) / static_cast<double>(ranks);
      for (const double times : {5.0, 8.0}) {
        PlanLimits limits{.memory_words = times * data, .panel = 1};
        const ProductPlan plan = plan_product(shape, ranks, limits);
        EXPECT_LE(plan.memory_words, limits.memory_words);
        EXPECT_EQ(plan.memory_words, held_words(shape, plan.grid, 1));
        EXPECT_LE(plan.words, 1.3 * least_words(shape, ranks, limits.memory_words))
            << text_of_ranks(shape, ranks) << ": " << grid_text(plan.grid) << ", memory " << times;
      }
    }
  }
}

TEST(ProductPlan, RefusesAMemoryThatHoldsNoBlocksAndSaysWhatIsNeeded) {
  try {
    static_cast<void>(plan_product({1000, 1000, 1000}, 4, {.memory_words = 0x1p17}));
    FAIL() << "no exception";
  } catch (const std::invalid_argument& error) {
    const std::string text = error.what();
    EXPECT_EQ(
        text.find(
            "memory: 1 MiB a rank do not hold the product of 1000 x 1000 and 1000 x 1000 on 4 ranks, which needs "),
        0U)
        << text;
  }
}

TEST(ProductPlan, KeepsToTheRowsAndLayersThatAreGiven) {
  const ProductShape shape{100, 200, 300};
  EXPECT_EQ(plan_product(shape, 12, {.rows = 3}).grid.rows, 3);
  EXPECT_EQ(plan_product(shape, 12, {.layers = 4}).grid.layers, 4);
  EXPECT_EQ(plan_product(shape, 12, {.rows = 3, .layers = 2}).grid, (ProductGrid{3, 2, 2}));
  EXPECT_THROW(static_cast<void>(plan_product(shape, 12, {.rows = 5})), std::invalid_argument);
  EXPECT_THROW(static_cast<void>(plan_product(shape, 12, {.layers = 7})), std::invalid_argument);
  EXPECT_THROW(static_cast<void>(plan_product(shape, 12, {.rows = 4, .layers = 6})), std::invalid_argument);
}

TEST(ProductPlan, ServesShapesWithFewerRowsThanRanks) {
  for (const ProductShape& shape : {ProductShape{0, 0, 0}, {1, 1, 1}, {2, 1, 3}, {1, 0, 5}, {3, 3, 0}}) {
    for (const std::int64_t ranks : {1, 2, 3, 7, 100}) {
      const ProductPlan plan = plan_product(shape, ranks);
      EXPECT_GE(plan.grid.size(), 1);
      EXPECT_LE(plan.grid.rows, std::max<std::int64_t>(shape.m, 1));
      EXPECT_LE(plan.grid.columns, std::max<std::int64_t>(shape.n, 1));
      EXPECT_LE(plan.grid.layers, std::max<std::int64_t>(shape.k, 1));
    }
  }
}

TEST(ProductPlan, ForTimeKeepsRanksBusyWhereComputingIsTheMost) {
  const PlanLimits limits{.operations_per_word = operations_of_a_word};
  EXPECT_EQ(plan_product({8192, 8192, 8192}, 3, limits).grid.size(), 3);
  EXPECT_EQ(plan_product({8192, 8192, 8192}, 7, limits).grid.size(), 7);
  EXPECT_EQ(plan_product({256, 256, 256}, 7, limits).grid.size(), 6);
  // On many ranks the words are the most, and hardly a rank is idle.
  const ProductPlan many = plan_product({16384, 16384, 16384}, 1021, limits);
  EXPECT_LE(many.words, 1.15 * least_words({16384, 16384, 16384}, 1021));
  EXPECT_GE(many.grid.size(), 990);
}

// By hand for 100 x 100 x 100: on 1 rank nothing; on 8 with each case of the theorem.
TEST(LeastWords, AreThoseOfTheTheorem) {
  EXPECT_EQ(least_words({100, 100, 100}, 1), 0);
  EXPECT_NEAR(least_words({100, 100, 100}, 8), 3 * 2500.0 - 3 * 10000.0 / 8, 1e-6);
  // m / n = 10 >= p = 4: one extent is shared out, and all of the smallest operand comes to everybody.
  EXPECT_DOUBLE_EQ(least_words({1000, 100, 50}, 4), 100 * 50 * 0.75);
  // m n / k^2 = 100 >= p = 16 > m / n: two are.
  EXPECT_DOUBLE_EQ(least_words({100, 100, 10}, 16), 2 * 250.0 + 625.0 - (10000 + 2000) / 16.0);
  // In any order of the extents.
  EXPECT_EQ(least_words({50, 1000, 100}, 4), least_words({1000, 100, 50}, 4));
  // With a memory of 100 words.
  EXPECT_DOUBLE_EQ(least_words({100, 100, 100}, 8, 100), 2 * 1e6 / 8 / 10);
}

TEST(ProductPlan, IsPrintedForAnyNumberOfRanks) {
  const Problem problem = matmul_problem();
  const Settings tunables{"matmul", problem.variant(Model::mpi).tunables, {}};
  const auto lines = problem.plan(problem.pose("16384", 1, {}), tunables, 1024);
  ASSERT_FALSE(lines.empty());
  EXPECT_EQ(lines.front().first, "grid");
  const auto of_23 = problem.plan(problem.pose("16384", 1, {}), tunables, 23);
  EXPECT_EQ(of_23.back().first, "fewest words") << "time and words ask for different grids there";
}

}  // namespace
}  // namespace duet
