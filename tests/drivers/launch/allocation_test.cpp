#include "drivers/study/allocation.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <string>

#include "drivers/study/dead_ranks.hpp"
#include "tests/drivers/launch/scratch.hpp"

namespace duet {
namespace {

/// The environment of a job, and programs that answer in the place of SLURM's, for as long as it lives.
class PretendedJob {
 public:
  PretendedJob() : path_{std::getenv("PATH")} {
    for (const char* const name : {"SLURM_JOB_END_TIME", "SLURM_JOB_NUM_NODES"}) unsetenv(name);
    setenv("SLURM_JOB_ID", "17", 1);
    setenv("PATH", (folder_ / "").c_str(), 1);
  }
  ~PretendedJob() {
    setenv("PATH", path_.c_str(), 1);
    for (const char* const name : {"SLURM_JOB_ID", "SLURM_JOB_END_TIME", "SLURM_JOB_NUM_NODES"}) unsetenv(name);
  }
  PretendedJob(const PretendedJob&) = delete;
  PretendedJob& operator=(const PretendedJob&) = delete;

  void program(const std::string& name, const std::string& script) const {
    std::ofstream{folder_ / name} << "#!/bin/sh\n" << script << "\n";
    chmod((folder_ / name).c_str(), S_IRWXU);
  }

