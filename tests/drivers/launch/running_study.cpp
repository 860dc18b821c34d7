#include "tests/drivers/launch/running_study.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <map>
#include <set>
#include <thread>
#include <utility>
#include <vector>

namespace duet {

RunningStudy::RunningStudy(const Command& words, const std::string& output) {
  std::vector<char*> argv;
  for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  pid_ = fork();
  if (pid_ != 0) return;
  if (std::freopen(output.c_str(), "w", stdout) == nullptr || dup2(STDOUT_FILENO, STDERR_FILENO) < 0) _exit(1);
  execv(argv[0], argv.data());
  _exit(1);
}

RunningStudy::~RunningStudy() {
  if (pid_ <= 0) return;
  kill(pid_, SIGKILL);
  wait();
}

void RunningStudy::send(int signal) const { kill(pid_, signal); }

int RunningStudy::wait() {
  int result = 0;
  waitpid(pid_, &result, 0);
  pid_ = -1;
  return WIFSIGNALED(result) ? -WTERMSIG(result) : WEXITSTATUS(result);
}

bool has_launches(const std::filesystem::path& folder, std::size_t launches) {
  for (int attempt = 0; attempt < 1000; ++attempt) {
    std::this_thread::sleep_for(std::chrono::milliseconds{20});
    std::set<int> seen;
    for (const Trial& trial : trials_from((folder / "trials.jsonl").string())) seen.insert(trial.launch);
    if (seen.size() >= launches) return true;
  }
  return false;
}

void expect_the_planned_trials(const SavedStudy& study, int cells, int rounds) {
  std::map<std::pair<std::string, int>, std::set<int>> launches;
  for (const Trial& trial : study.trials) {
    EXPECT_EQ(trial.outcome, Outcome::right) << trial.message;
    launches[{trial.cell.id(), trial.round}].insert(trial.launch);
  }
  EXPECT_EQ(launches.size(), static_cast<std::size_t>(cells * rounds));
  for (const auto& [key, numbers] : launches) EXPECT_EQ(numbers.size(), 1U) << key.first << " in round " << key.second;
}

}  // namespace duet
