#include "drivers/statistics/scaling.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <stdexcept>
#include <vector>

namespace duet {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

TEST(Speedup, IsTheBaseOverTheCell) {
  const std::vector<double> base{8, 8, 8, 8, 8, 8};
  const std::vector<double> cell{4, 4, 5, 5, 4, 4};
  const Interval result = speedup(base, cell);
  EXPECT_DOUBLE_EQ(result.estimate, 2);
  EXPECT_NEAR(result.low, 1.6, 1e-12);
  EXPECT_NEAR(result.high, 2, 1e-12);
}

TEST(Efficiency, IsTheSpeedupOfOneWorker) {
  const Interval result = efficiency({.estimate = 1.8, .low = 1.6, .high = 1.9, .n = 8}, 2);
  EXPECT_DOUBLE_EQ(result.estimate, 0.9);
  EXPECT_DOUBLE_EQ(result.low, 0.8);
  EXPECT_DOUBLE_EQ(result.high, 0.95);
  EXPECT_EQ(result.n, 8);
  EXPECT_THROW((void)efficiency({}, 0), std::invalid_argument);
}

// Karp and Flatt, "Measuring parallel processor performance", table for the Alliant FX/8: speedups of 1.95, 2.88, 3.76
// and 6.96 on 2, 3, 4 and 8 processors have serial fractions of about 0.026, 0.021, 0.021 and 0.021.
TEST(KarpFlatt, AgreesWithThePaper) {
  const auto fraction = [](double speedup, int workers) {
    return karp_flatt({.estimate = speedup, .low = speedup, .high = speedup, .n = 8}, workers).estimate;
  };
  EXPECT_NEAR(fraction(1.95, 2), 0.026, 5e-4);
  EXPECT_NEAR(fraction(2.88, 3), 0.021, 5e-4);
  EXPECT_NEAR(fraction(3.76, 4), 0.021, 5e-4);
  EXPECT_NEAR(fraction(6.96, 8), 0.021, 5e-4);
}

TEST(KarpFlatt, IsNothingForALinearSpeedupAndAllForNone) {
  EXPECT_NEAR(karp_flatt({.estimate = 4, .low = 4, .high = 4, .n = 8}, 4).estimate, 0, 1e-15);
  EXPECT_NEAR(karp_flatt({.estimate = 1, .low = 1, .high = 1, .n = 8}, 4).estimate, 1, 1e-15);
}

TEST(KarpFlatt, ExchangesTheEndsOfTheSpeedup) {
  const Interval result = karp_flatt({.estimate = 1.8, .low = 1.6, .high = 2.0, .n = 8}, 2);
  EXPECT_NEAR(result.low, 0, 1e-15);
  EXPECT_NEAR(result.estimate, 1 / 0.9 - 1, 1e-12);
  EXPECT_NEAR(result.high, 0.25, 1e-15);
}

TEST(KarpFlatt, KeepsMissingEndsMissing) {
  const Interval result = karp_flatt({.estimate = 1.8, .low = 0, .high = infinity, .n = 3}, 2);
  EXPECT_EQ(result.low, -1);
  EXPECT_EQ(result.high, infinity);
}

TEST(KarpFlatt, NeedsTwoWorkers) { EXPECT_THROW((void)karp_flatt({}, 1), std::invalid_argument); }

}  // namespace
}  // namespace duet
