#include "kernels/local_product/peak.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace duet {
namespace {

TEST(FmaPeak, IsARateForAnyTime) {
  for (const double seconds : {0.0, 0.002}) {
    const double rate = fma_peak(seconds);
    EXPECT_TRUE(std::isfinite(rate));
    EXPECT_GT(rate, 0);
  }
}

}  // namespace
}  // namespace duet
