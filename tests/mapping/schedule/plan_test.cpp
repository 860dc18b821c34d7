#include "kernels/mapping/schedule/plan.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <stdexcept>
#include <vector>

#include "kernels/core/random.hpp"

namespace duet {
namespace {

constexpr Schedule all_schedules[] = {Schedule::block,     Schedule::cyclic,        Schedule::dynamic,
                                      Schedule::guided,    Schedule::longest_first, Schedule::stealing,
                                      Schedule::spawn_each};

/// Nanoseconds over six decades.
std::vector<double> uneven_costs(std::int64_t count) {
  std::vector<double> costs;
  for (std::int64_t i = 0; i < count; ++i) costs.push_back(std::pow(10.0, 4 + 3 * random_entry(3, 0, i, 0)));
  return costs;
}

TEST(Schedule, IsCalledByItsName) {
  for (const Schedule schedule : all_schedules) EXPECT_EQ(schedule_called(name_of(schedule)), schedule);
  EXPECT_THROW((void)schedule_called("fair"), std::invalid_argument);
}

TEST(Plan, LeavesOutItsFirstPieces) {
  Plan plan = Plan::listed({4, 0, 2, 1, 3}, {0, 1, 3, 5}, 0);
  plan.drop_first(0);
  EXPECT_EQ(plan.pieces(), 3);
  plan.drop_first(1);
  EXPECT_EQ(plan.pieces(), 2);
  EXPECT_EQ(plan.piece(0), (Range{1, 3}));
  EXPECT_EQ(plan.positions({0, 2}), (Range{1, 5}));
  EXPECT_EQ(plan.item(1), 0);
  EXPECT_THROW(plan.drop_first(3), std::invalid_argument);
  plan.drop_first(2);
  EXPECT_EQ(plan.pieces(), 0);
}

TEST(PlanByCost, HasEveryItemInExactlyOnePiece) {
  for (const Schedule schedule : all_schedules) {
    for (const std::int64_t count : {0, 1, 2, 3, 7, 64, 1000}) {
      for (const std::int64_t grain : {0, 1, 3, 100'000}) {
        for (const int workers : {1, 2, 3, 7, 50}) {
          const Plan plan = Plan::by_cost(uneven_costs(count), schedule, grain, workers);
          std::vector<int> times(static_cast<std::size_t>(count));
          std::int64_t position = 0;
          for (std::int64_t k = 0; k < plan.pieces(); ++k) {
            const Range piece = plan.piece(k);
            ASSERT_EQ(piece.begin, position);
            for (position = piece.begin; position < piece.end; ++position) {
              ++times[static_cast<std::size_t>(plan.item(position))];
            }
          }
          ASSERT_EQ(position, count) << name_of(schedule);
          ASSERT_EQ(plan.positions({0, plan.pieces()}), (Range{0, count}));
          ASSERT_EQ(times, std::vector<int>(times.size(), 1));
        }
      }
    }
  }
}

TEST(PlanByCost, PutsTheDearestFirst) {
  const std::vector<double> costs = uneven_costs(500);
  const Plan plan = Plan::by_cost(costs, Schedule::longest_first, 0, 2);
  for (std::int64_t p = 1; p < 500; ++p) {
    EXPECT_LE(costs[static_cast<std::size_t>(plan.item(p))], costs[static_cast<std::size_t>(plan.item(p - 1))]);
  }
}

TEST(PlanByCost, LeavesGiantsAloneAndPutsDwarfsTogether) {
  std::vector<double> costs(1000, 10.0);
  costs[500] = 1e9;
  for (const Schedule schedule : {Schedule::dynamic, Schedule::longest_first}) {
    const Plan plan = Plan::by_cost(costs, schedule, 0, 2);
    EXPECT_LE(plan.pieces(), 4) << name_of(schedule);
    for (std::int64_t k = 0; k < plan.pieces(); ++k) {
      double sum = 0;
      for (std::int64_t p = plan.piece(k).begin; p < plan.piece(k).end; ++p) {
        sum += costs[static_cast<std::size_t>(plan.item(p))];
      }
      EXPECT_TRUE(sum <= piece_nanoseconds || plan.piece(k).size() == 1);
    }
  }
}

TEST(PlanByCost, CutsAtLeastEightPiecesForEachWorkerWhereCostsAreAlike) {
  EXPECT_GE(Plan::by_cost(std::vector<double>(1000, 10.0), Schedule::dynamic, 0, 4).pieces(), 32);
}

TEST(PlanByCost, GivesEveryWorkerOneBlock) {
  const Plan plan = Plan::by_cost(uneven_costs(10), Schedule::block, 0, 3);
  EXPECT_EQ(plan.pieces(), 3);
  EXPECT_EQ(plan.piece(0), (Range{0, 4}));
  EXPECT_EQ(plan.piece(2), (Range{7, 10}));
}

TEST(PlanByCost, RefusesWhatMakesNoSense) {
  EXPECT_THROW((void)Plan::by_cost(uneven_costs(5), Schedule::dynamic, -1, 1), std::invalid_argument);
  EXPECT_THROW((void)Plan::by_cost(uneven_costs(5), Schedule::dynamic, 0, 0), std::invalid_argument);
  EXPECT_THROW(require_plannable(std::int64_t{1} << 32U, 0, 1), std::invalid_argument);
}

TEST(GuidedChunks, ShrinkFromHalfAShareToOnePiece) {
  const Plan plan = Plan::in_order(1000, 1);
  const std::vector<std::int64_t> begins = plan.guided_chunks(2);
  EXPECT_EQ(begins.front(), 0);
  EXPECT_EQ(begins[1], 250);
  EXPECT_EQ(begins.back(), plan.pieces());
  for (std::size_t c = 2; c < begins.size(); ++c) {
    EXPECT_LE(begins[c] - begins[c - 1], begins[c - 1] - begins[c - 2]);
    EXPECT_GE(begins[c] - begins[c - 1], 1);
  }
  EXPECT_EQ(Plan::in_order(0, 1).guided_chunks(2), (std::vector<std::int64_t>{0}));
}

TEST(PackedRange, ComesBackAsItWas) {
  for (const Range range : {Range{0, 0}, Range{5, 5}, Range{0, 0xffffffff}, Range{0xfffffffe, 0xffffffff}}) {
    EXPECT_EQ(unpacked(packed(range)), range);
  }
}

TEST(PackedRange, IsCutSoThatTheThiefGetsAllOfASinglePiece) {
  EXPECT_EQ(cut_of({7, 8}), 7);
  EXPECT_EQ(cut_of({7, 9}), 8);
  EXPECT_EQ(cut_of({0, 5}), 2);
}

}  // namespace
}  // namespace duet
