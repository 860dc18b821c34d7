#pragma once

#include <sys/types.h>
#include <filesystem>
#include <string>

#include "drivers/study/launch.hpp"
#include "drivers/study/trials.hpp"

namespace duet {

/// A study in a process that the test can signal while it runs; killed at the end where it still does.
class RunningStudy {
 public:
  explicit RunningStudy(const Command& words, const std::string& output = "/dev/null");
  ~RunningStudy();
  RunningStudy(const RunningStudy&) = delete;
  RunningStudy& operator=(const RunningStudy&) = delete;

  void send(int signal) const;
  /// The exit status, or minus the signal.
  int wait();

 private:
  pid_t pid_ = -1;
};

/// Waits until the folder has trials of `launches` launches or more.
[[nodiscard]] bool has_launches(const std::filesystem::path& folder, std::size_t launches);

/// Each cell and round exactly once.
void expect_the_planned_trials(const SavedStudy& study, int cells, int rounds);

}  // namespace duet
