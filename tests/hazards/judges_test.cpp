/// The judges alone: when they have to say yes, and when no.

#include <gtest/gtest.h>

#include <set>

#include "kernels/hazards/hazard.hpp"

namespace duet::hazards {
namespace {

Finding judged(const char* hazard, const Observation& seen) { return hazard_called(hazard).judge(seen); }

TEST(HazardJudge, CountsUpdatesThatAreMissing) {
  EXPECT_FALSE(judged("lost_update", {.expected = 2000, .got = 2000}).detected);
  const Finding lost = judged("lost_update", {.expected = 2000000, .got = 1999688});
  EXPECT_TRUE(lost.detected);
  EXPECT_EQ(lost.says, "lost 312 of 2000000 updates");
  EXPECT_TRUE(judged("lost_update", {.expected = 2000, .got = 2001}).detected);
}

TEST(HazardJudge, TakesAnUpdateThatIsMuchSlowerForSharing) {
  EXPECT_TRUE(judged("false_sharing", {.slowdown = 4.4, .cores = 2}).detected);
  EXPECT_FALSE(judged("false_sharing", {.slowdown = 1.2, .cores = 2}).detected);
  EXPECT_FALSE(judged("false_sharing", {.slowdown = 0.2, .cores = 2}).detected);
  const Finding one_core = judged("false_sharing", {.slowdown = 1.0, .cores = 1});
  EXPECT_FALSE(one_core.detected);
  EXPECT_NE(one_core.says.find("one core"), std::string::npos);
}

TEST(HazardJudge, TakesOnlyACycleForADeadlock) {
  EXPECT_FALSE(judged("lock_order", {.seconds = 3600}).detected) << "slow is not dead";
  const Finding dead = judged("lock_order", {.deadlock = "worker 0 holds lock 0"});
  EXPECT_TRUE(dead.detected);
  EXPECT_NE(dead.says.find("worker 0 holds lock 0"), std::string::npos);
}

TEST(HazardJudge, CallsAWaitOfManyTurnsStarvation) {
  EXPECT_FALSE(judged("starvation", {.operations = 3000, .workers = 2, .longest_wait = 1}).detected);
  EXPECT_FALSE(judged("starvation", {.operations = 3000, .workers = 8, .longest_wait = 7}).detected);
  EXPECT_TRUE(judged("starvation", {.operations = 3000, .workers = 2, .longest_wait = 400}).detected);
}

TEST(HazardJudge, LeavesNoItemBeforeAnIdleWorker) {
  EXPECT_FALSE(judged("static_schedule", {.operations = 129, .items_left = 0, .load_balance = 0.4}).detected)
      << "a worker that the system slowed down is no hazard of the schedule";
  EXPECT_TRUE(judged("static_schedule", {.operations = 129, .items_left = 1, .load_balance = 0.99}).detected);
}

TEST(HazardJudge, TellsMicrosecondsOfWaitingFromTimeSlices) {
  EXPECT_FALSE(judged("oversubscription", {.cores = 2, .workers = 8, .burnt_seconds = 30e-6}).detected);
  EXPECT_TRUE(judged("oversubscription", {.cores = 2, .workers = 8, .burnt_seconds = 3e-3}).detected);
}

TEST(HazardJudge, LetsNobodyOfLowPriorityPass) {
  EXPECT_FALSE(judged("semaphore_priority", {.longest_wait = 0}).detected);
  EXPECT_TRUE(judged("semaphore_priority", {.longest_wait = 1}).detected);
}

TEST(HazardJudge, NamesTheMessageFromWhichSendsBlock) {
  EXPECT_FALSE(judged("send_send", {.expected = 5, .got = 5, .passes_bytes = 4041}).detected);
  EXPECT_TRUE(judged("send_send", {.expected = 5, .got = 4}).detected) << "wrong words are no cure";
  const Finding dead = judged("send_send", {.deadlock = "rank 0 in", .passes_bytes = 4040, .blocks_bytes = 4041});
  EXPECT_TRUE(dead.detected);
  EXPECT_NE(dead.says.find("from 4041 bytes on"), std::string::npos);
  EXPECT_NE(dead.says.find("4040 bytes still pass"), std::string::npos);
}

TEST(HazardJudge, SeesCollectivesThatDifferAndDataThatAreWrong) {
  EXPECT_FALSE(judged("mismatched_collective", {.expected = 9, .got = 9}).detected);
  EXPECT_TRUE(judged("mismatched_collective", {.expected = 9, .got = 9, .deadlock = "rank 0 calls"}).detected);
  EXPECT_TRUE(judged("mismatched_collective", {.expected = 9, .got = 8}).detected);
}

TEST(HazardJudge, SeesASingleWordOfAnotherMessage) {
  EXPECT_FALSE(judged("early_buffer", {.expected = 100, .got = 100}).detected);
  EXPECT_TRUE(judged("early_buffer", {.expected = 100, .got = 99}).detected);
}

TEST(Hazards, AreNamedOnceAndSayAllThatIsToBeSaid) {
  std::set<std::string> names;
  constexpr std::size_t summary_width = 47;
  for (const Hazard& hazard : all_hazards()) {
    SCOPED_TRACE(hazard.name);
    EXPECT_TRUE(names.insert(hazard.name).second);
    for (const std::string* text :
         {&hazard.summary, &hazard.why, &hazard.symptom, &hazard.detection, &hazard.operation}) {
      EXPECT_FALSE(text->empty());
    }
    EXPECT_LE(hazard.summary.size(), summary_width);
    std::set<std::string> forms;
    int broken = 0;
    for (const Form& form : hazard.forms) {
      EXPECT_TRUE(forms.insert(form.name).second) << form.name;
      EXPECT_FALSE(form.does.empty()) << form.name;
      broken += form.broken ? 1 : 0;
    }
    EXPECT_GE(broken, 1);
    EXPECT_GE(forms.size(), static_cast<std::size_t>(broken) + 2) << "at least two cures";
  }
}

TEST(Hazards, SayWhichThereAreWhereANameIsWrong) {
  try {
    static_cast<void>(hazard_called("deadlok"));
    FAIL() << "no error";
  } catch (const std::invalid_argument& error) {
    const std::string text = error.what();
    EXPECT_NE(text.find("'deadlok'"), std::string::npos);
    EXPECT_NE(text.find("lock_order"), std::string::npos);
  }
  EXPECT_THROW(static_cast<void>(hazard_called("send_send").form("mutex")), std::invalid_argument);
}

}  // namespace
}  // namespace duet::hazards
