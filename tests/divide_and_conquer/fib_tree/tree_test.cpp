#include "kernels/divide_and_conquer/fib_tree/tree.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <stdexcept>
#include <string>
#include <vector>

namespace duet {
namespace {

/// The tasks of the tree of n, from left to right, by walking all of it.
void walk(std::int64_t n, std::int64_t cutoff, std::vector<std::int64_t>& tasks) {
  if (n <= cutoff) return tasks.push_back(n);
  walk(n - 1, cutoff, tasks);
  walk(n - 2, cutoff, tasks);
}

TEST(PlainFibonacci, CountsTheCallsOfTheFormula) {
  std::uint64_t own = 0;
  std::uint64_t next = 1;
  for (std::int64_t n = 0; n <= 27; ++n) {
    const CallCount found = plain_fibonacci(n);
    EXPECT_EQ(found.value, own) << n;
    EXPECT_EQ(found.calls, 2 * next - 1) << n;
    EXPECT_EQ(static_cast<double>(found.calls), calls_of_tree(n)) << n;
    next += own;
    own = next - own;
  }
}

TEST(FibonacciNumbers, EndWithTheLargestOf64Bits) {
  EXPECT_EQ(fibonacci_numbers.front(), 0U);
  EXPECT_EQ(fibonacci_numbers.back(), 12'200'160'415'121'876'738U);
  EXPECT_NEAR(calls_of_tree(93), 39'480'548'439'736'446'333.0, 1e4);
}

TEST(TasksOfTree, AreTheLeavesAtTheCutoff) {
  for (std::int64_t n = 0; n <= 18; ++n) {
    for (std::int64_t cutoff = 1; cutoff <= 20; ++cutoff) {
      std::vector<std::int64_t> tasks;
      walk(n, cutoff, tasks);
      EXPECT_EQ(tasks_of_tree(n, cutoff), tasks.size()) << n << " cut at " << cutoff;
    }
  }
}

TEST(EachTask, MeetsTheTasksOfEveryRangeFromLeftToRightAndTheCallsBetweenThem) {
  for (const std::int64_t n : {0, 1, 2, 7, 11}) {
    for (const std::int64_t cutoff : {1, 2, 3, 6, 12}) {
      std::vector<std::int64_t> tasks;
      walk(n, cutoff, tasks);
      for (std::int64_t begin = 0; begin <= std::ssize(tasks); ++begin) {
        for (std::int64_t end = begin + 1; end <= std::ssize(tasks); ++end) {
          std::vector<std::int64_t> met;
          const std::uint64_t calls =
              each_task(n, cutoff, {begin, end}, [&](std::int64_t index) { met.push_back(index); });
          EXPECT_EQ(calls, static_cast<std::uint64_t>(end - begin - (begin == 0 ? 1 : 0)));
          EXPECT_EQ(met, std::vector(tasks.begin() + begin, tasks.begin() + end)) << n << " cut at " << cutoff;
        }
      }
    }
  }
}

TEST(IsShortLeaf, IsTheFibonacciWordHoweverFarOut) {
  // What follows the word of length F(j) is the word again, up to the length F(j - 1).
  for (std::size_t j = 5; j < 91; ++j) {
    const auto length = static_cast<std::int64_t>(fibonacci_numbers[j]);
    const auto shorter = static_cast<std::int64_t>(fibonacci_numbers[j - 1]);
    for (std::int64_t k = 0; k < std::min<std::int64_t>(shorter, 1000); ++k) {
      ASSERT_EQ(is_short_leaf(length + k), is_short_leaf(k)) << j << ", " << k;
      const std::int64_t last = shorter - 1 - k;
      ASSERT_EQ(is_short_leaf(length + last), is_short_leaf(last)) << j << ", " << last;
    }
  }
}

std::string complaint_about(std::int64_t n, std::int64_t workers) {
  try {
    require_feasible(n, workers);
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return {};
}

TEST(RequireFeasible, RefusesWhatWouldTakeMoreThanTwelveHoursWithTheEstimate) {
  EXPECT_EQ(complaint_about(0, 1), "");
  EXPECT_EQ(complaint_about(60, 1), "");
  EXPECT_EQ(complaint_about(66, 2),
            "fib_tree of 66: the tree has 8.989e+13 calls, about 12.48 hours for 2 workers; "
            "what takes more than 12 is refused");
  EXPECT_EQ(complaint_about(66, 3), "");
  EXPECT_NE(complaint_about(65, 1).find("hours for 1 worker;"), std::string::npos);
}

TEST(RequireFeasible, RefusesWhatHasMoreThan64Bits) {
  EXPECT_EQ(complaint_about(94, 1), "fib_tree of 94: n is from 0 to 93, since F(94) needs more than 64 bits");
  EXPECT_NE(complaint_about(-1, 1), "");
  EXPECT_NE(complaint_about(93, std::int64_t{1} << 40U), "") << "its calls cannot be counted";
}

}  // namespace
}  // namespace duet
