#include "drivers/statistics/text.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace duet {
namespace {

TEST(SecondsText, KeepsThreeDigitsInEngineeringUnits) {
  EXPECT_EQ(seconds_text(0.0), "0 s");
  EXPECT_EQ(seconds_text(1.234e-9), "1.23 ns");
  EXPECT_EQ(seconds_text(45.61e-6), "45.6 us");
  EXPECT_EQ(seconds_text(0.00123), "1.23 ms");
  EXPECT_EQ(seconds_text(0.456), "456 ms");
  EXPECT_EQ(seconds_text(7.0), "7.00 s");
  EXPECT_EQ(seconds_text(std::nan("")), "-");
}

TEST(SecondsText, ChangesTheUnitWhereRoundingReachesIt) {
  EXPECT_EQ(seconds_text(999.4e-6), "999 us");
  EXPECT_EQ(seconds_text(999.9e-6), "1.00 ms");
  EXPECT_EQ(seconds_text(9.996), "10.0 s");
  EXPECT_EQ(seconds_text(99.96), "1 min 40 s");
}

TEST(SecondsText, CountsMinutesAndHours) {
  EXPECT_EQ(seconds_text(125.0), "2 min 5 s");
  EXPECT_EQ(seconds_text(4980.0), "1 h 23 min");
}

TEST(SecondsText, WritesAnIntervalInOneUnit) {
  EXPECT_EQ(seconds_text(Interval{.estimate = 1.234e-3, .low = 0.9e-3, .high = 1.31e-3, .n = 8}),
            "1.23 ms [0.90, 1.31]");
  EXPECT_EQ(seconds_text(Interval{.estimate = 1.234e-3, .low = -infinity, .high = infinity, .n = 3}), "1.23 ms");
  EXPECT_EQ(seconds_text(Interval{}), "-");
}

TEST(BytesText, CountsInPowersOf1024) {
  EXPECT_EQ(bytes_text(0), "0 B");
  EXPECT_EQ(bytes_text(512), "512 B");
  EXPECT_EQ(bytes_text(1536), "1.50 KiB");
  EXPECT_EQ(bytes_text(24 * 0x1p30), "24.0 GiB");
}

TEST(RateText, PutsThePrefixWhereItCanBeRead) {
  EXPECT_EQ(rate_text(1.234e11, "flop"), "123 Gflop/s");
  EXPECT_EQ(rate_text(1.234e6, "doubling step"), "1.23 M doubling steps/s");
  EXPECT_EQ(rate_text(12, "doubling step"), "12.0 doubling steps/s");
}

TEST(FactorText, WritesTheIntervalAsTheVerdictDoes) {
  EXPECT_EQ(factor_text(Interval{.estimate = 1.34, .low = 1.29, .high = 1.4, .n = 8}), "1.34x [1.29, 1.40]");
  EXPECT_EQ(factor_text(Interval{.estimate = 13.42, .low = 12.9, .high = 14.01, .n = 8}), "13.4x [12.9, 14.0]");
  EXPECT_EQ(factor_text(Interval{.estimate = 1.0152, .low = 1.011, .high = 1.019, .n = 8}), "1.015x [1.011, 1.019]");
  EXPECT_EQ(factor_text(Interval{.estimate = 1.34, .low = 0, .high = infinity, .n = 3}), "1.34x");
  EXPECT_EQ(factor_text(134.4), "134x");
}

TEST(ShareText, GivesOneDecimalBelowTenPercent) {
  EXPECT_EQ(share_text(0), "0 %");
  EXPECT_EQ(share_text(0.004), "0.4 %");
  EXPECT_EQ(share_text(0.18), "18 %");
}

TEST(BoundText, NeverPromisesLessThanItIs) {
  EXPECT_EQ(bound_text(0.02), "2 %");
  EXPECT_EQ(bound_text(0.0151), "2 %");
  EXPECT_EQ(bound_text(0.0032), "0.4 %");
  EXPECT_EQ(bound_text(0.3), "30 %");
  EXPECT_EQ(bound_text(1e-9), "0.1 %");
}

TEST(Counted, KnowsThePlural) {
  EXPECT_EQ(counted(1, "worker"), "1 worker");
  EXPECT_EQ(counted(2, "worker"), "2 workers");
  EXPECT_EQ(counted(0, "round"), "0 rounds");
}

}  // namespace
}  // namespace duet
