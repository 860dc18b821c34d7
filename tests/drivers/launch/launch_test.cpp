#include "drivers/study/launch.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "drivers/command.hpp"
#include "tests/drivers/launch/scratch.hpp"

namespace duet {
namespace {

Ending run(const std::string& script, double limit_seconds = 20) {
  const StopSignals stop;
  return run_process({"/bin/sh", "-c", script}, limit_seconds, stop);
}

CellLaunch launch_of(Model model) {
  CellLaunch launch;
  launch.cell.problem = "matmul";
  launch.cell.model = model;
  launch.cell.size = "64";
  launch.cell.threads = runs_threads(model) ? 2 : 1;
  launch.cell.ranks = model == Model::mpi ? 2 : 1;
  launch.round = 3;
  launch.launch = 17;
  launch.time_limit = 20;
  launch.json = "trials.jsonl";
  return launch;
}

Trial right_trial(const CellLaunch& launch, int number) {
  Trial trial;
  trial.cell = launch.cell;
  trial.number = number;
  trial.outcome = Outcome::right;
  trial.seconds = 1e-3;
  if (number == 0) trial.marks = {"warm_up"};
  return trial;
}

Ending exited(int code, const std::string& output = "") {
  return {.how = Ending::How::exited, .code = code, .seconds = 1, .output = output};
}

TEST(RunProcess, KeepsStatusAndOutputOfBothStreams) {
  const Ending ending = run("echo first; echo second >&2; exit 7");
  EXPECT_EQ(ending.how, Ending::How::exited);
  EXPECT_EQ(ending.code, 7);
  EXPECT_EQ(ending.output, "first\nsecond\n");
}

TEST(RunProcess, PassesArgumentsAsTheyAreWithoutAShell) {
  const StopSignals stop;
  const Ending ending = run_process({"/bin/echo", "a b", "$HOME", "*", ";exit 3"}, 20, stop);
  EXPECT_EQ(ending.code, 0);
  EXPECT_EQ(ending.output, "a b $HOME * ;exit 3\n");
}

TEST(RunProcess, GivesNoStandardInput) { EXPECT_EQ(run("cat; echo end").output, "end\n"); }

TEST(RunProcess, TellsASignalFromAStatus) {
  const Ending ending = run("kill -SEGV $$");
  EXPECT_EQ(ending.how, Ending::How::signalled);
  EXPECT_EQ(ending.code, SIGSEGV);
}

TEST(RunProcess, SaysThatAProgramIsMissing) {
  const StopSignals stop;
  const Ending ending = run_process({"/nowhere/mpirun", "-n", "2"}, 20, stop);
  EXPECT_EQ(ending.how, Ending::How::not_started);
  EXPECT_EQ(ending.code, ENOENT);
}

TEST(RunProcess, EndsASleeperAtItsDeadline) {
  const Ending ending = run("echo working; sleep 1000", 0.2);
  EXPECT_EQ(ending.how, Ending::How::out_of_time);
  EXPECT_EQ(ending.output, "working\n");
}

TEST(RunProcess, EndsWhatIgnoresSigterm) {
  const Ending ending = run("trap '' TERM; echo deaf; while :; do sleep 1; done", 0.2);
  EXPECT_EQ(ending.how, Ending::How::out_of_time);
  EXPECT_EQ(ending.code, SIGKILL);
}

TEST(RunProcess, EndsWhatIsStopped) { EXPECT_EQ(run("kill -STOP $$; sleep 1000", 0.2).how, Ending::How::out_of_time); }

TEST(RunProcess, KeepsHeadAndTailOfAFlood) {
  const Ending ending = run("echo first line; yes much | head -c 3000000; echo last line");
  EXPECT_EQ(ending.how, Ending::How::exited);
  EXPECT_TRUE(ending.output.starts_with("first line\n"));
  EXPECT_TRUE(ending.output.ends_with("last line\n"));
  EXPECT_NE(ending.output.find("bytes left out"), std::string::npos);
  EXPECT_LT(ending.output.size(), 100'000U);
}

TEST(RunProcess, MeetsItsDeadlineInAnEndlessFlood) { EXPECT_EQ(run("yes endless", 0.3).how, Ending::How::out_of_time); }

TEST(RunProcess, LeavesNoGrandchildrenWhenItsChildEnds) {
  const Scratch scratch;
  const std::string token = scratch.path().string();
  // One stays in the group, one leads a group and session of its own, as the ranks of mpirun do; both hold the output.
  const Ending ending =
      run("sh -c 'sleep 1000; : " + token + "' & setsid sh -c 'sleep 1000; : " + token + "' & sleep 0.2; exit 5");
  EXPECT_EQ(ending.how, Ending::How::exited);
  EXPECT_EQ(ending.code, 5);
  EXPECT_TRUE(processes_with(token).empty());
}

TEST(RunProcess, LeavesNoGrandchildrenWhenItIsEnded) {
  const Scratch scratch;
  const std::string token = scratch.path().string();
  const Ending ending = run(
      "setsid sh -c 'trap \"\" TERM; setsid sh -c \"sleep 1000; : " + token + "\"; : " + token + "' & sleep 1000", 0.3);
  EXPECT_EQ(ending.how, Ending::How::out_of_time);
  EXPECT_TRUE(processes_with(token).empty());
}

TEST(RunProcess, EndsAtOnceWhenASignalCame) {
  const StopSignals stop;
  raise(SIGINT);
  EXPECT_EQ(stop.received(), SIGINT);
  const Ending ending = run_process({"/bin/sh", "-c", "sleep 1000"}, 900, stop);
  EXPECT_EQ(ending.how, Ending::How::stopped);
}

TEST(RunProcess, EndsWhenASignalComes) {
  const StopSignals stop;
  const Ending ending = run_process({"/bin/sh", "-c", "sleep 0.2; kill -TERM $PPID; sleep 1000"}, 900, stop);
  EXPECT_EQ(ending.how, Ending::How::stopped);
  EXPECT_EQ(stop.received(), SIGTERM);
}

TEST(StopSignals, ForgetWhenTheyEnd) {
  {
    const StopSignals stop;
    raise(SIGHUP);
    EXPECT_EQ(stop.received(), SIGHUP);
  }
  const StopSignals stop;
  EXPECT_EQ(stop.received(), 0);
  EXPECT_EQ(run("exit 0").how, Ending::How::exited);
}

TEST(ScrubEnvironment, TakesOutOpenMpsVariablesAndNoOthers) {
  setenv("OMP_NUM_THREADS", "7", 1);
  setenv("GOMP_SPINCOUNT", "0", 1);
  setenv("OMPI_MCA_pml", "ob1", 1);
  const std::vector<std::string> scrubbed = scrub_environment();
  EXPECT_NE(std::ranges::find(scrubbed, "OMP_NUM_THREADS=7"), scrubbed.end());
  EXPECT_NE(std::ranges::find(scrubbed, "GOMP_SPINCOUNT=0"), scrubbed.end());
  EXPECT_EQ(getenv("OMP_NUM_THREADS"), nullptr);
  EXPECT_STREQ(getenv("OMPI_MCA_pml"), "ob1");
  unsetenv("OMPI_MCA_pml");
}

TEST(MpirunWords, LeaveToTheUserWhatTheUserSet) {
  const Command words = mpirun_words("mpirun", 1, false, {"OMPI_MCA_pml=ucx"});
  EXPECT_EQ(std::ranges::count(words, "pml"), 0);
  EXPECT_EQ(std::ranges::count(words, "osc"), 1);
  EXPECT_EQ(std::ranges::count(words, "--allow-run-as-root"), 0);
}

TEST(MpirunWords, ChooseNoTransportBetweenNodes) {
  EXPECT_EQ(std::ranges::count(mpirun_words("mpirun", 2, true, {}), "pml"), 0);
  EXPECT_EQ(std::ranges::count(mpirun_words("mpirun", 2, true, {}), "--allow-run-as-root"), 1);
}

TEST(CommandOf, StartsASharedModelDirectly) {
  LaunchSettings settings;
  settings.duet = "/opt/duet";
  const Command words = command_of(launch_of(Model::openmp), settings);
  const Command expected{
      "/opt/duet", "run",     "matmul",   "--model",  "openmp",    "--size", "64",           "--threads", "2",
      "--seed",    "1",       "--repeat", "1",        "--at-most", "0.1s",   "--time-limit", "20s",       "--deadline",
      "7s",        "--round", "3",        "--launch", "17",        "--json", "trials.jsonl"};
  EXPECT_EQ(words, expected);
}

TEST(CommandOf, StartsRanksThroughMpirunAndOversubscribesOnlyWhereItMust) {
  LaunchSettings settings;
  settings.duet = "/opt/duet";
  settings.launcher.words = {"mpirun", "--bind-to", "none"};
  settings.launcher.cores_per_node = 2;
  CellLaunch launch = launch_of(Model::mpi);
  Command words = command_of(launch, settings);
  words.resize(6);
  EXPECT_EQ(words, (Command{"mpirun", "--bind-to", "none", "-n", "2", "/opt/duet"}));
  launch.cell.ranks = 3;
  settings.oversubscribe = true;
  words = command_of(launch, settings);
  EXPECT_EQ(words[3], "--oversubscribe");
  EXPECT_EQ(std::ranges::count(words, "--oversubscribe"), 2);
}

TEST(CommandOf, StartsEveryModelThroughSrunInAnAllocation) {
  LaunchSettings settings;
  settings.duet = "/opt/duet";
  settings.launcher.kind = Launcher::Kind::srun;
  settings.launcher.words = srun_words();
  const Command words = command_of(launch_of(Model::openmp), settings);
  EXPECT_EQ(words.front(), "srun");
  EXPECT_EQ(std::ranges::count(words, "--ntasks=1"), 1);
  EXPECT_TRUE(std::ranges::none_of(words, [](const std::string& word) { return word.starts_with("--cpus-per-task"); }))
      << "a step has all cores of its nodes, from which every model takes the same";
  EXPECT_EQ(std::ranges::count(words, "--overcommit"), 0);
  EXPECT_EQ(std::ranges::count(command_of(launch_of(Model::mpi), settings), "--overcommit"), 1);
}

TEST(JudgeLaunch, AddsNothingToALaunchThatEndedWell) {
  const CellLaunch launch = launch_of(Model::openmp);
  const auto trials = judge_launch(launch, {}, exited(0), {right_trial(launch, 0), right_trial(launch, 1)});
  ASSERT_EQ(trials.size(), 2U);
  EXPECT_EQ(trials[1].round, 3);
  EXPECT_EQ(trials[1].launch, 17);
}

TEST(JudgeLaunch, KeepsTrialsThatEndedBeforeTheProcessDied) {
  const CellLaunch launch = launch_of(Model::openmp);
  const Ending ending{.how = Ending::How::signalled, .code = SIGSEGV, .seconds = 1};
  const auto trials = judge_launch(launch, {}, ending, {right_trial(launch, 0)});
  ASSERT_EQ(trials.size(), 2U);
  EXPECT_EQ(trials[0].outcome, Outcome::right);
  EXPECT_EQ(trials[1].outcome, Outcome::failed);
  EXPECT_EQ(trials[1].number, 1);
  EXPECT_EQ(trials[1].message, "died by signal 11 (Segmentation fault)");
}

TEST(JudgeLaunch, SaysInWhichTrialALaunchHung) {
  const CellLaunch launch = launch_of(Model::openmp);
  const Ending ending{.how = Ending::How::out_of_time, .code = SIGKILL, .seconds = 22};
  const auto trials = judge_launch(launch, {}, ending, {right_trial(launch, 0), right_trial(launch, 1)});
  EXPECT_EQ(trials.back().outcome, Outcome::hung);
  EXPECT_EQ(trials.back().message, "hung: no end within 20 s; was in trial 2");
}

TEST(JudgeLaunch, SaysInWhichPhaseAProcessMetItsOwnLimit) {
  const CellLaunch launch = launch_of(Model::mpi);
  const auto trials = judge_launch(
      launch, {},
      exited(status::timed_out, "duet: rank 1 of 2: time limit of 20 s met; for 19.8 s in: trial 0: executing\n"), {});
  EXPECT_EQ(trials.back().outcome, Outcome::hung);
  EXPECT_EQ(trials.back().message, "hung: no end within 20 s; was in trial 0: executing");
}

TEST(JudgeLaunch, TakesWhatTheWatchdogRecordedForTheLastTrial) {
  const CellLaunch launch = launch_of(Model::mpi);
  Trial hung = right_trial(launch, 1);
  hung.outcome = Outcome::hung;
  hung.message = "hung: no progress for 30 s; was in trial 1: executing; a wait cycle: ...";
  hung.diagnosis = {{"kind", "cycle"}};
  const auto trials = judge_launch(launch, {}, exited(status::hung), {right_trial(launch, 0), hung, hung});
  ASSERT_EQ(trials.size(), 2U) << "each of two nodes tells of its own ranks";
  EXPECT_EQ(trials.back().message, hung.message);
  EXPECT_EQ(trials.back().diagnosis.at("kind"), "cycle");
}

TEST(JudgeLaunch, TakesWhatTheWatchdogSaidWhereItCouldNotRecord) {
  const auto trials =
      judge_launch(launch_of(Model::mpi), {},
                   exited(status::hung, "duet: no progress for 30 s (trial 0: executing): a wait cycle: ...\n"), {});
  EXPECT_EQ(trials.back().outcome, Outcome::hung);
  EXPECT_EQ(trials.back().message, "hung: no progress for 30 s (trial 0: executing): a wait cycle: ...");
}

TEST(JudgeLaunch, TellsADeadRankFromAStatus) {
  const std::string frame = "-----------\nmpirun noticed that process rank 1 with PID 0 on node n exited on signal 9\n";
  const CellLaunch launch = launch_of(Model::mpi);
  EXPECT_EQ(judge_launch(launch, {}, exited(137, frame), {}).back().message,
            "a rank died by signal 9 (Killed): rank 1 on n");
  const std::string of_srun =
      "srun: cluster configuration lacks support for cpu binding\nslurmstepd-n1: error: *** STEP 26.0 ON n1 CANCELLED\n"
      "srun: error: n2: task 3: Killed\nsrun: error: n1: tasks 0-1: Terminated\n";
  EXPECT_EQ(judge_launch(launch, {}, exited(143, of_srun), {}).back().message,
            "a rank died by signal 9 (Killed): rank 3 on n2");
  EXPECT_EQ(judge_launch(launch_of(Model::openmp), {}, exited(137), {}).back().message, "exit status 137");
}

TEST(JudgeLaunch, TellsATimeLimitFromTheSignalThatSrunEndsTheOthersWith) {
  const auto trials =
      judge_launch(launch_of(Model::mpi), {},
                   exited(143,
                          "duet: rank 0 of 2: time limit of 20 s met; for 19.7 s in: trial 1: executing\n"
                          "srun: error: n2: task 1: Terminated\n"),
                   {});
  EXPECT_EQ(trials.back().outcome, Outcome::hung);
  EXPECT_EQ(trials.back().message, "hung: no end within 20 s; was in trial 1: executing");
}

TEST(JudgeLaunch, PassesOverWhatSrunSaysOfBinding) {
  const auto trials = judge_launch(launch_of(Model::mpi), {},
                                   exited(1,
                                          "srun: cluster configuration lacks support for cpu binding\n"
                                          "srun: error: Unable to create step for job 6\n"),
                                   {});
  EXPECT_EQ(trials.back().message, "exit status 1: srun: error: Unable to create step for job 6");
}

TEST(JudgeLaunch, QuotesWhatDuetSaidBeforeWhatMpirunSays) {
  const auto trials = judge_launch(launch_of(Model::mpi), {},
                                   exited(1, "-----\nMPI_ABORT was invoked\nduet: rank 1 of 2: no more memory\n"), {});
  EXPECT_EQ(trials.back().message, "exit status 1: rank 1 of 2: no more memory");
}

TEST(JudgeLaunch, PassesOverReminders) {
  const auto trials =
      judge_launch(launch_of(Model::mpi), {},
                   exited(1,
                          "duet: rank 0 of 2: still, for 60 s now, in: trial 0: executing\n"
                          "duet: rank 1 of 2: no progress on this node for 30 s (trial 0: executing); it "
                          "goes on, as ranks of other nodes may compute: ...\n"
                          "duet:   rank 1, for 30.1 s: ...\n"
                          "duet: rank 1 of 2: no more memory\n"),
                   {});
  EXPECT_EQ(trials.back().message, "exit status 1: rank 1 of 2: no more memory");
}

TEST(JudgeLaunch, SaysThatMpirunIsMissing) {
  LaunchSettings settings;
  settings.launcher.words = {"/nowhere/mpirun"};
  const Ending ending{.how = Ending::How::not_started, .code = ENOENT};
  EXPECT_EQ(judge_launch(launch_of(Model::mpi), settings, ending, {}).back().message,
            "cannot start '/nowhere/mpirun': No such file or directory; is MPI installed, and in PATH? (--mpirun names "
            "another)");
}

TEST(JudgeLaunch, DoesNotTakeLeavingEarlyForTheEnd) {
  CellLaunch launch = launch_of(Model::openmp);
  launch.repeat = 5;
  const auto first = right_trial(launch, 0);
  EXPECT_EQ(judge_launch(launch, {}, exited(0), {first}).back().message,
            "ended in the middle of trial 1, with status 0");
  // One second is more than it was given for trials: it may stop after the second.
  EXPECT_EQ(judge_launch(launch, {}, exited(0), {first, right_trial(launch, 1)}).size(), 2U);
  launch.at_most = 3;
  EXPECT_EQ(judge_launch(launch, {}, exited(0), {first, right_trial(launch, 1)}).back().outcome, Outcome::failed);
  launch.repeat = 1;
  EXPECT_EQ(judge_launch(launch, {}, exited(0), {first, first, first, right_trial(launch, 3)}).size(), 4U);
}

TEST(JudgeLaunch, DoesNotTakeSilenceForAnAnswer) {
  EXPECT_EQ(judge_launch(launch_of(Model::openmp), {}, exited(0), {}).back().message, "ended without an answer");
}

TEST(JudgeLaunch, DoesNotTakeTheAnswerToAnotherQuestion) {
  const CellLaunch launch = launch_of(Model::openmp);
  Trial other = right_trial(launch, 0);
  other.cell.threads = 1;
  const auto trials = judge_launch(launch, {}, exited(0), {other});
  EXPECT_EQ(trials.front().outcome, Outcome::failed);
  EXPECT_EQ(trials.front().message, "'matmul/openmp/64/1x1' was measured and not 'matmul/openmp/64/1x2'");
  EXPECT_EQ(trials.front().cell, launch.cell);
}

TEST(JudgeLaunch, DoesNotTakeRanksOnOtherNodesThanAskedForAnAnswer) {
  CellLaunch launch = launch_of(Model::mpi);
  launch.cell.nodes = 2;
  Trial trial = right_trial(launch, 0);
  const auto message_of = [&](const std::vector<std::string>& hosts) {
    trial.places.clear();
    for (std::size_t rank = 0; rank < hosts.size(); ++rank) {
      WorkerPlace& place = trial.places.emplace_back();
      place.rank = static_cast<int>(rank);
      place.host = hosts[rank];
    }
    const Trial judged = judge_launch(launch, {}, exited(0), {trial}).front();
    return judged.outcome == Outcome::right ? "right" : judged.message;
  };
  EXPECT_EQ(message_of({"n1", "n2"}), "right");
  EXPECT_EQ(message_of({"n1", "n1"}),
            "the launcher put the ranks elsewhere: 2 on n1, and 2 nodes with equal parts were asked for");
  launch.cell.ranks = 4;
  trial.cell = launch.cell;
  EXPECT_EQ(message_of({"n1", "n1", "n1", "n2"}),
            "the launcher put the ranks elsewhere: 3 on n1, 1 on n2, and 2 nodes with equal parts were asked for");
}

TEST(JudgeLaunch, AddsNothingToAWrongAnswer) {
  const CellLaunch launch = launch_of(Model::openmp);
  Trial wrong = right_trial(launch, 0);
  wrong.outcome = Outcome::wrong;
  EXPECT_EQ(judge_launch(launch, {}, exited(status::not_right), {wrong}).size(), 1U);
}

TEST(TrialsFrom, LeaveOutALineThatWasCutOff) {
  const Scratch scratch;
  const std::string path = scratch / "launch.jsonl";
  const std::string line = nlohmann::json(right_trial(launch_of(Model::openmp), 0)).dump();
  std::ofstream{path} << line << '\n' << line.substr(0, line.size() / 2);
  EXPECT_EQ(trials_from(path).size(), 1U);
  EXPECT_TRUE(trials_from(scratch / "nothing").empty());
  std::ofstream{path} << "no trial\n" << line << '\n';
  EXPECT_THROW(static_cast<void>(trials_from(path)), std::runtime_error);
}

}  // namespace
}  // namespace duet
