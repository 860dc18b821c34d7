/// The variants of one process: what they count is what the formulas say, whoever ran what.

#include <gtest/gtest.h>
#include <oneapi/tbb/global_control.h>

#include <atomic>
#include <map>
#include <stdexcept>
#include <vector>

#include "kernels/core/tbb_team.hpp"
#include "kernels/divide_and_conquer/fib_tree/fib_tree.hpp"
#include "tests/divide_and_conquer/fib_tree/tunables.hpp"

namespace duet {
namespace {

#if defined(__SANITIZE_THREAD__)
constexpr std::int64_t large = 20;
#else
constexpr std::int64_t large = 25;
#endif

TreeCount counted(Model model, std::int64_t n, const Execution& execution) {
  if (model == Model::serial) return fib_tree_serial(n, execution);
  return model == Model::openmp ? fib_tree_openmp(n, execution) : fib_tree_tbb(n, execution);
}

class SharedFibTree : public testing::TestWithParam<Model> {
 protected:
  [[nodiscard]] Execution execution(int threads, std::int64_t cutoff, const std::string& join) const {
    return {.threads = threads, .tunables = tunables(GetParam(), {{"cutoff", std::to_string(cutoff)}, {"join", join}})};
  }

 private:
  oneapi::tbb::global_control workers_{oneapi::tbb::global_control::max_allowed_parallelism, 3};
};

TEST_P(SharedFibTree, CountsWhatTheFormulasSayAtEveryCutoff) {
  for (const char* const join : {"end", "call"}) {
    for (int threads = 1; threads <= 3; ++threads) {
      for (std::int64_t n = 0; n <= 14; ++n) {
        for (const std::int64_t cutoff : {1, 2, 3, 5, 8, 13, 14, 93}) {
          EXPECT_EQ(counted(GetParam(), n, execution(threads, cutoff, join)), right_count(n, cutoff))
              << join << ", " << threads << " threads, " << n << " cut at " << cutoff;
        }
      }
    }
  }
}

TEST_P(SharedFibTree, CountsTreesOfMoreThanOneSubtreeOfTasks) {
  for (const char* const join : {"end", "call"}) {
    for (int threads = 1; threads <= 3; ++threads) {
      for (const std::int64_t cutoff : {1, 12}) {
        EXPECT_EQ(counted(GetParam(), large, execution(threads, cutoff, join)), right_count(large, cutoff));
      }
    }
  }
}

TEST_P(SharedFibTree, HasNoCutoffWhereNoneIsSet) {
  EXPECT_EQ(counted(GetParam(), 10, {.threads = 2}), right_count(10, 1));
}

TEST_P(SharedFibTree, BooksUsefulTimeOfItsThreadsAlone) {
  for (const std::int64_t cutoff : {1, 16}) {
    Timesheet timesheet{2};
    Execution with = execution(2, cutoff, "end");
    with.timesheet = &timesheet;
    static_cast<void>(counted(GetParam(), large, with));
    EXPECT_GT(timesheet.of(0).useful + timesheet.of(1).useful, 0);
    EXPECT_EQ(timesheet.of(0).communicating + timesheet.of(1).communicating, 0);
  }
}

TEST_P(SharedFibTree, RefusesTreesThatNobodyCanWaitFor) {
  EXPECT_THROW(static_cast<void>(counted(GetParam(), 80, {.threads = 2})), std::invalid_argument);
  EXPECT_THROW(static_cast<void>(counted(GetParam(), -1, {})), std::invalid_argument);
}

INSTANTIATE_TEST_SUITE_P(Models, SharedFibTree, testing::Values(Model::openmp, Model::tbb),
                         [](const auto& model) { return std::string{name_of(model.param)}; });

TEST(SerialFibTree, IsOneTask) {
  for (std::int64_t n = 0; n <= 24; ++n) EXPECT_EQ(fib_tree_serial(n, {}), right_count(n, 93));
}

TEST(FibTreeTbb, TellsItsWorkersWhenTheyStart) {
  std::atomic<int> started = 0;
  const Execution execution{.threads = 2, .on_worker_start = [&](int) { ++started; }};
  EXPECT_EQ(fib_tree_tbb(18, execution), right_count(18, 1));
  EXPECT_GE(started, 1);
}

TEST(FibTreeProblem, ChoosesACutoffAndSaysWhatItIs) {
  const Problem problem = fib_tree_problem();
  for (const Model model : {Model::openmp, Model::tbb}) {
    const Variant& variant = problem.variant(model);
    const Execution execution{.threads = 2, .tunables = tunables(model, {})};
    const Placed placed = variant.place(problem.pose("24", 1, {}), execution);
    const std::int64_t cutoff = whole_number("cutoff", placed.facts.at("cutoff"), 1, 24);
    EXPECT_EQ(placed.facts.at("tasks"), std::to_string(tasks_of_tree(24, cutoff)));
    EXPECT_TRUE(placed.facts.contains("task_nanoseconds"));
    placed.execute();
    EXPECT_TRUE(placed.verify().right);
    placed.reset();
    EXPECT_FALSE(placed.verify().right);
  }
}

TEST(FibTreeProblem, TakesTheCutoffThatIsSet) {
  const Problem problem = fib_tree_problem();
  const Execution execution{.threads = 2, .tunables = tunables(Model::openmp, {{"cutoff", "7"}})};
  const Placed placed = problem.variant(Model::openmp).place(problem.pose("16", 1, {}), execution);
  EXPECT_EQ(placed.facts.at("cutoff"), "7");
  EXPECT_EQ(placed.facts.at("tasks"), "89");
  EXPECT_FALSE(placed.facts.contains("task_nanoseconds"));
}

TEST(FibTreeProblem, PlansForAnyNumberOfRanks) {
  const Problem problem = fib_tree_problem();
  const Instance instance = problem.pose("40", 1, {});
  const auto lines = problem.plan(instance, tunables(Model::mpi, {{"cutoff", "20"}, {"distribution", "counter"}}), 8);
  const std::map<std::string, std::string> plan{lines.begin(), lines.end()};
  EXPECT_EQ(plan.at("cutoff"), "20");
  EXPECT_EQ(plan.at("tasks"), "1.771e+04");
  EXPECT_EQ(plan.at("atomic operations"), "1.772e+04");
  for (const std::int64_t ranks : {1, 7, 1024}) {
    EXPECT_FALSE(problem.plan(instance, tunables(Model::mpi, {}), ranks).empty());
  }
  EXPECT_THROW(static_cast<void>(problem.plan(problem.pose("90", 1, {}), tunables(Model::mpi, {}), 4)),
               std::invalid_argument);
}

TEST(FibTreeProblem, RefusesWhatNobodyCanWaitForBeforeItMeasures) {
  const Problem problem = fib_tree_problem();
  const Variant& variant = problem.variant(Model::openmp);
  EXPECT_THROW(static_cast<void>(variant.place(problem.pose("93", 1, {}), {.threads = 2})), std::invalid_argument);
  EXPECT_THROW(static_cast<void>(problem.pose("94", 1, {})), std::invalid_argument);
}

}  // namespace
}  // namespace duet
