#pragma once

/// A study from its first launch to its last: locks its folder, launches what `Rounds` wants next, keeps every trial as
/// it comes, and can be interrupted at any moment and resumed.
///
/// The folder:
///
///     study.json     what was asked, on what it ran, how it ended                         (trials.hpp)
///     trials.jsonl   one trial a line, appended after each launch, whole lines or none     (trials.hpp)
///     plan.json      where the study is: what the present round still has to launch; gone when it is complete
///     launch.jsonl   what the launch that runs now has written so far

#include <filesystem>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "drivers/study/allocation.hpp"
#include "drivers/study/launch.hpp"
#include "drivers/study/plan.hpp"
#include "drivers/study/trials.hpp"
#include "drivers/study/verdict.hpp"

namespace duet {

struct StudySetup {
  std::filesystem::path folder;
  StudyOptions options;
  Resources resources;
  LaunchSettings launching;
  StudyRecord record;  ///< command, machine, versions, warnings so far; options are filled in from `options`
  bool quiet = false;
  std::optional<Allocation> allocation{};
  /// Of this process: a study that needs longer is interrupted then. The budget is of the study, over all its
  /// processes.
  double seconds_at_most = std::numeric_limits<double>::infinity();
};

/// Owns the folder of a study while it is open: a second process is told to go away.
class FolderLock {
 public:
  /// Makes the folder where it is not there. Throws std::runtime_error with path and reason where it cannot be made or
  /// written to, or where another process holds it.
  explicit FolderLock(const std::filesystem::path& folder);
  /// Takes away again what it made and nobody wrote to.
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  std::filesystem::path folder_;
  bool made_ = false;  ///< the folder
  int descriptor_ = -1;
};

/// Tells other studies on this machine, of any user, that one is running. An abstract socket's name, so nothing is left
/// behind whatever happens.
class MachineLock {
 public:
  explicit MachineLock(const std::string& name = "duet-study");
  ~MachineLock();
  MachineLock(const MachineLock&) = delete;
  MachineLock& operator=(const MachineLock&) = delete;

  /// False where another process had it first: both then measure each other's noise.
  [[nodiscard]] bool alone() const { return alone_; }

 private:
  int descriptor_ = -1;
  bool alone_ = true;
};

/// What became of a study.
struct StudyEnd {
  SavedStudy study;  ///< all trials, marked (marks.hpp)
  int failed_launches = 0;
  int refused_cells = 0;
  bool interrupted = false;
  std::string interruption{};  ///< by what: "interrupted", "job 17 ends soon"
};

/// True where the folder holds a study.
[[nodiscard]] bool holds_study(const std::filesystem::path& folder);

/// Starts a study in an empty folder, or one without a study. The caller holds the lock and the stop signals. Throws
/// std::runtime_error with path and reason where something cannot be written: what was measured until then is kept.
[[nodiscard]] StudyEnd run_study(const StudySetup& setup, const StopSignals& stop);

/// Goes on with the study in `setup.folder`: exactly what was planned and not yet launched, then as if it had never
/// been interrupted. `setup.options` must be those recorded (the caller checks).
[[nodiscard]] StudyEnd resume_study(const StudySetup& setup, const StopSignals& stop);

/// The launches of the first round of every part, as they would be made if the budget allowed: for --dry-run.
[[nodiscard]] std::vector<Command> planned_launches(const StudySetup& setup, const std::vector<PlannedCell>& plan);

}  // namespace duet
