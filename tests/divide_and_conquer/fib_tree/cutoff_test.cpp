#include "kernels/divide_and_conquer/fib_tree/cutoff.hpp"

#include <gtest/gtest.h>

#include "kernels/divide_and_conquer/fib_tree/tree.hpp"

namespace duet {
namespace {

constexpr TreeCosts usual{.call = 1e-9, .task = 1e-7};

TEST(ChosenCutoff, IsTheWholeTreeForOneWorker) {
  for (const std::int64_t n : {0, 1, 2, 20, 60}) {
    EXPECT_EQ(chosen_cutoff(n, 1, usual), std::max<std::int64_t>(n, 1)) << n;
  }
}

TEST(ChosenCutoff, IsTheWholeTreeWhereTasksAreDearerThanIt) {
  EXPECT_EQ(chosen_cutoff(20, 4, {.call = 1e-9, .task = 1e-3}), 20);
}

TEST(ChosenCutoff, HasTheLeastPredictedTime) {
  for (const std::int64_t workers : {2, 3, 64}) {
    for (const std::int64_t n : {13, 20, 33, 45}) {
      const std::int64_t chosen = chosen_cutoff(n, workers, usual);
      for (std::int64_t other = 1; other <= n; ++other) {
        EXPECT_LE(predicted_seconds(n, chosen, workers, usual), predicted_seconds(n, other, workers, usual))
            << n << ", " << workers << " workers, " << other;
      }
    }
  }
}

TEST(ChosenCutoff, GrowsWithTheCostOfATask) {
  std::int64_t before = 1;
  for (const double task : {1e-9, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4}) {
    const std::int64_t chosen = chosen_cutoff(40, 2, {.call = 1e-9, .task = task});
    EXPECT_GE(chosen, before) << task;
    before = chosen;
  }
  EXPECT_GT(before, 20);
}

TEST(ChosenCutoff, SpendsBelowOnePercentOnTasksWhereTheTreeIsLarge) {
  for (std::int64_t n = 33; n <= 60; ++n) {  // 11 ms and more
    const std::int64_t cutoff = chosen_cutoff(n, 2, usual);
    EXPECT_LT(task_overhead(n, cutoff, usual), 0.01) << n;
    EXPECT_GE(tasks_of_tree(n, cutoff), 100U) << n;
    EXPECT_LT(predicted_seconds(n, cutoff, 2, usual), 1.01 * calls_of_tree(n) * usual.call / 2) << n;
  }
}

TEST(TaskOverhead, IsThePartOfTheTimeThatTasksTake) {
  // 89 tasks of 100 ns beside 177 calls of 1 ns.
  EXPECT_DOUBLE_EQ(task_overhead(10, 1, usual), 8900.0 / (8900.0 + 177.0));
  EXPECT_EQ(task_overhead(10, 10, usual), 0);
}

TEST(MeasuredCosts, RunTheTreeAndAreNotNegative) {
  int runs = 0;
  const TreeCosts costs = measured_costs(
      [&](std::int64_t n) {
        ++runs;
        EXPECT_EQ(plain_fibonacci(n).value, fibonacci_numbers[static_cast<std::size_t>(n)]);
      },
      1);
  EXPECT_GT(runs, 1);
  EXPECT_GT(costs.call, 0);
  EXPECT_GE(costs.task, 0);
}

}  // namespace
}  // namespace duet
