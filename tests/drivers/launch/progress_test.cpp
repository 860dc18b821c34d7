#include "drivers/study/progress.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace duet {
namespace {

TEST(StandingText, SaysShareTimeRoundFailuresAndCell) {
  const Standing standing{
      .share = 0.43, .seconds_left = 71.2, .round = 4, .failures = 2, .running = "matmul/mpi/512/2x1"};
  EXPECT_EQ(standing_text(standing, 80),
            "[########............]  43 %  1:12 left  round 4  2 failed  matmul/mpi/512/2x1");
}

TEST(StandingText, FitsTheColumns) {
  const Standing standing{
      .share = 1.7, .seconds_left = 1e5, .round = 1000, .failures = 99, .running = std::string(200, 'x')};
  EXPECT_EQ(standing_text(standing, 79).size(), 79U);
  EXPECT_TRUE(standing_text(standing, 79).starts_with("[####################] 100 %"));
}

TEST(StandingText, SaysNoTimeWhereThereIsNoLimit) {
  const Standing standing{
      .share = 0, .seconds_left = std::numeric_limits<double>::infinity(), .round = 0, .running = ""};
  EXPECT_EQ(standing_text(standing, 80), "[....................]   0 %");
}

}  // namespace
}  // namespace duet
