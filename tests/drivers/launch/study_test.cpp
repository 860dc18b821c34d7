/// Whole studies by `duet compare`, with a registry that misbehaves as it is told.

#include "drivers/study/study.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <thread>

#include "drivers/command.hpp"
#include "tests/drivers/launch/running_study.hpp"
#include "tests/drivers/launch/scratch.hpp"

namespace duet {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

Command compare_words(const std::vector<std::string>& arguments) {
  Command words{DUET_MISBEHAVING, "compare"};
  words.insert(words.end(), arguments.begin(), arguments.end());
  return words;
}

Ending compare(const std::vector<std::string>& arguments) {
  const StopSignals stop;
  constexpr double limit_seconds = 100;
  return run_process(compare_words(arguments), limit_seconds, stop);
}

int lines_in(const std::string& text) { return static_cast<int>(std::ranges::count(text, '\n')); }

/// Two problems of one size on serial and two ranks: four cells, of which two misbehave.
std::vector<std::string> small_study(const fs::path& folder, const std::string& how) {
  return {"steady", "misbehave",  "--models", "serial,mpi", "--workers",       "2",  "--sizes",      "3",
          "--set",  "how=" + how, "--rounds", "3",          "--oversubscribe", "-o", folder.string()};
}

std::map<std::string, int> launches_of(const std::vector<Trial>& trials) {
  std::map<std::string, std::set<int>> launches;
  for (const Trial& trial : trials) launches[trial.cell.id()].insert(trial.launch);
  std::map<std::string, int> counts;
  for (const auto& [id, numbers] : launches) counts[id] = static_cast<int>(numbers.size());
  return counts;
}

std::vector<Trial> of_problem(const std::vector<Trial>& trials, const std::string& problem, Model model) {
  std::vector<Trial> some;
  std::ranges::copy_if(trials, std::back_inserter(some),
                       [&](const Trial& trial) { return trial.cell.problem == problem && trial.cell.model == model; });
  return some;
}

struct Trouble {
  std::string how;
  Outcome outcome;
  std::string serial;  ///< a part of the message
  std::string mpi;
};

void PrintTo(const Trouble& trouble, std::ostream* out) { *out << trouble.how; }

class StudyOfMisbehaviour : public testing::TestWithParam<Trouble> {};

TEST_P(StudyOfMisbehaviour, GoesOnAndSaysSo) {
  const Scratch scratch;
  const fs::path folder = scratch / "study";
  auto arguments = small_study(folder, GetParam().how);
  arguments.insert(arguments.end(), {"--set", "when=1", "--time-limit", "4s"});
  const Ending ending = compare(arguments);
  EXPECT_EQ(ending.how, Ending::How::exited) << ending.output;
  EXPECT_EQ(ending.code, status::incomplete) << ending.output;
  EXPECT_TRUE(nothing_runs_with(folder.string()));

  const SavedStudy study = load_study(folder);
  EXPECT_EQ(study.record.ending, "complete");
  for (const Model model : {Model::serial, Model::mpi}) {
    const auto steady = of_problem(study.trials, "steady", model);
    EXPECT_EQ(launches_of(steady).begin()->second, 3);
    EXPECT_TRUE(std::ranges::all_of(steady, [](const Trial& trial) { return trial.outcome == Outcome::right; }));
    const auto bad = of_problem(study.trials, "misbehave", model);
    ASSERT_FALSE(bad.empty());
    EXPECT_EQ(launches_of(bad).begin()->second, 2) << "what failed twice is not launched again";
    const auto first = std::ranges::find_if(bad, [](const Trial& trial) { return trial.outcome != Outcome::right; });
    ASSERT_NE(first, bad.end());
    EXPECT_EQ(first->outcome, GetParam().outcome) << first->message;
    const std::string& part = model == Model::mpi ? GetParam().mpi : GetParam().serial;
    EXPECT_NE(first->message.find(part), std::string::npos) << first->message;
    EXPECT_EQ(first->message.find('\n'), std::string::npos);
    EXPECT_NE(ending.output.find(first->message), std::string::npos) << ending.output;
  }
  EXPECT_TRUE(fs::exists(folder / "report.html"));
  EXPECT_FALSE(fs::exists(folder / "plan.json"));
  EXPECT_FALSE(fs::exists(folder / "launch.jsonl"));
}

INSTANTIATE_TEST_SUITE_P(
    Ways, StudyOfMisbehaviour,
    testing::Values(Trouble{"wrong", Outcome::wrong, "the sum is 41 and not 42", "the sum is 41 and not 42"},
                    Trouble{"throw", Outcome::failed, "exit status 1: thrown on purpose",
                            "rank 0 of 2: thrown on purpose"},
                    Trouble{"die", Outcome::failed, "died by signal 9", "a rank died by signal 9"},
                    Trouble{"leave_early", Outcome::failed, "ended in the middle of trial 1", "exit status 1"},
                    Trouble{"flood", Outcome::failed, "exit status 1: ", "exit status 1: "},
                    Trouble{"hang", Outcome::hung, "hung: no end within 4 s; was in trial 1",
                            "hung: no end within 4 s; was in trial 1"},
                    Trouble{"stop", Outcome::hung, "hung: no end within 4 s; was in trial 1",
                            "hung: no end within 4 s; was in trial 1"}),
    [](const testing::TestParamInfo<Trouble>& one) { return one.param.how; });

TEST(Study, SaysWhichRanksOfAHungCellWaitForWhich) {
  const Scratch scratch;
  const Ending ending =
      compare({"misbehave", "--models", "mpi", "--workers", "2", "--sizes", "3", "--set", "how=receive_first",
               "--rounds", "1", "--time-limit", "15s", "--oversubscribe", "-o", (scratch / "study").string()});
  EXPECT_EQ(ending.code, status::not_right) << "nothing at all was right";
  const Trial last = load_study(scratch / "study").trials.back();
  EXPECT_EQ(last.outcome, Outcome::hung);
  EXPECT_EQ(last.message.find("hung: no progress for 5 s; was in trial 0: executing; a wait cycle: rank 0 waits"), 0U)
      << last.message;
  EXPECT_EQ(last.diagnosis.at("cycle"), (std::vector<int>{0, 1}));
  EXPECT_NE(ending.output.find(last.message), std::string::npos) << ending.output;
}

TEST(Study, NamesTheRankThatFailed) {
  const Scratch scratch;
  const Ending ending =
      compare({"misbehave", "--models", "mpi", "--workers", "2", "--sizes", "3", "--set", "how=throw", "--set",
               "rank=1", "--rounds", "1", "--oversubscribe", "-o", (scratch / "study").string()});
  EXPECT_EQ(ending.code, status::not_right) << "nothing at all was right";
  EXPECT_NE(load_study(scratch / "study").trials.back().message.find("rank 1 of 2: thrown on purpose"),
            std::string::npos);
}

TEST(Study, EndsWellWhenEverythingIsRight) {
  const Scratch scratch;
  const fs::path folder = scratch / "study";
  const Ending ending = compare({"steady", "--models", "serial,openmp,tbb,mpi,hybrid", "--workers", "1", "--sizes", "3",
                                 "--rounds", "2", "-o", folder.string(), "--quiet"});
  EXPECT_EQ(ending.code, status::right) << ending.output;
  const SavedStudy study = load_study(folder);
  EXPECT_EQ(launches_of(study.trials).size(), 5U);
  EXPECT_EQ(study.record.ending, "complete");
  EXPECT_EQ(study.record.options.at("rounds"), "2");
  EXPECT_EQ(study.record.command[1], "compare");
  EXPECT_FALSE(study.record.machine.processor.empty());
  EXPECT_FALSE(study.record.versions.empty());
}

TEST(Study, RecordsWhatItTookOutOfTheEnvironment) {
  const Scratch scratch;
  const fs::path folder = scratch / "study";
  setenv("OMP_NUM_THREADS", "7", 1);
  const Ending ending = compare(
      {"steady", "--models", "openmp", "--workers", "1", "--sizes", "3", "--rounds", "1", "-o", folder.string()});
  unsetenv("OMP_NUM_THREADS");
  EXPECT_EQ(ending.code, status::right) << ending.output;
  EXPECT_NE(load_study(folder).record.options.at("environment_removed").find("OMP_NUM_THREADS=7"), std::string::npos);
  EXPECT_NE(ending.output.find("OMP_NUM_THREADS=7"), std::string::npos);
}

TEST(Study, SaysThatMpirunIsMissing) {
  const Scratch scratch;
  const Ending ending = compare({"steady", "--models", "serial,mpi", "--workers", "1", "--sizes", "3", "--rounds", "1",
                                 "-o", (scratch / "study").string(), "--mpirun", "/nowhere/mpirun"});
  EXPECT_EQ(ending.code, status::incomplete);
  EXPECT_NE(ending.output.find("cannot start '/nowhere/mpirun': No such file or directory"), std::string::npos)
      << ending.output;
}

TEST(Study, RefusesCellsThatNeedTooMuchMemoryAndMeasuresTheOthers) {
  const Scratch scratch;
  const Ending ending = compare(
      {"steady", "--models", "serial", "--sizes", "3,5000000", "--rounds", "1", "-o", (scratch / "study").string()});
  EXPECT_EQ(ending.code, status::incomplete) << ending.output;
  EXPECT_NE(ending.output.find("steady/serial/5000000/1x1 is left out: needs about 5.5e+09 GB of memory"),
            std::string::npos)
      << ending.output;
  const SavedStudy study = load_study(scratch / "study");
  EXPECT_EQ(study.trials.front().outcome, Outcome::refused);
  EXPECT_EQ(launches_of(study.trials).size(), 2U);
}

TEST(Study, PrintsItsLaunchesAndStartsNothingInADryRun) {
  const Scratch scratch;
  const fs::path folder = scratch / "study";
  const Ending ending = compare({"steady", "--models", "openmp,mpi", "--workers", "2", "--oversubscribe", "--sizes",
                                 "3", "--set", "pause=5", "-o", folder.string(), "--dry-run"});
  EXPECT_EQ(ending.code, status::right) << ending.output;
  EXPECT_FALSE(fs::exists(folder));
  EXPECT_EQ(lines_in(ending.output), 2) << ending.output;
  EXPECT_NE(ending.output.find("-n 2 " DUET_MISBEHAVING " run steady --model mpi --size 3 --threads 1 --seed 1 --set "
                               "pause=5 "),
            std::string::npos)
      << ending.output;
}

struct Mistake {
  std::vector<std::string> arguments;
  std::string part;  ///< of the message
};

TEST(Study, TellsMistakesInOneLineAndStartsNothing) {
  const Scratch scratch;
  const std::string folder = (scratch / "study").string();
  const std::vector<Mistake> mistakes{
      {{"nothing"}, "'nothing'"},
      {{"steady", "--models", "cuda"}, "'cuda' is none of serial, openmp, tbb, mpi, hybrid"},
      {{"steady", "--sizes", "-4"}, "'-4' is not a whole number"},
      {{"steady", "--sizes", "1.5"}, "'1.5'"},
      {{"steady", "--workers", "0"}, "'0'"},
      {{"steady", "--workers", "1000000"}, "--workers 1000000: this job may use"},
      {{"steady", "--workers", "99999999999999"}, "99999999999999"},
      {{"steady", "--budget", "soon"}, "soon"},
      {{"steady", "--precision", "200%"}, "200%"},
      {{"steady", "--rounds", "-1"}, "-1"},
      {{"steady", "--set", "colour=red"}, "'colour'"},
      {{"steady", "--set", "pause=never"}, "never"},
      {{"steady", "--set", "pause"}, "pause"},
      {{"steady", "--launcher", "ssh"}, "ssh"},
      {{"steady", "--resume"}, "no study in"},
  };
  for (const Mistake& mistake : mistakes) {
    std::vector<std::string> arguments = mistake.arguments;
    arguments.insert(arguments.end(), {"-o", folder});
    const Ending ending = compare(arguments);
    EXPECT_EQ(ending.code, status::usage) << ending.output;
    EXPECT_EQ(lines_in(ending.output), 1) << ending.output;
    EXPECT_NE(ending.output.find(mistake.part), std::string::npos) << ending.output;
    EXPECT_FALSE(fs::exists(folder)) << ending.output;
  }
}

TEST(Study, SaysThatItsFolderCannotBeWritten) {
  const Scratch scratch;
  std::ofstream{scratch / "file"} << "not a folder\n";
  const Ending ending = compare({"steady", "--models", "serial", "-o", (scratch / "file" / "study").string()});
  EXPECT_EQ(ending.code, status::usage);
  EXPECT_NE(ending.output.find("cannot be made: Not a directory"), std::string::npos) << ending.output;
  EXPECT_EQ(lines_in(ending.output), 1);
}

std::vector<std::string> long_study(const fs::path& folder) {
  return {"steady",   "--models", "serial,openmp,mpi", "--workers", "1", "--sizes", "3,4", "--rounds", "4", "--set",
          "pause=20", "-o",       folder.string()};
}

TEST(InterruptedStudy, EndsWithinTwoSecondsAndGoesOnToExactlyThePlannedTrials) {
  const Scratch scratch;
  const fs::path folder = scratch / "study";
  const std::string output = (scratch / "output").string();
  double quickest = 1e9;
  std::size_t kept = 0;
  for (int interruption = 0; interruption < 3; ++interruption) {
    std::vector<std::string> arguments = long_study(folder);
    if (interruption > 0) arguments = {"-o", folder.string(), "--resume"};
    RunningStudy running{compare_words(arguments), output};
    ASSERT_TRUE(has_launches(folder, 3 * static_cast<std::size_t>(interruption) + 2));
    std::this_thread::sleep_for(std::chrono::milliseconds{30 * interruption});
    const Clock::time_point begin = Clock::now();
    running.send(interruption == 1 ? SIGTERM : SIGINT);
    EXPECT_EQ(running.wait(), status::interrupted);
    quickest = std::min(quickest, std::chrono::duration<double>(Clock::now() - begin).count());
    EXPECT_TRUE(processes_with(folder.string()).empty());
    const SavedStudy study = load_study(folder);
    EXPECT_EQ(study.record.ending, "interrupted");
    EXPECT_GT(study.trials.size(), kept);
    kept = study.trials.size();
    std::stringstream text;
    text << std::ifstream{output}.rdbuf();
    EXPECT_NE(text.str().find("duet compare -o " + folder.string() + " --resume"), std::string::npos) << text.str();
  }
  EXPECT_LT(quickest, 2.0);
  const Ending ending = compare({"-o", folder.string(), "--resume"});
  EXPECT_EQ(ending.code, status::right) << ending.output;
  expect_the_planned_trials(load_study(folder), 6, 4);
}

TEST(InterruptedStudy, LeavesNothingRunningAfterASecondSignal) {
  const Scratch scratch;
  const fs::path folder = scratch / "study";
  RunningStudy running{compare_words(
      {"misbehave", "--models", "serial", "--sizes", "3", "--set", "how=hang_on", "-o", folder.string()})};
  for (int attempt = 0; attempt < 500 && processes_with((folder / "launch.jsonl").string()).empty(); ++attempt) {
    std::this_thread::sleep_for(std::chrono::milliseconds{20});
  }
  std::this_thread::sleep_for(std::chrono::milliseconds{200});
  running.send(SIGINT);
  std::this_thread::sleep_for(std::chrono::milliseconds{50});
  running.send(SIGINT);
  EXPECT_EQ(running.wait(), status::interrupted);
  EXPECT_TRUE(nothing_runs_with(folder.string()));
}

TEST(InterruptedStudy, SurvivesItsOwnDeath) {
  const Scratch scratch;
  const fs::path folder = scratch / "study";
  {
    RunningStudy running{compare_words(long_study(folder))};
    ASSERT_TRUE(has_launches(folder, 5));
    running.send(SIGKILL);
    EXPECT_EQ(running.wait(), -SIGKILL);
  }
  EXPECT_TRUE(nothing_runs_with(folder.string())) << "the kernel ends the launch of a dead study";
  // As if the process had died in the middle of a line.
  std::ofstream{folder / "trials.jsonl", std::ios::app} << R"({"cell": {"problem": "stea)";
  const Ending ending = compare({"-o", folder.string(), "--resume"});
  EXPECT_EQ(ending.code, status::right) << ending.output;
  expect_the_planned_trials(load_study(folder), 6, 4);
}

