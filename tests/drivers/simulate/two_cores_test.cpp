#include "drivers/simulate/two_cores.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

namespace duet {
namespace {

TEST(TwoCores, ScaleTheBandwidthOfTheLongestMessageByWhatEachSizeWasMeasuredTo) {
  // 1 us and 1 GB/s, 2 GB/s, 4 GB/s
  const std::string text = two_cores_platform({{8, 1e-6}, {1000, 2e-6}, {4000, 3e-6}, {16000, 5e-6}}, "here");
  EXPECT_NE(text.find(R"(bandwidth="4e+09Bps" latency="1e-06s")"), std::string::npos) << text;
  EXPECT_NE(text.find(R"(id="smpi/bw-factor" value="0:1;89:0.25;2000:0.5;8000:1")"), std::string::npos) << text;
  EXPECT_NE(text.find(R"(id="smpi/lat-factor" value="0:1;89:1;2000:1;8000:1")"), std::string::npos) << text;
}

TEST(TwoCores, ShareTheirMemory) {
  const std::string text = two_cores_platform({{8, 1e-6}, {1000, 2e-6}}, "here");
  for (const char* const host : {R"(<host id="core-0" speed="1Gf"><prop id="memory" value="shared"/></host>)",
                                 R"(<host id="core-1" speed="1Gf"><prop id="memory" value="shared"/></host>)"}) {
    EXPECT_NE(text.find(host), std::string::npos) << text;
  }
}

TEST(TwoCores, AreCalledByAMachineWhoseNameCannotEndTheComment) {
  EXPECT_NE(two_cores_platform({{8, 1e-6}, {1000, 2e-6}}, "a--b").find("Two cores of a  b,"), std::string::npos);
}

TEST(TwoCores, RefuseTimesThatGiveNoBandwidth) {
  EXPECT_THROW(static_cast<void>(two_cores_platform({}, "here")), std::invalid_argument);
  EXPECT_THROW(static_cast<void>(two_cores_platform({{8, 0}, {1000, 1}}, "here")), std::invalid_argument);
  EXPECT_THROW(static_cast<void>(two_cores_platform({{8, 2e-6}, {1000, 1e-6}}, "here")), std::invalid_argument);
}

}  // namespace
}  // namespace duet
