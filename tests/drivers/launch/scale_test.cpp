/// Whole studies by `duet scale`: with the kernels, and with a registry that takes a millisecond for any work.

#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "drivers/command.hpp"
#include "drivers/study/launch.hpp"
#include "drivers/study/trials.hpp"
#include "tests/drivers/launch/running_study.hpp"
#include "tests/drivers/launch/scratch.hpp"

namespace duet {
namespace {

namespace fs = std::filesystem;

Ending run(const std::string& program, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), program);
  const StopSignals stop;
  constexpr double limit_seconds = 100;
  return run_process(arguments, limit_seconds, stop);
}

Ending duet(const std::vector<std::string>& arguments) { return run(DUET_PROGRAM, arguments); }

std::set<std::string> sizes_of(const std::vector<Trial>& trials, int workers) {
  std::set<std::string> sizes;
  for (const Trial& trial : trials) {
    if (trial.cell.workers() == workers && trial.cell.model != Model::serial) sizes.insert(trial.cell.size);
  }
  return sizes;
}

void expect_narrow_lines(const std::string& text) {
  std::istringstream lines{text};
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("report ") || line.starts_with("trials ")) continue;
    EXPECT_LE(line.size(), 80U) << line;
  }
}

/// Every number of workers must have its answer, also on a machine where they share a core and nothing is told.
TEST(Scale, MeasuresOneSizeOnAllWorkerCountsAndReportsItAgain) {
  const Scratch scratch;
  const fs::path folder = scratch / "strong";
  const Ending ending = duet({"scale", "matmul", "--strong", "--size", "48", "--workers", "1,2,3", "--oversubscribe",
                              "--models", "serial,openmp,mpi", "--rounds", "6", "--quiet", "-o", folder.string()});
  SCOPED_TRACE(ending.output);
  EXPECT_EQ(ending.code, status::right);
  for (const char* text : {"Strong scaling of matmul at n = 48", "openmp", "mpi", "above 75 %", "above 50 %", "Amdahl",
                           "USL refused: 4 worker counts", "of serial [95 %]", "base"}) {
    EXPECT_NE(ending.output.find(text), std::string::npos) << text;
  }
  expect_narrow_lines(ending.output);

  const SavedStudy study = load_study(folder);
  expect_the_planned_trials(study, 1 + 2 * 3, 6);
  for (const int workers : {1, 2, 3}) EXPECT_EQ(sizes_of(study.trials, workers), std::set<std::string>{"48"});
  EXPECT_EQ(study.record.options.at("scaling"), "strong");
  ASSERT_EQ(study.record.scaling.size(), 2U);
  EXPECT_EQ(study.record.scaling.at(0).at("model"), "openmp");
  EXPECT_EQ(study.record.scaling.at(0).at("points").size(), 3U);
  EXPECT_EQ(study.record.scaling.at(1).at("fits").at(0).at("law"), "Amdahl");

  const Ending again = duet({"report", folder.string()});
  EXPECT_EQ(again.code, status::right) << again.output;
  EXPECT_EQ(again.output.substr(0, again.output.find("\nreport ")),
            ending.output.substr(0, ending.output.find("\nreport ")));
  EXPECT_TRUE(fs::exists(folder / "report.html"));
}

TEST(Scale, GivesEachNumberOfWorkersItsSizeInAWeakRun) {
  const Scratch scratch;
  const fs::path folder = scratch / "weak";
  const Ending ending =
      duet({"scale", "fib_batch", "--weak", "--size", "64", "--workers", "1,2,3", "--oversubscribe", "--models",
            "serial,openmp", "--set", "largest=1000", "--rounds", "6", "--quiet", "-o", folder.string()});
  SCOPED_TRACE(ending.output);
  EXPECT_EQ(ending.code, status::right);
  for (const char* text :
       {"Weak scaling of fib_batch from count = 64 on 1 worker", "work a worker is constant within", "Gustafson"}) {
    EXPECT_NE(ending.output.find(text), std::string::npos) << text;
  }
  expect_narrow_lines(ending.output);
  const SavedStudy study = load_study(folder);
  expect_the_planned_trials(study, 1 + 3, 6);
  std::map<int, double> operations;
  for (const Trial& trial : study.trials) operations[trial.cell.workers()] = trial.operations / trial.cell.workers();
  for (const auto& [workers, a_worker] : operations) EXPECT_NEAR(a_worker / operations.at(1), 1, 0.05) << workers;
  EXPECT_EQ(sizes_of(study.trials, 1), std::set<std::string>{"64"});
}