TEST(InterruptedStudy, IsNotMixedWithAnotherOne) {
  const Scratch scratch;
  const fs::path folder = scratch / "study";
  {
    RunningStudy running{compare_words(long_study(folder))};
    ASSERT_TRUE(has_launches(folder, 2));
    running.send(SIGINT);
    running.wait();
  }
  const std::size_t before = load_study(folder).trials.size();
  Ending ending = compare(long_study(folder));
  EXPECT_EQ(ending.code, status::usage);
  EXPECT_NE(ending.output.find("--resume goes on with it"), std::string::npos) << ending.output;
  ending = compare({"-o", folder.string(), "--resume", "--rounds", "9"});
  EXPECT_EQ(ending.code, status::usage);
  EXPECT_NE(ending.output.find("rounds = '4', and now it is '9'"), std::string::npos) << ending.output;
  ending = compare({"steady", "-o", folder.string(), "--resume", "--seed", "2"});
  EXPECT_NE(ending.output.find("seed = '1', and now it is '2'"), std::string::npos) << ending.output;
  EXPECT_EQ(load_study(folder).trials.size(), before);
}

TEST(Study, KeepsOthersOutOfItsFolderAndWarnsThemOnItsMachine) {
  const Scratch scratch;
  const fs::path folder = scratch / "study";
  RunningStudy running{compare_words(long_study(folder))};
  ASSERT_TRUE(has_launches(folder, 1));
  Ending ending = compare({"-o", folder.string(), "--resume"});
  EXPECT_EQ(ending.code, status::usage);
  EXPECT_NE(ending.output.find("another duet is measuring into this folder now"), std::string::npos) << ending.output;

  ending =
      compare({"steady", "--models", "serial", "--sizes", "3", "--rounds", "1", "-o", (scratch / "other").string()});
  EXPECT_EQ(ending.code, status::right) << ending.output;
  EXPECT_NE(ending.output.find("another study is running on this machine"), std::string::npos) << ending.output;
  EXPECT_FALSE(load_study(scratch / "other").record.warnings.empty());
  running.send(SIGINT);
  EXPECT_EQ(running.wait(), status::interrupted);
}

