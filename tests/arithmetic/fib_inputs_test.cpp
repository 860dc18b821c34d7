#include "kernels/arithmetic/fib_inputs.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <vector>

namespace duet {
namespace {

constexpr Spread all_spreads[] = {Spread::uniform, Spread::log_uniform, Spread::ascending, Spread::giants};

TEST(FibInputs, NeverExceedTheLargest) {
  for (const Spread spread : all_spreads) {
    for (const std::uint64_t largest : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{2}, std::uint64_t{3},
                                        std::uint64_t{63}, std::uint64_t{64}, std::uint64_t{100}, UINT64_MAX}) {
      const FibInputs inputs = FibInputs::random(spread, 500, largest, 3);
      EXPECT_EQ(inputs.largest(), largest);
      for (std::int64_t i = 0; i < inputs.count(); ++i) EXPECT_LE(inputs[i], largest) << name_of(spread);
    }
  }
}

TEST(FibInputs, AreAFunctionOfSeedAndIndex) {
  for (const Spread spread : {Spread::uniform, Spread::log_uniform, Spread::giants}) {
    const FibInputs inputs = FibInputs::random(spread, 300, 1'000'000, 3);
    const FibInputs again = FibInputs::random(spread, 300, 1'000'000, 3);
    const FibInputs others = FibInputs::random(spread, 300, 1'000'000, 4);
    int differing = 0;
    for (std::int64_t i = 299; i >= 0; --i) {
      EXPECT_EQ(inputs[i], again[i]);
      differing += inputs[i] != others[i] ? 1 : 0;
    }
    EXPECT_GT(differing, 250);
  }
}

TEST(FibInputs, OfUniformSpreadReachBothEnds) {
  const FibInputs inputs = FibInputs::random(Spread::uniform, 1000, 9, 1);
  std::vector<int> times(10);
  for (std::int64_t i = 0; i < inputs.count(); ++i) ++times[inputs[i]];
  EXPECT_GT(std::ranges::min(times), 50);
}

TEST(FibInputs, OfLogUniformSpreadFillEveryOctaveAlike) {
  const FibInputs inputs = FibInputs::random(Spread::log_uniform, 17'000, 100'000, 1);
  std::vector<int> times(17);
  for (std::int64_t i = 0; i < inputs.count(); ++i) {
    ++times[inputs[i] <= 1 ? 0 : static_cast<std::size_t>(std::bit_width(inputs[i])) - 1];
  }
  EXPECT_GT(std::ranges::min(times), 850);
  EXPECT_LT(std::ranges::max(times), 1150);
}

TEST(FibInputs, OfAscendingSpreadGrowToTheLargest) {
  const FibInputs inputs = FibInputs::random(Spread::ascending, 7, 700, 1);
  for (std::int64_t i = 0; i < 7; ++i) EXPECT_EQ(inputs[i], 100U * static_cast<std::uint64_t>(i + 1));
}

TEST(FibInputs, OfGiantsHaveOneIn64AndTheLast) {
  const FibInputs inputs = FibInputs::random(Spread::giants, 640, 100'000, 1);
  int giants = 0;
  for (std::int64_t i = 0; i < inputs.count(); ++i) {
    giants += inputs[i] == 100'000 ? 1 : 0;
    EXPECT_TRUE(inputs[i] == 100'000 || inputs[i] <= 100'000 / 64);
  }
  EXPECT_EQ(giants, 10);
  EXPECT_EQ(inputs[639], 100'000U);
}

TEST(FibInputs, AreReadInRunsAsOneByOne) {
  const std::vector<std::uint64_t> list{5, 3, 900, 0};
  std::vector<FibInputs> all{FibInputs::given(list)};
  for (const Spread spread : all_spreads) {
    for (const std::uint64_t largest : {std::uint64_t{9}, UINT64_MAX}) {
      all.push_back(FibInputs::random(spread, 100, largest, 3));
    }
  }
  std::vector<std::uint64_t> room(100);
  for (const FibInputs& inputs : all) {
    for (const std::int64_t begin : {0, 1, 4}) {
      const std::span<const std::uint64_t> run = inputs.read({begin, inputs.count()}, room);
      ASSERT_EQ(static_cast<std::int64_t>(run.size()), inputs.count() - begin);
      for (std::size_t k = 0; k < run.size(); ++k) EXPECT_EQ(run[k], inputs[begin + static_cast<std::int64_t>(k)]);
    }
  }
}

TEST(FibInputs, MayBeAListOfTheCallers) {
  const std::vector<std::uint64_t> list{5, 3, 900, 0};
  const FibInputs inputs = FibInputs::given(list);
  EXPECT_EQ(inputs.count(), 4);
  EXPECT_EQ(inputs.largest(), 900U);
  for (std::size_t i = 0; i < list.size(); ++i) EXPECT_EQ(inputs[static_cast<std::int64_t>(i)], list[i]);
  EXPECT_EQ(FibInputs::given({}).count(), 0);
}

}  // namespace
}  // namespace duet
