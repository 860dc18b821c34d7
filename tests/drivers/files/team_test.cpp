#include "drivers/files/team.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <vector>

namespace duet {
namespace {

class EachModel : public testing::TestWithParam<Model> {
 protected:
  [[nodiscard]] static RunTeam team() { return {GetParam(), Execution{.threads = runs_threads(GetParam()) ? 3 : 1}}; }
};

TEST_P(EachModel, DoesEachPartOnce) {
  for (const std::int64_t parts : {0, 1, 2, 1000}) {
    std::vector<std::atomic<int>> done(static_cast<std::size_t>(parts));
    team().each(parts, [&](std::int64_t part) { ++done[static_cast<std::size_t>(part)]; });
    for (const auto& count : done) EXPECT_EQ(count, 1);
  }
}

TEST_P(EachModel, ThrowsWhatAWorkerThrows) {
  EXPECT_THROW(team().each(100,
                           [](std::int64_t part) {
                             if (part == 57) throw std::length_error{"57"};
                           }),
               std::length_error);
}

INSTANTIATE_TEST_SUITE_P(RunTeam, EachModel, testing::ValuesIn(all_models),
                         [](const auto& of) { return std::string{name_of(of.param)}; });

}  // namespace
}  // namespace duet
