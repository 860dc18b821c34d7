/// Jobs that really hang, under mpirun: what they say, how they end, what they leave in the record; and those that only
/// take long.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "drivers/command.hpp"
#include "drivers/study/launch.hpp"
#include "drivers/study/trials.hpp"
#include "tests/drivers/launch/scratch.hpp"

namespace duet {
namespace {

struct HungJob {
  Ending ending;
  std::vector<Trial> trials;

  [[nodiscard]] bool says(const std::string& text) const { return ending.output.find(text) != std::string::npos; }
  /// Lines of duet's own that begin with `text`.
  [[nodiscard]] int lines_with(const std::string& text) const {
    int count = 0;
    const std::string line = "duet: " + text;
    for (std::size_t at = 0; (at = ending.output.find(line, at)) != std::string::npos; ++at) ++count;
    return count;
  }
};

HungJob run_job(int ranks, const std::string& how, std::vector<std::string> more) {
  const Scratch scratch;
  const std::string json = (scratch / "trials.jsonl").string();
  Command command{MPIRUN_PROGRAM, "-n", std::to_string(ranks), DUET_MISBEHAVING, "run", "misbehave", "--model", "mpi"};
  command.insert(command.end(), {"--oversubscribe", "--repeat", "1", "--warm-up", "0", "--json", json});
  command.insert(command.end(), {"--set", "how=" + how});
  command.insert(command.end(), more.begin(), more.end());
  constexpr double limit_seconds = 60;
  const StopSignals stop;
  HungJob job;
  job.ending = run_process(command, limit_seconds, stop);
  job.trials = trials_from(json);
  return job;
}

/// The one trial of a job that ended with the status for it, and told so once.
nlohmann::json diagnosis_of(const HungJob& job) {
  EXPECT_EQ(job.ending.how, Ending::How::exited);
  EXPECT_EQ(job.ending.code, status::hung);
  EXPECT_EQ(job.lines_with("no progress for"), 1);
  if (job.trials.size() != 1) {
    ADD_FAILURE() << job.trials.size() << " trials";
    return {};
  }
  EXPECT_EQ(job.trials[0].outcome, Outcome::hung);
  EXPECT_EQ(job.trials[0].number, 0);
  EXPECT_NE(job.trials[0].message.find("hung: no progress for"), std::string::npos) << job.trials[0].message;
  EXPECT_EQ(job.trials[0].message.find('\n'), std::string::npos);
  return job.trials[0].diagnosis;
}

class HungJobs : public testing::TestWithParam<int> {};

TEST_P(HungJobs, NameRanksThatReceiveBeforeTheySend) {
  const HungJob job = run_job(GetParam(), "receive_first", {"--deadline", "1s"});
  SCOPED_TRACE(job.ending.output);
  const nlohmann::json found = diagnosis_of(job);
  EXPECT_EQ(found.at("kind"), "cycle");
  EXPECT_EQ(found.at("cycle").size(), static_cast<std::size_t>(GetParam()));
  const int last = GetParam() - 1;
  EXPECT_TRUE(job.says(fmt::format("rank 0 waits for rank {} in MPI_Recv (tag 7)", last)));
  EXPECT_TRUE(job.says("wait cycle: rank 0 -> "));
  EXPECT_EQ(found.at("ranks").at(0).at("waits").at(0).at("peer"), last);
  EXPECT_GE(found.at("ranks").at(0).at("seconds").get<double>(), 1.0);
  EXPECT_EQ(found.at("ranks").at(0).at("phase"), "trial 0: executing");
}

TEST_P(HungJobs, NameSendsBeyondTheEagerLimit) {
  const HungJob job = run_job(GetParam(), "send_first", {"--deadline", "1s"});
  SCOPED_TRACE(job.ending.output);
  EXPECT_EQ(diagnosis_of(job).at("kind"), "cycle");
  EXPECT_TRUE(job.says("rank 0 waits for rank 1 in MPI_Send (tag 3)"));
  EXPECT_TRUE(job.says("beyond the eager limit"));
}

TEST_P(HungJobs, NameCollectiveCallsThatDoNotMatch) {
  const HungJob job = run_job(GetParam(), "mismatch", {"--deadline", "1s"});
  SCOPED_TRACE(job.ending.output);
  EXPECT_EQ(diagnosis_of(job).at("kind"), "mismatch");
  EXPECT_TRUE(job.says("rank 0 is in MPI_Barrier, rank 1 in MPI_Bcast (root 0), on the same communicator"));
}

TEST_P(HungJobs, NameTagsThatDoNotMatch) {
  const HungJob job = run_job(GetParam(), "wrong_tag", {"--deadline", "1s"});
  SCOPED_TRACE(job.ending.output);
  EXPECT_EQ(diagnosis_of(job).at("cycle"), (std::vector<int>{0, 1}));
  EXPECT_TRUE(job.says("rank 0 sends with tag 3, and rank 1 receives with tag 7"));
}

TEST_P(HungJobs, NameWhatTheirRequestsAreFor) {
  const HungJob job = run_job(GetParam(), "wait_all", {"--deadline", "1s"});
  SCOPED_TRACE(job.ending.output);
  const int last = GetParam() - 1;
  EXPECT_EQ(diagnosis_of(job).at("ranks").at(0).at("call"), "MPI_Waitall");
  EXPECT_TRUE(
      job.says(fmt::format("waits for 2 requests in MPI_Waitall: MPI_Irecv from rank {}, tag 1; MPI_Irecv from "
                           "rank 1, tag 2",
                           last)));
}

TEST_P(HungJobs, SayThatNobodyIsLeftToSend) {
  const HungJob job = run_job(GetParam(), "anybody", {"--deadline", "1s"});
  SCOPED_TRACE(job.ending.output);
  EXPECT_EQ(diagnosis_of(job).at("kind"), "any_source");
}

TEST_P(HungJobs, NameRanksThatPollInVain) {
  const HungJob job = run_job(GetParam(), "poll", {"--deadline", "1s"});
  SCOPED_TRACE(job.ending.output);
  EXPECT_EQ(diagnosis_of(job).at("ranks").at(0).at("doing"), "polls");
  EXPECT_TRUE(job.says("in MPI_Test (MPI_Irecv, tag 5)"));
}

TEST_P(HungJobs, NameTheRankThatSleeps) {
  const HungJob job = run_job(GetParam(), "hang", {"--deadline", "1s", "--set", "rank=1"});
  SCOPED_TRACE(job.ending.output);
  EXPECT_EQ(diagnosis_of(job).at("kind"), "outside");
  EXPECT_TRUE(job.says("rank 1 is outside MPI and takes no processor time"));
  EXPECT_TRUE(job.says("rank 0 waits for rank 1 in MPI_Barrier"));
}

TEST_P(HungJobs, NameTheRankThatIsStopped) {
  const HungJob job = run_job(GetParam(), "stop", {"--deadline", "3s"});
  SCOPED_TRACE(job.ending.output);
  EXPECT_EQ(diagnosis_of(job).at("kind"), "outside");
  EXPECT_TRUE(job.says("rank 0 shows no sign of life")) << "and another rank tells of it";
}

TEST_P(HungJobs, AreToldOfAtTheTimeLimitToo) {
  const HungJob job = run_job(GetParam(), "receive_first", {"--time-limit", "2s"});
  SCOPED_TRACE(job.ending.output);
  EXPECT_EQ(job.ending.code, status::timed_out);
  EXPECT_EQ(job.lines_with("rank 0 of"), 1);
  ASSERT_EQ(job.trials.size(), 1U);
  EXPECT_EQ(job.trials[0].message.find("hung: no end within 2 s; was in trial 0: executing; a wait cycle: "), 0U)
      << job.trials[0].message;
}

TEST_P(HungJobs, AreNotThoseInWhichOneRankComputesAndAllOthersWaitNorThoseThatLackACore) {
  for (const char* how : {"compute", "compute_and_test", "starved"}) {
    const HungJob job = run_job(GetParam(), how, {"--deadline", "500ms", "--set", "pause=1800"});
    SCOPED_TRACE(how + job.ending.output);
    EXPECT_EQ(job.ending.code, status::right);
    ASSERT_EQ(job.trials.size(), 1U);
    EXPECT_EQ(job.trials[0].outcome, Outcome::right);
    EXPECT_FALSE(job.says("no progress"));
  }
}

TEST_P(HungJobs, WithoutADeadlineGoOnToTheTimeLimit) {
  const HungJob job = run_job(GetParam(), "hang_busy", {"--deadline", "never", "--time-limit", "2s"});
  SCOPED_TRACE(job.ending.output);
  EXPECT_EQ(job.ending.code, status::timed_out);
  ASSERT_EQ(job.trials.size(), 1U);
  EXPECT_EQ(job.trials[0].diagnosis.at("kind"), "computing");
  EXPECT_TRUE(job.says("rank 0, for "));
}

INSTANTIATE_TEST_SUITE_P(Ranks, HungJobs, testing::Values(2, 3), testing::PrintToStringParamName());

TEST(HungJob, IsEndedWhereTwoRanksWaitForEachOtherBesideOneThatComputes) {
  const HungJob job = run_job(3, "two_stuck_one_computes", {"--deadline", "1s"});
  SCOPED_TRACE(job.ending.output);
  EXPECT_EQ(diagnosis_of(job).at("cycle"), (std::vector<int>{1, 2}));
  EXPECT_TRUE(job.says("rank 0, for "));
}

TEST_P(HungJobs, AreNamedWhereTheyAreTests) {
  const StopSignals stop;
  HungJob job;
  job.ending = run_process({MPIRUN_PROGRAM, "-n", std::to_string(GetParam()), DEADLOCKED, "--deadline=1"}, 60, stop);
  SCOPED_TRACE(job.ending.output);
  EXPECT_EQ(job.ending.code, status::hung);
  EXPECT_EQ(job.lines_with("no progress for 1 s (Deadlocked.ReceivesBeforeItSends): a wait cycle: "), 1);
  EXPECT_TRUE(job.says(fmt::format("rank 0 waits for rank {} in MPI_Recv (tag 7)", GetParam() - 1)));
  EXPECT_TRUE(job.says("duet:   rank 0, for 1."));
  EXPECT_TRUE(job.says("each rank of the cycle receives, and none sends"));
}

TEST(HungProcess, WhoseThreadsSleepIsEndedAsWell) {
  const StopSignals stop;
  const Ending ending = run_process({DUET_MISBEHAVING, "run", "misbehave", "--model", "openmp", "--threads", "1",
                                     "--set", "how=hang", "--deadline", "1s"},
                                    60, stop);
  EXPECT_EQ(ending.code, status::hung) << ending.output;
  EXPECT_NE(ending.output.find("no progress for 1 s (trial 0: executing): the process takes no processor time"),
            std::string::npos)
      << ending.output;
}

}  // namespace
}  // namespace duet
