#include "kernels/divide_and_conquer/strassen/plan.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/divide_and_conquer/strassen/leaf.hpp"
#include "kernels/divide_and_conquer/strassen/shared_product.hpp"
#include "tests/divide_and_conquer/strassen/reference.hpp"

namespace duet {
namespace {

const std::vector<RankPlan::Steps> all_steps{{0, 0, 0}, {1, 0, 0}, {2, 0, 0}, {0, 1, 0},
                                             {1, 1, 0}, {0, 1, 1}, {1, 1, 1}, {0, 2, 0}};

TEST(StrassenLevels, FollowTheLeafAndTheShape) {
  EXPECT_EQ(levels_for({2047, 2047, 2047}, 1024), 0);
  EXPECT_EQ(levels_for({2048, 2048, 2048}, 1024), 1);
  EXPECT_EQ(levels_for({4096, 4096, 4096}, 1024), 2);
  EXPECT_EQ(levels_for({1 << 20, 1 << 20, 1 << 20}, 1024), most_chosen_levels);
  EXPECT_EQ(levels_for({1 << 20, 1 << 20, 1}, 1), 0) << "nothing to divide";
  EXPECT_EQ(levels_for({0, 5, 5}, 1), 0);
  EXPECT_EQ(levels_within({7, 8, 9}, 5), 2);
  EXPECT_EQ(levels_within({1, 8, 9}, 5), 0);
}

TEST(StrassenLeaf, GrowsWithArithmeticAndWorkersAndShrinksWithBandwidth) {
  // 31 * 8 * 50 / 20 = 620 is where a level pays, so leaves have 310.
  EXPECT_EQ(leaf_for({50e9, 20e9}, 8, 1), 512);
  EXPECT_EQ(leaf_for({50e9, 20e9}, 8, 2), 512);
  EXPECT_EQ(leaf_for({50e9, 90e9}, 8, 1), 512);
  EXPECT_EQ(leaf_for({100e9, 20e9}, 8, 1), 1024);
  EXPECT_EQ(leaf_for({100e9, 20e9}, 4, 1), 512);
  EXPECT_EQ(leaf_for({50e9, 20e9}, 8, 16), 2048);
  EXPECT_EQ(leaf_for({50e9, 1}, 8, 1), 1 << 20) << "where nothing can be added, nothing is divided";
}

TEST(StrassenLeaf, IsMeasuredAndThenStays) {
  const LeafRates rates = measured_rates(local_kernel("eigen"));
  EXPECT_GT(rates.operations, 0);
  EXPECT_GT(rates.added_bytes, 0);
  const std::int64_t leaf = leaf_extent({.threads = 2});
  EXPECT_GE(leaf, 512);
  EXPECT_EQ(leaf_extent({.threads = 2}), leaf);
}

TEST(StrassenWorkspace, OfSquareMatricesStaysBelowTwoThirds) {
  for (const std::int64_t n : {4096, 8192, 12288, 12000}) {
    const auto area = static_cast<double>(n * n);
    const auto share = [&](int levels) { return static_cast<double>(winograd_words({n, n, n, n}, levels)) / area; };
    EXPECT_EQ(share(0), 0);
    EXPECT_NEAR(share(1), 0.25, 0.003);
    EXPECT_NEAR(share(2), 0.5625, 0.006);
    EXPECT_NEAR(share(3), 0.640625, 0.009);
    EXPECT_LE(share(most_chosen_levels), 0.65);
  }
}

TEST(StrassenError, FollowsTheRecurrence) {
  EXPECT_EQ(strassen_error(1000, 0), 0);
  EXPECT_NEAR(strassen_error(200, 1), 1.01 * (32 * 100.0 * 100 + 143 * 100), 1);
  EXPECT_NEAR(strassen_error(400, 2), 1.01 * (18 * (32 * 100.0 * 100 + 143 * 100) + 143 * 200), 1);
  EXPECT_GE(strassen_error(401, 2), strassen_error(400, 2)) << "extents are rounded up";
}

TEST(RankPlan, GivesEveryEntryToOneRankAndEveryRankTheSamePartOfEachBlock) {
  for (const std::int64_t ranks : {1, 2, 3, 4, 7, 12}) {
    for (const StrassenShape& shape : {StrassenShape{0, 3, 5}, {1, 1, 1}, {13, 8, 22}, {5, 40, 9}}) {
      for (const RankPlan::Steps& steps : all_steps) {
        const RankPlan plan{shape, ranks, steps};
        EXPECT_GE(plan.padded().m, shape.m);
        EXPECT_LT(plan.padded().m - shape.m, std::int64_t{1} << steps.levels());
        std::vector<int> times(static_cast<std::size_t>(plan.padded().m * plan.padded().n), 0);
        for (std::int64_t rank = 0; rank < ranks; ++rank) {
          const Runs rows = plan.rows(rank);
          const Runs columns = plan.columns(rank);
          const LocalShape part = plan.part(ranks, rank, steps.levels());
          EXPECT_EQ(rows.size(), part.m);
          EXPECT_EQ(columns.size(), part.n);
          EXPECT_EQ(plan.a_columns(rank).size(), part.a_columns);
          EXPECT_EQ(plan.b_rows(rank).size(), part.b_rows);
          for (std::int64_t i = 0; i < rows.size(); ++i) {
            for (std::int64_t j = 0; j < columns.size(); ++j) {
              times[static_cast<std::size_t>(rows[i] * plan.padded().n + columns[j])] += 1;
            }
          }
        }
        EXPECT_TRUE(std::ranges::all_of(times, [](int each) { return each == 1; }));
      }
    }
  }
}

TEST(RankPlan, BalancesWhatIsSentAndWhatIsReceived) {
  for (const std::int64_t ranks : {1, 2, 3, 4, 7, 9, 14, 49}) {
    for (const RankPlan::Steps& steps : all_steps) {
      const RankPlan plan{{64, 56, 48}, ranks, steps, 5};
      RankPlan::Moved all;
      for (std::int64_t rank = 0; rank < ranks; ++rank) all += plan.moved(rank);
      EXPECT_EQ(all.received_messages, all.sent_messages);
      EXPECT_EQ(all.received_words, all.sent_words);
      if (ranks == 1) {
        EXPECT_EQ(all, RankPlan::Moved{});
      }
    }
  }
}

TEST(RankPlan, MovesWhatTheHeadersSay) {
  // In depth, 7^L leaf products over a row of ranks: each receives the others' columns of A.
  const std::int64_t n = 1024;
  for (int levels = 0; levels <= 3; ++levels) {
    const RankPlan plan{{n, n, n}, 2, {levels, 0, 0}};
    const auto leaf = n >> levels;
    EXPECT_EQ(plan.moved(0).received_words, static_cast<std::int64_t>(std::pow(7, levels)) * leaf * leaf / 2);
  }
  // In breadth on seven ranks: six sevenths of S, T and of the seventh of six products.
  const RankPlan plan{{14 * 64, 14 * 64, 14 * 64}, 7, {0, 1, 0}};
  const std::int64_t quadrant = 7 * 64 * 7 * 64;
  EXPECT_EQ(plan.moved(3).received_words, 2 * quadrant / 7 * 6 + 6 * quadrant / 7);
  EXPECT_EQ(plan.moved(3).received_messages, 12);
}

TEST(RankPlan, GoesInBreadthWhereThatMovesFewerWordsAndMemoryAllows) {
  const StrassenShape shape{8192, 8192, 8192};
  const std::int64_t plenty = std::int64_t{1} << 40;
  EXPECT_EQ(RankPlan::chosen(shape, 2, 2, plenty).steps(), (RankPlan::Steps{2, 0, 0})) << "four products and three";
  EXPECT_EQ(RankPlan::chosen(shape, 7, 1, plenty).steps(), (RankPlan::Steps{0, 1, 0}));
  EXPECT_EQ(RankPlan::chosen(shape, 7, 2, plenty).steps(), (RankPlan::Steps{0, 1, 1}));
  EXPECT_EQ(RankPlan::chosen(shape, 49, 2, plenty).steps(), (RankPlan::Steps{0, 2, 0}));
  EXPECT_EQ(RankPlan::chosen(shape, 7, 2, 0).steps(), (RankPlan::Steps{2, 0, 0})) << "no memory for it";
  // As memory grows, fewer levels are taken in depth before the one in breadth, and fewer words move.
  std::int64_t least = RankPlan(shape, 7, {2, 0, 0}).moved(0).received_words;
  for (const RankPlan::Steps& steps : {RankPlan::Steps{1, 1, 0}, {0, 1, 1}}) {
    const std::int64_t words = RankPlan(shape, 7, steps).workspace(0);
    const RankPlan plan = RankPlan::chosen(shape, 7, 2, words);
    EXPECT_EQ(plan.steps(), steps);
    EXPECT_LE(plan.workspace(0), words);
    EXPECT_LT(plan.moved(0).received_words, least);
    least = plan.moved(0).received_words;
  }
}

TEST(RankPlan, OfTwoRanksTakesNoMoreThanOneProcessAndItsPanels) {
  for (const auto& [n, levels] : {std::pair<std::int64_t, int>{4096, 2}, {8192, 2}, {8192, 3}, {12288, 3}}) {
    const RankPlan plan{{n, n, n}, 2, {levels, 0, 0}};
    const std::int64_t words = plan.workspace(0) + plan.workspace(1);
    EXPECT_LE(static_cast<double>(words), 0.65 * static_cast<double>(n * n)) << n;
  }
}

TEST(SharedPlan, PeelsWhatIsBeyondAMultiple) {
  const Execution execution{
      .tunables = Settings{"strassen", std::vector<Setting>{{"levels", "auto", "", {"auto", "2"}}}, {{"levels", "2"}}}};
  const SharedPlan plan = shared_plan({103, 96, 5}, execution);
  EXPECT_EQ(plan.levels, 2);
  EXPECT_EQ(plan.core, (StrassenShape{100, 96, 4}));
  EXPECT_EQ(plan.workspace(), winograd_words({100, 96, 4, 4}, 2));
}

TEST(SharedPlan, DividesLessWhereSomethingIsPeeled) {
  const Execution execution{.tunables =
                                Settings{"strassen", std::vector<Setting>{{"leaf", "0", "", {}}}, {{"leaf", "512"}}}};
  EXPECT_EQ(shared_plan({2048, 2048, 2048}, execution).levels, 2);
  EXPECT_EQ(shared_plan({2049, 2049, 2049}, execution).levels, 1);
  EXPECT_EQ(shared_plan({1025, 1025, 1025}, execution).levels, 0);
}

}  // namespace
}  // namespace duet
