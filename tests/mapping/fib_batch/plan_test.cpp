#include "kernels/mapping/fib_batch/plan.hpp"

#include <gtest/gtest.h>

#include <stdexcept>
#include <vector>

namespace duet {
namespace {

constexpr Schedule all_schedules[] = {Schedule::block,     Schedule::cyclic,        Schedule::dynamic,
                                      Schedule::guided,    Schedule::longest_first, Schedule::stealing,
                                      Schedule::spawn_each};

FibBatch batch_of(std::int64_t count, Spread spread = Spread::log_uniform, std::uint64_t modulus = 0) {
  return {.inputs = FibInputs::random(spread, count, 100'000, 11), .modulus = modulus};
}

TEST(FibBatchPlan, HasEveryItemInExactlyOnePiece) {
  for (const std::uint64_t modulus : {0U, 1009U}) {
    for (const Schedule schedule : all_schedules) {
      for (const std::int64_t count : {0, 1, 2, 3, 7, 64, 1000, 5003}) {
        for (const std::int64_t grain : {0, 1, 3, 100'000}) {
          for (const int workers : {1, 2, 3, 7, 50}) {
            const Plan plan = fib_batch_plan(batch_of(count, Spread::log_uniform, modulus), schedule, grain, workers);
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
            for (const int time : times) ASSERT_EQ(time, 1);
          }
        }
      }
    }
  }
}

TEST(FibBatchPlan, GivesEveryWorkerOneBlock) {
  const Plan plan = fib_batch_plan(batch_of(10), Schedule::block, 0, 3);
  EXPECT_EQ(plan.pieces(), 3);
  EXPECT_EQ(plan.piece(0), (Range{0, 4}));
  EXPECT_EQ(plan.piece(2), (Range{7, 10}));
}

TEST(FibBatchPlan, PutsTheLongestFirstUpToTheWidthOfAClass) {
  const FibBatch batch = batch_of(5000);
  const Plan plan = fib_batch_plan(batch, Schedule::longest_first, 0, 2);
  ASSERT_TRUE(plan.reordered());
  for (std::int64_t p = 1; p < batch.inputs.count(); ++p) {
    EXPECT_LE(static_cast<double>(batch.inputs[plan.item(p)]),
              1.07 * static_cast<double>(batch.inputs[plan.item(p - 1)]) + 1);
  }
}

TEST(FibBatchPlan, PutsTheLongestFirstWhateverTheirSize) {
  std::vector<std::uint64_t> inputs;
  for (unsigned bit = 0; bit < 64; ++bit) {
    inputs.insert(inputs.end(), {std::uint64_t{1} << bit, (std::uint64_t{2} << bit) - 1});
  }
  const FibBatch batch{.inputs = FibInputs::given(inputs), .modulus = 0};
  const Plan plan = fib_batch_plan(batch, Schedule::longest_first, 1, 2);
  for (std::int64_t p = 1; p < batch.inputs.count(); ++p) {
    EXPECT_LE(batch.inputs[plan.item(p)], batch.inputs[plan.item(p - 1)]);
  }
}

TEST(FibBatchPlan, LeavesGiantsAloneAndPutsDwarfsTogether) {
  const FibBatch batch = batch_of(6400, Spread::giants);
  const Plan plan = fib_batch_plan(batch, Schedule::longest_first, 0, 2);
  for (std::int64_t k = 0; k < 100; ++k) EXPECT_EQ(plan.piece(k).size(), 1);
  EXPECT_LT(plan.pieces(), 1'000);
}

TEST(FibBatchPlan, HasGiantsWhereAnItemTakesLongerThanAnEvenShareOfTheRest) {
  const auto giants = [](const std::vector<std::uint64_t>& inputs, int workers, Schedule schedule, std::int64_t grain) {
    const FibBatch batch{.inputs = FibInputs::given(inputs)};
    return giants_of(batch, fib_batch_plan(batch, schedule, grain, workers), workers);
  };
  const auto of = [&](const std::vector<std::uint64_t>& inputs, int workers) {
    return giants(inputs, workers, Schedule::longest_first, 0);
  };
  EXPECT_EQ(of({20'000'000, 100, 7, 2'000'000}, 2), 1);
  // Two alike are an even share each for two workers, and giants for three.
  EXPECT_EQ(of({20'000'000, 100, 20'000'000}, 2), 0);
  EXPECT_EQ(of({20'000'000, 100, 20'000'000}, 3), 2);
  EXPECT_EQ(of({20'000'000, 40'000'000, 10'000'000, 100}, 2), 3);
  EXPECT_EQ(of({20'000'000}, 1), 0);
  // Too short for a team.
  EXPECT_EQ(of({100'000, 100}, 2), 0);
  EXPECT_EQ(of({}, 2), 0);
  EXPECT_EQ(giants({20'000'000, 100}, 2, Schedule::dynamic, 0), 0);
  EXPECT_EQ(giants({20'000'000, 100}, 2, Schedule::longest_first, 1), 0);
}

TEST(FibBatchPlan, DoesNotSortResiduesThatAllCostTheSame) {
  EXPECT_FALSE(fib_batch_plan(batch_of(5000, Spread::giants, 7), Schedule::longest_first, 0, 2).reordered());
}

TEST(FibBatchPlan, CutsAtLeastEightPiecesForEachWorker) {
  const Plan plan = fib_batch_plan(batch_of(1'000, Spread::uniform, 7), Schedule::dynamic, 0, 4);
  EXPECT_GE(plan.pieces(), 32);
}

TEST(FibBatchPlan, RefusesWhatMakesNoSense) {
  EXPECT_THROW((void)fib_batch_plan(batch_of(5), Schedule::dynamic, -1, 1), std::invalid_argument);
  EXPECT_THROW((void)fib_batch_plan(batch_of(5), Schedule::dynamic, 0, 0), std::invalid_argument);
  EXPECT_THROW((void)fib_batch_plan(batch_of(std::int64_t{1} << 32U), Schedule::dynamic, 0, 1), std::invalid_argument);
}

}  // namespace
}  // namespace duet
