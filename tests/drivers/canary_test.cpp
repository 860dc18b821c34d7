#include "drivers/canary.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace duet {
namespace {

TEST(CanaryRate, IsARateForAnyTime) {
  for (const double seconds : {0.0, 0.002}) {
    const double rate = canary_rate(seconds);
    EXPECT_TRUE(std::isfinite(rate));
    EXPECT_GT(rate, 0);
  }
}

}  // namespace
}  // namespace duet