 private:
  Scratch folder_;
  std::string path_;
};

TEST(SlurmSeconds, ReadsEveryFormThatSlurmWrites) {
  EXPECT_EQ(slurm_seconds("45"), 45);
  EXPECT_EQ(slurm_seconds("5:00"), 300);
  EXPECT_EQ(slurm_seconds("2:03:04"), 7384);
  EXPECT_EQ(slurm_seconds("1-02:03:04"), 93784);
  for (const char* const text : {"UNLIMITED", "INVALID", "NOT_SET", "", "1:", "a:10", "-5", "1-", "5:00 "}) {
    EXPECT_EQ(slurm_seconds(text), std::nullopt) << text;
  }
}

TEST(SecondsToPlanWith, LeaveTimeForTheSignalAndTheReport) {
  EXPECT_EQ(seconds_to_plan_with(600), 490);
  EXPECT_EQ(seconds_to_plan_with(40), 30) << "of a short job a quarter";
  EXPECT_EQ(seconds_to_plan_with(0), 0);
}

TEST(FindAllocation, SeesNoneOutsideAJob) {
  unsetenv("SLURM_JOB_ID");
  EXPECT_FALSE(find_allocation());
}

TEST(FindAllocation, AsksSqueueWhereTheEnvironmentDoesNotTellTheEnd) {
  const PretendedJob job;
  setenv("SLURM_JOB_NUM_NODES", "4", 1);
  job.program("squeue", "echo 1:01:00");
  const auto found = find_allocation();
  ASSERT_TRUE(found);
  EXPECT_EQ(found->job, "17");
  EXPECT_EQ(found->nodes, 4);
  EXPECT_EQ(found->seconds_left, 3660);

  const std::chrono::duration<double> now = std::chrono::system_clock::now().time_since_epoch();
  setenv("SLURM_JOB_END_TIME", std::to_string(static_cast<std::int64_t>(now.count()) + 100).c_str(), 1);
  EXPECT_NEAR(find_allocation()->seconds_left.value_or(0), 100, 50);
}

TEST(FindAllocation, TakesWhatCannotBeToldForNoLimit) {
  const PretendedJob job;
  EXPECT_EQ(find_allocation()->seconds_left, std::nullopt) << "there is no squeue";
  job.program("squeue", "echo UNLIMITED");
  EXPECT_EQ(find_allocation()->seconds_left, std::nullopt);
  job.program("squeue", "echo 'slurm_load_jobs error: Invalid job id specified'; exit 1");
  EXPECT_EQ(find_allocation()->seconds_left, std::nullopt);
}

TEST(StartOfRanks, IsMpirunOutsideAJob) {
  unsetenv("SLURM_JOB_ID");
  const StartOfRanks start = start_of_ranks("auto", "mpirun");
  EXPECT_EQ(start.launcher.kind, Launcher::Kind::local);
  EXPECT_FALSE(start.allocation);
  EXPECT_TRUE(start.note.empty());
  EXPECT_EQ(start_of_ranks("srun", "mpirun").launcher.words.front(), "srun");
  EXPECT_THROW(static_cast<void>(start_of_ranks("ssh", "mpirun")), std::invalid_argument);
}

TEST(StartOfRanks, IsSrunWhereSlurmHasPmixAndATrySucceeds) {
  const PretendedJob job;
  job.program("srun", "case $* in --mpi=list) echo pmix_v4 ;; *--ntasks=2*launcher*--try) exit 0 ;; *) exit 1 ;; esac");
  const StartOfRanks start = start_of_ranks("auto", "/nowhere/mpirun");
  EXPECT_EQ(start.launcher.kind, Launcher::Kind::srun) << start.note;
  EXPECT_TRUE(start.note.empty());
  EXPECT_EQ(start.launcher.words.front(), "srun");
}

TEST(StartOfRanks, IsMpirunWhereSrunDoesNotDoAndSaysWhy) {
  const PretendedJob job;
  job.program("mpirun", "");
  EXPECT_EQ(start_of_ranks("auto", "mpirun").note, "ranks are started by mpirun: there is no srun");
  job.program("srun", "echo none");
  EXPECT_EQ(start_of_ranks("auto", "mpirun").note, "ranks are started by mpirun: srun has no PMIx (srun --mpi=list)");
  job.program("srun",
              "test \"$*\" = --mpi=list && echo pmix && exit\necho 'duet: 2 ranks, but MPI sees 1' >&2; exit 2");
  EXPECT_EQ(start_of_ranks("auto", "mpirun").note,
            "ranks are started by mpirun: ranks that srun starts do not find each other: 2 ranks, but MPI sees 1");
  EXPECT_EQ(start_of_ranks("auto", "mpirun").launcher.words.front(), "mpirun");
}

TEST(StartOfRanks, SaysWhatWasTriedWhereNothingStartsRanks) {
  const PretendedJob job;
  try {
    static_cast<void>(start_of_ranks("auto", "mpirun"));
    FAIL();
  } catch (const std::invalid_argument& error) {
    EXPECT_STREQ(error.what(),
                 "nothing in job 17 starts ranks: there is no srun, and there is no 'mpirun' (--mpirun names another)");
  }
}

TEST(ObjectionToNodes, IsMadeOnlyWhereThisNodeAnswersAndAnotherDoesNot) {
  const PretendedJob job;
  const StopSignals stop;
  const Allocation two{.job = "17", .nodes = 2};
  setenv("SLURMD_NODENAME", "n1", 1);
  job.program("srun", "exit 0");
  EXPECT_EQ(objection_to_nodes(two, stop), "");
  job.program("srun", "case $* in *nodelist=n1*) ;; *) echo 'srun: error: n2 does not answer'; exit 1 ;; esac");
  EXPECT_EQ(objection_to_nodes(two, stop), "srun: error: n2 does not answer");
  EXPECT_EQ(objection_to_nodes({.job = "17", .nodes = 1}, stop), "");
  job.program("srun", "echo 'srun: error: not allowed here'; exit 1");
  EXPECT_EQ(objection_to_nodes(two, stop), "") << "nothing can be told where srun starts nothing at all";
  unsetenv("SLURMD_NODENAME");
}

TEST(DeadRanks, AreThoseOfWhichSrunNamesASignalThatItDidNotSend) {
  const auto found = dead_ranks_in(
      "srun: error: n3: task 7: Exited with exit code 1\nsrun: error: n2: tasks 2-3: Killed\n"
      "srun: error: n1: task 0: Segmentation fault (core dumped)\nsrun: error: n1: task 1: Terminated\n");
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].rank, "2-3");
  EXPECT_EQ(found[0].host, "n2");
  EXPECT_EQ(found[0].signal, SIGKILL);
  EXPECT_EQ(found[1].signal, SIGSEGV);
  EXPECT_TRUE(dead_ranks_in("").empty());
}

}  // namespace
}  // namespace duet