TEST(Study, KeepsWhatItMeasuredWhenTheDiskIsFull) {
#ifdef __SANITIZE_THREAD__
  GTEST_SKIP() << "under a limit of file sizes ThreadSanitizer cannot map its own memory";
#endif
  const Scratch scratch;
  const fs::path folder = scratch / "study";
  // Without ranks: mpirun itself needs files that are larger than this.
  const std::vector<std::string> arguments{"steady", "--models", "serial,openmp", "--workers",
                                           "1",      "--sizes",  "3,4,5",         "--rounds",
                                           "4",      "-o",       folder.string()};
  Command words{"/bin/bash", "-c", "ulimit -f 40; exec \"$0\" \"$@\""};
  const Command study_words = compare_words(arguments);
  words.insert(words.end(), study_words.begin(), study_words.end());
  const StopSignals stop;
  Ending ending = run_process(words, 100, stop);
  EXPECT_EQ(ending.code, status::not_right) << ending.output;
  EXPECT_NE(ending.output.find("trials.jsonl: cannot be written: File too large"), std::string::npos) << ending.output;
  EXPECT_TRUE(nothing_runs_with(folder.string()));
  const SavedStudy study = load_study(folder);
  EXPECT_FALSE(study.trials.empty());

  ending = compare({"-o", folder.string(), "--resume"});
  EXPECT_EQ(ending.code, status::right) << ending.output;
  expect_the_planned_trials(load_study(folder), 6, 4);
}

