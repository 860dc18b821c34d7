#include "drivers/study/weak_sizes.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <stdexcept>

#include "drivers/study/scaling.hpp"
#include "kernels/registry.hpp"

namespace duet {
namespace {

using Sizes = std::vector<std::string>;

Sizes sizes_of(const std::string& problem, const std::string& size, const std::vector<int>& workers) {
  return weak_sizes(problem_called(problem), size, workers, 1, {});
}

std::string message_of(const std::string& problem, const std::string& size, const std::vector<int>& workers) {
  try {
    static_cast<void>(sizes_of(problem, size, workers));
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "";
}

TEST(WeakSizes, GrowWithTheCubeRootOfTheWorkersInAProduct) {
  EXPECT_EQ(sizes_of("matmul", "512", {1, 2, 4, 8, 64}), (Sizes{"512", "648", "816", "1024", "2048"}));
  EXPECT_EQ(sizes_of("matmul", "100x200x300", {1, 8}), (Sizes{"100x200x300", "200x400x600"}));
}

TEST(WeakSizes, GrowWithTheWorkersInABatch) {
  EXPECT_EQ(sizes_of("fib_batch", "2048", {1, 2, 3, 4}), (Sizes{"2048", "4096", "6144", "8192"}));
}

TEST(WeakSizes, KeepWorkAWorkerConstantWithinTheTolerance) {
  for (const auto& [name, size] : {std::pair{"matmul", "60"}, {"matmul", "37x211x90"}, {"fib_batch", "40"}}) {
    const Problem& problem = problem_called(name);
    const std::vector<int> workers{1, 2, 3, 5, 7, 16, 31, 100};
    const Sizes sizes = sizes_of(name, size, workers);
    ASSERT_EQ(sizes.size(), workers.size());
    const double one = problem.work(problem.pose(size, 1, {})).operations;
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      const double operations = problem.work(problem.pose(sizes[i], 1, {})).operations;
      EXPECT_NEAR(operations / workers[i] / one, 1, most_work_deviation) << name << " " << sizes[i];
    }
  }
}

TEST(WeakSizes, DoNotDependOnTheOtherWorkerCounts) {
  EXPECT_EQ(sizes_of("matmul", "512", {2, 4}), (Sizes{"648", "816"}));
}

TEST(WeakSizes, SayWhatCannotGrow) {
  EXPECT_NE(message_of("matmul", "0", {1, 2}).find("--size 0: matmul has nothing to do"), std::string::npos);
  EXPECT_NE(message_of("matmul", "3", {1, 2}).find("the nearest size, 4, is 19 % off"), std::string::npos);
  EXPECT_NE(message_of("fib_batch", "1000000000", {1, 2}).find("grow beyond 1000000000"), std::string::npos);
  EXPECT_NE(message_of("matmul", "-4", {1, 2}).find("-4"), std::string::npos);
}

}  // namespace
}  // namespace duet
