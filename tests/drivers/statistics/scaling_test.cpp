#include "drivers/statistics/scaling.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <stdexcept>
#include <vector>

namespace duet {
namespace {

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

// The two examples of Michael J. Quinn, "Parallel Programming in C with MPI and OpenMP", 2003, section 7.5: in the
// first the fraction stays at 0.1, in the second it grows from 0.070 to 0.100, and so shows overhead.
TEST(KarpFlatt, AgreesWithATextbook) {
  const auto fraction = [](double speedup, int workers) {
    return karp_flatt({.estimate = speedup, .low = speedup, .high = speedup, .n = 8}, workers).estimate;
  };
  const std::vector<double> serial_work{1.82, 2.50, 3.08, 3.57, 4.00, 4.38, 4.71};
  for (int workers = 2; workers <= 8; ++workers) {
    EXPECT_NEAR(fraction(serial_work[static_cast<std::size_t>(workers - 2)], workers), 0.1, 0.0015);
  }
  const std::vector<double> overhead{1.87, 2.61, 3.23, 3.73, 4.14, 4.46, 4.71};
  const std::vector<double> growing{0.070, 0.075, 0.080, 0.085, 0.090, 0.095, 0.100};
  for (int workers = 2; workers <= 8; ++workers) {
    const auto i = static_cast<std::size_t>(workers - 2);
    EXPECT_NEAR(fraction(overhead[i], workers), growing[i], 0.001);
  }
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