TEST(Scale, SaysInOneLineWhatIsWrongAndWhatWouldBeRight) {
  const Scratch scratch;
  struct Wrong {
    std::vector<std::string> arguments;
    std::string said;
  };
  const std::vector<Wrong> wrongs{
      {{"matmul"}, "--strong or --weak is missing"},
      {{"matmul", "--strong", "--weak"}, "--strong and --weak are two questions"},
      {{"--strong"}, "PROBLEM is missing"},
      {{"matmull", "--strong"}, "no problem is called 'matmull'; there are "},
      {{"matmul", "--strong", "--models", "cuda"}, "'cuda' is none of serial, openmp"},
      {{"matmul", "--strong", "--models", "serial", "--workers", "1,2", "--oversubscribe"},
       "serial has one worker always"},
      {{"matmul", "--strong", "--workers", "2"}, "--workers 2: scaling takes two worker counts or more"},
      {{"matmul", "--strong", "--workers", "1,0"}, "'0'"},
      {{"matmul", "--weak", "--size", "3", "--workers", "1,2"}, "cannot grow evenly from it"},
      {{"matmul", "--weak", "--size", "0", "--workers", "1,2"}, "cannot grow with the workers"},
      {{"fib_batch", "--weak", "--size", "1000000000", "--workers", "1,2"}, "beyond 1000000000"},
      {{"matmul", "--strong", "--size", "10x20", "--workers", "1,2"}, "'10x20'"},
      {{"matmul", "--strong", "--workers", "1,100000"}, "--oversubscribe lets workers share"},
      {{"matmul", "--strong", "--oversubscribe", "--workers", "1,2", "--set", "colour=red"}, "'colour'"},
      {{"--resume"}, "there is no study in"},
  };
  for (const Wrong& wrong : wrongs) {
    std::vector<std::string> arguments{"scale"};
    arguments.insert(arguments.end(), wrong.arguments.begin(), wrong.arguments.end());
    arguments.insert(arguments.end(), {"-o", (scratch / "none").string()});
    const Ending ending = duet(arguments);
    SCOPED_TRACE(ending.output);
    EXPECT_EQ(ending.code, status::usage) << wrong.said;
    EXPECT_EQ(std::ranges::count(ending.output, '\n'), 1);
    EXPECT_NE(ending.output.find(wrong.said), std::string::npos) << wrong.said;
  }
  EXPECT_FALSE(fs::exists(scratch / "none"));
}

TEST(Scale, PrintsItsLaunchesAndStartsNothingInADryRun) {
  const Scratch scratch;
  const Ending ending = duet({"scale", "matmul", "--weak", "--size", "512", "--workers", "1,2,8", "--oversubscribe",
                              "--models", "serial,mpi", "--dry-run", "-o", (scratch / "none").string()});
  EXPECT_EQ(ending.code, status::right) << ending.output;
  EXPECT_EQ(std::ranges::count(ending.output, '\n'), 4) << ending.output;
  for (const char* text : {"-n 8 ", "--model mpi --size 1024", "--model mpi --size 648", "--model serial --size 512"}) {
    EXPECT_NE(ending.output.find(text), std::string::npos) << text;
  }
  EXPECT_FALSE(fs::exists(scratch / "none"));
}

TEST(Scale, GoesOnAfterAnInterruptionToExactlyThePlannedTrials) {
  const Scratch scratch;
  const fs::path folder = scratch / "study";
  const std::string output = (scratch / "output").string();
  {
    RunningStudy running{
        {DUET_MISBEHAVING, "scale", "steady", "--weak", "--size", "10", "--workers", "1,2", "--oversubscribe",
         "--models", "serial,openmp,mpi", "--rounds", "3", "--set", "pause=20", "-o", folder.string()},
        output};
    ASSERT_TRUE(has_launches(folder, 3));
    running.send(SIGINT);
    EXPECT_EQ(running.wait(), status::interrupted);
  }
  std::stringstream text;
  text << std::ifstream{output}.rdbuf();
  EXPECT_NE(text.str().find("duet scale -o " + folder.string() + " --resume"), std::string::npos) << text.str();

  Ending ending = run(DUET_MISBEHAVING, {"scale", "-o", folder.string(), "--resume", "--strong"});
  EXPECT_EQ(ending.code, status::usage);
  EXPECT_NE(ending.output.find("scaling = 'weak', and now it is 'strong'"), std::string::npos) << ending.output;
  ending = run(DUET_MISBEHAVING, {"scale", "-o", folder.string(), "--resume", "--size", "12"});
  EXPECT_EQ(ending.code, status::usage);
  EXPECT_NE(ending.output.find("sizes = 'steady=10,20', and now it is 'steady=12,24'"), std::string::npos)
      << ending.output;
  ending = run(DUET_MISBEHAVING, {"compare", "-o", folder.string(), "--resume"});
  EXPECT_EQ(ending.code, status::usage);
  EXPECT_NE(ending.output.find("was begun by `duet scale`"), std::string::npos) << ending.output;

  ending = run(DUET_MISBEHAVING, {"scale", "-o", folder.string(), "--resume", "--weak", "--size", "10"});
  EXPECT_EQ(ending.code, status::right) << ending.output;
  const SavedStudy study = load_study(folder);
  expect_the_planned_trials(study, 1 + 2 * 2, 3);
  EXPECT_EQ(sizes_of(study.trials, 2), std::set<std::string>{"20"});
  EXPECT_EQ(run(DUET_MISBEHAVING, {"scale", "-o", folder.string(), "--resume"}).code, status::right);
}

}  // namespace
}  // namespace duet
