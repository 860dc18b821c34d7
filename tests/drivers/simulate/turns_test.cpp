#include "drivers/simulate/turns.hpp"

#include <gtest/gtest.h>

namespace duet {
namespace {

TEST(TypicalTurn, IsTheMedianOfThoseThatNobodyDisturbed) {
  const Typical found = typical({{3, 1}, {1, 0.99}, {2, 0.96}, {9, 0.5}, {0.5, 0.94}});
  EXPECT_EQ(found.seconds, 2);
  EXPECT_EQ(found.undisturbed, 3);
  EXPECT_EQ(found.turns, 5);
  EXPECT_EQ(found.core_share, 1);
}

TEST(TypicalTurn, IsTheShortestWhereAllWereDisturbedAndSaysByHowMuch) {
  const Typical found = typical({{9, 0.5}, {7, 0.4}, {8, 0.6}});
  EXPECT_EQ(found.seconds, 7);
  EXPECT_EQ(found.undisturbed, 0);
  EXPECT_EQ(found.turns, 3);
  EXPECT_EQ(found.core_share, 0.6);
}

TEST(TypicalTurn, IsNothingOfNoTurns) {
  EXPECT_EQ(typical({}).seconds, 0);
  EXPECT_EQ(typical({}).turns, 0);
}

}  // namespace
}  // namespace duet
