/// Studies in what they take for a job of SLURM: it has an end, and no srun.

#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include "drivers/command.hpp"
#include "drivers/study/launch.hpp"
#include "drivers/study/study.hpp"
#include "tests/drivers/launch/running_study.hpp"
#include "tests/drivers/launch/scratch.hpp"

namespace duet {
namespace {

namespace fs = std::filesystem;

Ending run(const Command& words) {
  const StopSignals stop;
  constexpr double limit_seconds = 100;
  return run_process(words, limit_seconds, stop);
}

/// `duet WORDS` in a job that ends in so many seconds.
Ending in_a_job(double seconds_left, const std::vector<std::string>& words) {
  const std::chrono::duration<double> now = std::chrono::system_clock::now().time_since_epoch();
  Command all{"/usr/bin/env", "SLURM_JOB_ID=17",
              "SLURM_JOB_END_TIME=" + std::to_string(static_cast<std::int64_t>(now.count() + seconds_left)),
              DUET_MISBEHAVING};
  all.insert(all.end(), words.begin(), words.end());
  return run(all);
}

bool says(const Ending& ending, const std::string& piece) { return ending.output.find(piece) != std::string::npos; }

std::vector<std::string> study_of(const fs::path& folder, const std::vector<std::string>& more) {
  std::vector<std::string> words{"compare", "steady",   "--models", "serial,openmp", "--workers",
                                 "1",       "--sizes",  "3,4",      "--launcher",    "mpirun",
                                 "--set",   "pause=20", "-o",       folder.string()};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

TEST(StudyInAJob, PlansForNoMoreThanTheJobHasLeftAndSaysSo) {
  const Scratch scratch;
  const fs::path folder = scratch / "study";
  const Ending ending = in_a_job(9, study_of(folder, {"--budget", "10m", "--precision", "0.01%"}));
  EXPECT_EQ(ending.code, status::right) << ending.output;
  EXPECT_TRUE(says(ending, "duet: job 17 has ")) << ending.output;
  EXPECT_TRUE(says(ending, " s left: the budget is ")) << ending.output;
  EXPECT_TRUE(says(ending, "and not 10 min 0 s (sbatch --time asks for more)")) << ending.output;
  const SavedStudy study = load_study(folder);
  EXPECT_EQ(study.record.ending, "budget");
  EXPECT_EQ(study.record.options.at("budget_asked_seconds"), "600");

  const Ending again = in_a_job(1000, study_of(folder, {"--budget", "10m", "--precision", "0.01%", "--resume"}));
  EXPECT_EQ(again.code, status::right) << again.output;
  EXPECT_TRUE(says(again, "is complete")) << again.output;
}

TEST(StudyInAJob, ThatNeedsMoreIsInterruptedBeforeTheEndAndGoesOnInTheNextJob) {
  const Scratch scratch;
  const fs::path folder = scratch / "study";
  const std::vector<std::string> words = study_of(folder, {"--rounds", "12"});
  Ending ending = in_a_job(4, words);
  EXPECT_EQ(ending.code, status::interrupted) << ending.output;
  EXPECT_TRUE(says(ending, "duet: job 17 ends soon; ")) << ending.output;
  EXPECT_EQ(load_study(folder).record.ending, "interrupted");
  EXPECT_TRUE(fs::exists(folder / "report.html"));
  std::vector<std::string> resumed = words;
  resumed.emplace_back("--resume");
  ending = in_a_job(100, resumed);
  EXPECT_EQ(ending.code, status::right) << ending.output;
  expect_the_planned_trials(load_study(folder), 4, 12);
}

TEST(StudyInAJob, DoesNotBeginWhereTheJobIsOver) {
  const Scratch scratch;
  const Ending ending = in_a_job(-1, study_of(scratch / "study", {}));
  EXPECT_EQ(ending.code, status::usage);
  EXPECT_EQ(ending.output, "duet: job 17 ends in 0 s: nothing can be measured any more\n");
  EXPECT_FALSE(fs::exists(scratch / "study"));
}

/// A SLURM that ends the job when it is told to: ranks die at once, the study hears of it from the test.
class EndingJob {
 public:
  explicit EndingJob(const fs::path& folder) : folder_{folder} {
    fs::create_directories(folder);
    const std::string ends = (folder / "ends").string();
    program("srun", "[ ! -e " + ends +
                        " ] || kill -TERM $$\n"
                        "while [ \"$1\" != " DUET_MISBEHAVING
                        " ]; do shift; done\n"
                        "exec env -u SLURM_JOB_ID mpirun --allow-run-as-root -n 1 \"$@\"\n");
    program("squeue", "[ -e " + ends + " ] && echo COMPLETING || echo RUNNING\n");
  }
  void end() const { std::ofstream{folder_ / "ends"}; }
  [[nodiscard]] std::vector<std::string> environment() const {
    return {"/usr/bin/env", "SLURM_JOB_ID=17", "PATH=" + folder_.string() + ":/usr/bin:/bin"};
  }

 private:
  void program(const char* name, const std::string& text) const {
    const fs::path path = folder_ / name;
    std::ofstream{path} << "#!/bin/sh\n" << text;
    fs::permissions(path, fs::perms::owner_all);
  }

  fs::path folder_;
};

TEST(StudyInAJob, ThatIsEndedDoesNotTakeTheDeathOfRanksForAFailure) {
  const Scratch scratch;
  const fs::path folder = scratch / "study";
  const EndingJob job{scratch / "slurm"};
  Command words = job.environment();
  words.insert(words.end(), {DUET_MISBEHAVING, "compare", "steady", "--models", "mpi", "--workers", "1", "--sizes", "3",
                             "--rounds", "50", "--set", "pause=20", "--launcher", "srun", "-o", folder.string()});
  RunningStudy running{words, (scratch / "said").string()};
  ASSERT_TRUE(has_launches(folder, 3));
  job.end();
  constexpr std::chrono::seconds late{4};
  std::this_thread::sleep_for(late);
  running.send(SIGTERM);
  EXPECT_EQ(running.wait(), status::interrupted);
  for (const Trial& trial : load_study(folder).trials) EXPECT_EQ(trial.outcome, Outcome::right) << trial.message;
  std::ifstream said{scratch / "said"};
  const std::string text{std::istreambuf_iterator<char>{said}, {}};
  EXPECT_NE(text.find("duet: job 17 is COMPLETING; waiting for its end"), std::string::npos) << text;
}

TEST(InterruptedStudy, HasAReport) {
  const Scratch scratch;
  const fs::path folder = scratch / "study";
  Command words{DUET_MISBEHAVING};
  for (const std::string& word : study_of(folder, {"--rounds", "50"})) words.push_back(word);
  RunningStudy running{words};
  ASSERT_TRUE(has_launches(folder, 3));
  running.send(SIGTERM);
  EXPECT_EQ(running.wait(), status::interrupted);
  EXPECT_TRUE(fs::exists(folder / "report.html"));
}

TEST(StudyInParts, IsReadAsOne) {
  const Scratch scratch;
  const std::string folder = (scratch / "study").string();
  const auto part = [&](const std::string& text) {
    Command words{DUET_MISBEHAVING};
    for (const std::string& word : study_of(folder + "/part-" + text.substr(0, 1), {"--rounds", "2", "--part", text})) {
      words.push_back(word);
    }
    return run(words);
  };
  Ending ending = part("2/2");
  EXPECT_EQ(ending.code, status::right) << ending.output;
  EXPECT_TRUE(says(ending, "this is part 2/2; `duet report " + folder + "` reads all parts as one study"))
      << ending.output;
  EXPECT_FALSE(fs::exists(folder + "/report.html"));
  ending = run({DUET_MISBEHAVING, "report", folder, "--terminal-only"});
  EXPECT_EQ(ending.code, status::right) << ending.output;
  EXPECT_TRUE(says(ending, "of 2 parts 1 is missing: 1")) << ending.output;

  ending = part("1/2");
  EXPECT_EQ(ending.code, status::right) << ending.output;
  EXPECT_TRUE(fs::exists(folder + "/report.html")) << "the last part to end writes the whole";
  ending = run({DUET_MISBEHAVING, "report", folder + "/part-2", folder + "/part-1/"});
  EXPECT_EQ(ending.code, status::right) << ending.output;
  EXPECT_TRUE(says(ending, "report    " + folder + "/report.html")) << ending.output;
  EXPECT_FALSE(says(ending, "missing")) << ending.output;

  ending = run({DUET_MISBEHAVING, "compare", "-o", folder + "/part-1", "--resume", "--part", "2/2"});
  EXPECT_EQ(ending.code, status::usage);
  EXPECT_TRUE(says(ending, "part = '1/2', and now it is '2/2'")) << ending.output;
  ending = run({DUET_MISBEHAVING, "report", folder + "/part-1", folder});
  EXPECT_EQ(ending.code, status::usage);
  EXPECT_TRUE(says(ending, "each has to hold a part of one study")) << ending.output;
  ending = part("1/3");
  EXPECT_EQ(ending.code, status::usage);
  EXPECT_TRUE(says(ending, "--part 1/3: there are 2 sizes to divide")) << ending.output;
}

}  // namespace
}  // namespace duet
