#pragma once

/// How far a study is, on standard error: one line that is drawn anew on a terminal, or a plain line now and then.

#include <chrono>
#include <string>

namespace duet {

/// What there is to say.
struct Standing {
  double share = 0;         ///< of the budget that is spent, or of the launches that are done; 0 to 1
  double seconds_left = 0;  ///< of the budget; infinite without one
  int round = 0;
  int failures = 0;     ///< launches that did not end well
  std::string running;  ///< the cell, and for how long where that is long
};

/// "[######......]  43 %  1:12 left  round 4  matmul/mpi/512/2x1  2 failed", cut to `columns`. Pure.
[[nodiscard]] std::string standing_text(const Standing& standing, int columns);

class StudyProgress {
 public:
  /// `wanted` false: says nothing.
  explicit StudyProgress(bool wanted);
  ~StudyProgress() { clear(); }
  StudyProgress(const StudyProgress&) = delete;
  StudyProgress& operator=(const StudyProgress&) = delete;

  /// On a terminal at once; else a line every ten seconds.
  void show(const Standing& standing);
  /// A line that stays, above the bar: a cell that failed.
  void say(const std::string& line);
  /// Takes the bar away.
  void clear();

 private:
  using Clock = std::chrono::steady_clock;

  bool wanted_;
  bool terminal_;
  bool drawn_ = false;
  Clock::time_point last_line_ = Clock::now();
};

}  // namespace duet