TEST(Study, HasNothingMoreToDoWhenItIsComplete) {
  const Scratch scratch;
  const fs::path folder = scratch / "study";
  const std::vector<std::string> arguments{"steady",   "--models", "serial", "--sizes",      "3",
                                           "--rounds", "1",        "-o",     folder.string()};
  EXPECT_EQ(compare(arguments).code, status::right);
  const std::size_t trials = load_study(folder).trials.size();
  const Ending ending = compare({"-o", folder.string(), "--resume"});
  EXPECT_EQ(ending.code, status::right) << ending.output;
  EXPECT_NE(ending.output.find("is complete"), std::string::npos);
  EXPECT_EQ(load_study(folder).trials.size(), trials);
}

TEST(Study, StartsNoRanksUnderMpirun) {
  const Scratch scratch;
  const StopSignals stop;
  Command words{"/usr/bin/env", "OMPI_COMM_WORLD_RANK=0", "OMPI_COMM_WORLD_SIZE=2"};
  const Command study_words = compare_words({"steady", "-o", (scratch / "study").string()});
  words.insert(words.end(), study_words.begin(), study_words.end());
  const Ending ending = run_process(words, 60, stop);
  EXPECT_EQ(ending.code, status::usage);
  EXPECT_NE(ending.output.find("run it without mpirun"), std::string::npos) << ending.output;
}

