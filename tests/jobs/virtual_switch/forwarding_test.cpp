#include "jobs/virtual_switch/forwarding.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <limits>
#include <stdexcept>
#include <vector>

namespace duet {
namespace {

using std::chrono::microseconds;

constexpr int broadcast = 0xff;

/// A frame from host to host, whose addresses end with their numbers; `broadcast` is no host.
std::vector<std::byte> frame(int to, int from) {
  std::vector<std::byte> bytes(60, std::byte{0});
  for (std::size_t i = 0; i < 6; ++i) {
    bytes[i] = to == broadcast ? std::byte{0xff} : std::byte{0x02};
    bytes[6 + i] = std::byte{0x02};
  }
  if (to != broadcast) bytes[5] = static_cast<std::byte>(to);
  bytes[11] = static_cast<std::byte>(from);
  return bytes;
}

TEST(Forwarding, FloodsUntilItHasSeenTheDestination) {
  Forwarding forwarding{4, 0};
  EXPECT_EQ(forwarding.route(0, frame(2, 0)), (std::vector{1, 2, 3}));
  EXPECT_EQ(forwarding.route(2, frame(0, 2)), std::vector{0});
  EXPECT_EQ(forwarding.route(0, frame(2, 0)), std::vector{2});
}

TEST(Forwarding, SendsBroadcastsToAllOthers) {
  Forwarding forwarding{3, 0};
  EXPECT_EQ(forwarding.route(1, frame(broadcast, 1)), (std::vector{0, 2}));
  EXPECT_EQ(forwarding.route(2, frame(broadcast, 2)), (std::vector{0, 1}));
}

TEST(Forwarding, FollowsAHostToAnotherPort) {
  Forwarding forwarding{3, 0};
  (void)forwarding.route(0, frame(broadcast, 7));
  (void)forwarding.route(2, frame(broadcast, 7));
  EXPECT_EQ(forwarding.route(1, frame(7, 1)), std::vector{2});
}

TEST(Forwarding, SendsNothingBackWhereItCameFrom) {
  Forwarding forwarding{2, 0};
  (void)forwarding.route(0, frame(broadcast, 7));
  EXPECT_TRUE(forwarding.route(0, frame(7, 8)).empty());
}

TEST(Forwarding, DropsWhatIsShorterThanAHeader) {
  Forwarding forwarding{2, 0};
  EXPECT_TRUE(forwarding.route(0, std::vector<std::byte>(13)).empty());
  EXPECT_TRUE(forwarding.route(0, {}).empty());
}

TEST(Forwarding, TakesNoTimeWithoutARate) {
  Forwarding forwarding{2, 0};
  EXPECT_EQ(forwarding.transfer(0, 1, 1'000'000, microseconds{5}), microseconds{5});
}

TEST(Forwarding, TransfersAtTheRate) {
  Forwarding forwarding{2, 1e9};
  EXPECT_EQ(forwarding.transfer(0, 1, 1000, microseconds{5}), microseconds{6});
  EXPECT_EQ(forwarding.transfer(0, 1, 2000, microseconds{100}), microseconds{102});
}

TEST(Forwarding, OneAfterTheOtherOnTheSendersLink) {
  Forwarding forwarding{3, 1e9};
  EXPECT_EQ(forwarding.transfer(0, 1, 1000, microseconds{0}), microseconds{1});
  EXPECT_EQ(forwarding.transfer(0, 2, 1000, microseconds{0}), microseconds{2});
}

TEST(Forwarding, OneAfterTheOtherOnTheReceiversLink) {
  Forwarding forwarding{3, 1e9};
  EXPECT_EQ(forwarding.transfer(0, 2, 1000, microseconds{0}), microseconds{1});
  EXPECT_EQ(forwarding.transfer(1, 2, 1000, microseconds{0}), microseconds{2});
}

TEST(Forwarding, BothDirectionsOfALinkAtTheSameTime) {
  Forwarding forwarding{2, 1e9};
  EXPECT_EQ(forwarding.transfer(0, 1, 1000, microseconds{0}), microseconds{1});
  EXPECT_EQ(forwarding.transfer(1, 0, 1000, microseconds{0}), microseconds{1});
}

TEST(Forwarding, RefusesImpossibleNetworks) {
  EXPECT_THROW(Forwarding(0, 0), std::invalid_argument);
  EXPECT_THROW(Forwarding(2, -1), std::invalid_argument);
  EXPECT_THROW(Forwarding(2, std::numeric_limits<double>::quiet_NaN()), std::invalid_argument);
}

}  // namespace
}  // namespace duet
