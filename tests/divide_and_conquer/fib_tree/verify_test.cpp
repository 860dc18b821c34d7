#include "kernels/divide_and_conquer/fib_tree/verify.hpp"

#include <gtest/gtest.h>

#include "tests/divide_and_conquer/fib_tree/tunables.hpp"

namespace duet {
namespace {

std::string verdict(std::int64_t n, std::int64_t cutoff, const TreeCount& found) {
  const Judgement judgement = judge_fib_tree(n, cutoff, found, MPI_COMM_NULL);
  EXPECT_EQ(judgement.right, judgement.explanation.empty());
  return judgement.explanation;
}

TEST(FibTreeVerify, AcceptsRightCounts) {
  for (std::int64_t n = 0; n <= 60; ++n) {
    for (const std::int64_t cutoff : {1, 2, 17, 93}) EXPECT_EQ(verdict(n, cutoff, right_count(n, cutoff)), "") << n;
  }
}

TEST(FibTreeVerify, AcceptsTheLargestOf64Bits) {
  // 2 F(94) - 1 = 39480548439736446333 is 2583804366026894717 beyond 2 x 2^64.
  EXPECT_EQ(verdict(93, 93, {12'200'160'415'121'876'738U, 2'587'060'292'317'343'101U, 1}), "");
}

TEST(FibTreeVerify, RejectsAWrongValue) { EXPECT_EQ(verdict(10, 1, {56, 177, 89}), "F(10) is 56; 55 is right"); }

TEST(FibTreeVerify, RejectsALostCall) {
  EXPECT_EQ(verdict(10, 1, {55, 176, 89}), "calls from n = 10: 176; 177 is right");
}

TEST(FibTreeVerify, RejectsATaskTooMany) {
  EXPECT_EQ(verdict(10, 3, {55, 177, 35}), "tasks from n = 10 cut at 3: 35; 34 is right");
}

TEST(FibTreeVerify, RejectsALostSubtreeAndOneCountedTwice) {
  TreeCount found = right_count(20, 5);
  TreeCount subtree = right_count(5, 5);
  found += subtree;
  EXPECT_NE(verdict(20, 5, found), "");
  subtree = {0 - 2 * subtree.value, 0 - 2 * subtree.calls, 0 - 2 * subtree.tasks};
  found += subtree;
  EXPECT_NE(verdict(20, 5, found), "");
}

TEST(FibTreeVerify, RejectsTheAnswerOfANeighbour) {
  for (std::int64_t n = 3; n < 40; ++n) EXPECT_NE(verdict(n, 2, right_count(n - 1, 2)), "") << n;
}

TEST(FibTreeVerify, RejectsNothingAtAll) {
  for (const std::int64_t n : {0, 1, 30}) EXPECT_NE(verdict(n, 1, {}), "") << n;
}

}  // namespace
}  // namespace duet