std::vector<std::string> asking_study(const fs::path& folder, const std::string& how = "right") {
  return {"asking", "--models", "serial,openmp", "--workers", "1",          "--sizes", "2,4",          "--rounds",
          "2",      "--set",    "pause=10",      "--set",     "how=" + how, "-o",      folder.string()};
}

struct Tries {
  int launches = 0;
  int rounds = 0;  ///< that have the cell with the change and without it
};

Tries tries_of(const SavedStudy& study) {
  std::set<int> launches;
  std::map<int, std::set<std::string>> readers;
  for (const Trial& trial : study.trials) {
    if (trial.tried.empty()) continue;
    EXPECT_EQ(trial.tried, (std::map<std::string, std::string>{{"readers", "4"}}));
    EXPECT_EQ(trial.cell.size, "4");
    launches.insert(trial.launch);
    readers[trial.round].insert(trial.cell.tunables.at("readers"));
  }
  const auto both = [](const auto& of_round) { return of_round.second == std::set<std::string>{"1", "4"}; };
  return {static_cast<int>(launches.size()), static_cast<int>(std::ranges::count_if(readers, both))};
}

SavedStudy without_tries(SavedStudy study) {
  std::erase_if(study.trials, [](const Trial& trial) { return !trial.tried.empty(); });
  return study;
}

