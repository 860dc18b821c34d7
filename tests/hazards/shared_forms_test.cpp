/// Every form by shared state, several times: the broken ones are detected each time, the cured ones never.

#include <gtest/gtest.h>

#include "kernels/hazards/hazard.hpp"
#include "tests/sanitizers.hpp"

namespace duet::hazards {
namespace {

#if defined(__SANITIZE_THREAD__)
constexpr bool reports_races = true;  // and the test would end as failed: tests/hazards/CMakeLists.txt has them apart
#else
constexpr bool reports_races = false;
#endif

void expect_as_it_should(const Hazard& hazard, const Form& form, const Stage& stage, int times) {
  for (int run = 0; run < times; ++run) {
    const Finding finding = hazard.judge(form.run(stage));
    // Sanitizers slow down what is near more than what is far: the ratio that false sharing is judged by is gone.
    if (under_sanitizer && hazard.name == "false_sharing") continue;
    EXPECT_EQ(finding.detected, form.broken)
        << hazard.name << ", " << form.name << ", run " << run << ": " << finding.says;
    EXPECT_FALSE(finding.says.empty());
  }
}

class SharedForms : public testing::TestWithParam<int> {};

TEST_P(SharedForms, AreDetectedWhereTheyAreBrokenAndOnlyThere) {
  constexpr int times = 4;
  const Stage stage{.execution = {.threads = GetParam()}};
  for (const Hazard& hazard : all_hazards()) {
    for (const Form& form : hazard.forms) {
      if (form.by == By::messages || (form.races && reports_races)) continue;
      expect_as_it_should(hazard, form, stage, times);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(OnTwoAndMoreThreads, SharedForms, testing::Values(2, 3));

TEST(SharedFormsOnOneThread, TakeTwo) {
  const Observation seen = hazard_called("lost_update").form("atomic").run({});
  EXPECT_EQ(seen.workers, 2);
  EXPECT_EQ(seen.got, seen.expected);
  EXPECT_GT(seen.seconds, 0);
  EXPECT_GT(seen.operations, 0);
}

TEST(LockOrder, NamesTheWorkersOfItsRing) {
  const Observation seen = hazard_called("lock_order").form("broken").run({.execution = {.threads = 3}});
  for (const char* line : {"worker 0 holds lock 0 and waits for lock 1, which worker 1 holds",
                           "worker 1 holds lock 1 and waits for lock 2, which worker 2 holds",
                           "worker 2 holds lock 2 and waits for lock 0, which worker 0 holds"}) {
    EXPECT_NE(seen.deadlock.find(line), std::string::npos) << seen.deadlock;
  }
}

}  // namespace
}  // namespace duet::hazards
