#pragma once

/// Starting processes and getting rid of them again. Every launch is a program with its arguments and never a shell
/// line; it gets a process group of its own, no standard input and one bounded place for whatever it says, and when it
/// is over, nothing of it is left running: not the ranks of an mpirun that was killed, and not what they had started.
///
/// How that is ensured (Linux):
///
///     deadline or Ctrl-C -> SIGTERM to the group -> 0.7 s -> SIGKILL to the group
///     afterwards         -> every orphan of the launch has become a child of this process, which is its "subreaper"
///                           (mpirun's ranks lead groups of their own): SIGKILL, until there is none
///     this process dies  -> the kernel sends SIGTERM to the launch (parent death signal), and mpirun ends its ranks

#include <csignal>
#include <functional>
#include <string>
#include <vector>

#include "drivers/study/launcher.hpp"
#include "drivers/study/trials.hpp"

namespace duet {

/// What a process said on standard output and standard error, in the order in which it came: all of it, or where that
/// is too much the first and the last part.
class Output {
 public:
  void append(const char* text, std::size_t length);
  /// With a line that says how much was left out, where something was.
  [[nodiscard]] std::string text() const;

 private:
  static constexpr std::size_t head_limit = 16 * 1024;
  static constexpr std::size_t tail_limit = 16 * 1024;
  std::string head_;
  std::string tail_;
  std::size_t dropped_ = 0;
};

/// How a launch ended.
struct Ending {
  enum class How {
    exited,       ///< by itself, with `code` as its status
    signalled,    ///< by signal `code`, which did not come from here
    out_of_time,  ///< it met its deadline and was ended
    stopped,      ///< it was ended because the user asked to stop
    not_started,  ///< `code` is the errno of starting it
  };
  How how = How::not_started;
  int code = 0;
  double seconds = 0;  ///< until nothing of it was left
  std::string output{};
};

/// Ctrl-C, SIGTERM and SIGHUP, from construction to destruction: the first is noted for who asks, the second ends this
/// process and its launch at once. A hang-up that the caller ignores (nohup) stays ignored. One at a time.
class StopSignals {
 public:
  StopSignals();
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  /// The first signal that came, or 0.
  [[nodiscard]] int received() const;
  /// Becomes readable when a signal comes.
  [[nodiscard]] int descriptor() const;

 private:
  struct sigaction interrupt_ {};
  struct sigaction terminate_ {};
  struct sigaction hang_up_ {};
};

/// Runs `command` to its end. Ends it after `limit_seconds`, or as soon as `stop` has received a signal. Calls `tick`
/// about once a second meanwhile, if there is one. Only one launch at a time, from a process that has no other children
/// while it runs. Throws std::runtime_error where the system has no process or pipe to give. Costs about 1 ms.
[[nodiscard]] Ending run_process(const Command& command, double limit_seconds, const StopSignals& stop,
                                 const std::function<void()>& tick = {});

/// What a process wanted to say with all its output: the first line of duet's own ("duet: ...") that is no reminder of
/// the watchdog, without that word;
/// else the first line that is not one of mpirun's frames; empty where there is none.
[[nodiscard]] std::string telling_line(const std::string& output);

/// Environment variables that would silently change what OpenMP in a cell does (OMP_*, GOMP_*, KMP_*): takes them out
/// of this process's environment, and so out of every launch's. Returns them as "OMP_NUM_THREADS=1". Call before any
/// thread starts.
[[nodiscard]] std::vector<std::string> scrub_environment();

/// The environment's variables whose names begin with one of `prefixes`, "name=value" each.
[[nodiscard]] std::vector<std::string> environment_with(const std::vector<std::string>& prefixes);

/// How cells are started, found out once.
struct LaunchSettings {
  std::string duet;  ///< this program
  Launcher launcher{};
  bool oversubscribe = false;
};

/// One launch of one cell.
struct CellLaunch {
  Cell cell;
  int round = 0;
  int launch = 0;
  int repeat = 1;        ///< trials that count, at the most, after those that warm up
  double at_most = 0.1;  ///< seconds; no trial is begun after them, once one counts
  /// Seconds; the process then ends itself and says in which phase it was. Where no rank can go on it does so after a
  /// third of them, 5 at the least and 30 at the most.
  double time_limit = 0;
  std::string json;  ///< the file that trials are appended to
};

/// `duet run ...` for the cell, and before it what starts its ranks. Only settings that are not presets are spelled
/// out. Pure but for the registry.
[[nodiscard]] Command command_of(const CellLaunch& launch, const LaunchSettings& settings);

/// What became of a launch: the trials it wrote, and where it did not end well one more, which says why in one line.
/// `from_file` are the trials of `launch.json`: a process that ends with status 0 and yet made fewer than it had time
/// for did not end well, and neither did one whose ranks were not where they were to be: so many nodes, as many ranks
/// on each as on the others or one less. Pure.
[[nodiscard]] std::vector<Trial> judge_launch(const CellLaunch& launch, const LaunchSettings& settings,
                                              const Ending& ending, std::vector<Trial> from_file);

/// Trials from a file of lines; a last line that was cut off is left out, and so is a file that does not exist. Throws
/// std::runtime_error with file and line for anything else that does not parse.
[[nodiscard]] std::vector<Trial> trials_from(const std::string& path);

}  // namespace duet