TEST(Study, TriesWhatMayHelpAPipelineBesideTheCellAsItIs) {
  const Scratch scratch;
  const fs::path folder = scratch / "study";
  const Ending ending = compare(asking_study(folder));
  EXPECT_EQ(ending.code, status::right) << ending.output;
  EXPECT_NE(ending.output.find("asking on 1 worker at n = 4: this job waits"), std::string::npos) << ending.output;
  EXPECT_NE(ending.output.find("- openmp: tried readers=4: "), std::string::npos) << ending.output;
  const SavedStudy study = load_study(folder);
  EXPECT_EQ(study.record.ending, "complete");
  EXPECT_EQ(tries_of(study).launches, 4);
  EXPECT_EQ(tries_of(study).rounds, 2);
  expect_the_planned_trials(without_tries(study), 4, 2);
  const Analysis analysis = analyse(study);
  ASSERT_EQ(analysis.tried.size(), 1U);
  EXPECT_GT(analysis.tried.front().gain.estimate, 1);
  EXPECT_EQ(analysis.cells.size(), 4U);
}

TEST(Study, ReportsAChangeThatFailsAndTriesItOnce) {
  const Scratch scratch;
  const Ending ending = compare(asking_study(scratch / "study", "throw"));
  EXPECT_EQ(ending.code, status::incomplete) << ending.output;
  EXPECT_NE(ending.output.find("- openmp: tried readers=4: failed: exit status 1: thrown on purpose"),
            std::string::npos)
      << ending.output;
  EXPECT_EQ(tries_of(load_study(scratch / "study")).launches, 2);
}

TEST(InterruptedStudy, GoesOnWithWhatItTried) {
  const Scratch scratch;
  const fs::path folder = scratch / "study";
  constexpr std::size_t planned = 8;
  RunningStudy running{compare_words(asking_study(folder))};
  ASSERT_TRUE(has_launches(folder, planned + 1));
  running.send(SIGINT);
  EXPECT_EQ(running.wait(), status::interrupted);
  EXPECT_LT(tries_of(load_study(folder)).launches, 4);
  const Ending ending = compare({"-o", folder.string(), "--resume"});
  EXPECT_EQ(ending.code, status::right) << ending.output;
  const SavedStudy study = load_study(folder);
  EXPECT_EQ(tries_of(study).rounds, 2);
  expect_the_planned_trials(without_tries(study), 4, 2);
}

TEST(MachineLock, IsHeldByOneAtATime) {
  const std::string name = "duet-test-" + std::to_string(getpid());
  {
    const MachineLock first{name};
    EXPECT_TRUE(first.alone());
    const MachineLock second{name};
    EXPECT_FALSE(second.alone());
  }
  EXPECT_TRUE(MachineLock{name}.alone());
}

}  // namespace
}  // namespace duet
