#pragma once

/// Says on standard error what takes longer than two seconds: on a terminal in one line that is written over and goes
/// away, else in a line after two seconds and one every half minute.

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

#include "drivers/files/byte_source.hpp"

namespace duet {

class ProgressLine {
 public:
  /// Starts a thread that sleeps most of the time; without `speaks` (all ranks but one) there is none, and nothing
  /// said.
  explicit ProgressLine(bool speaks);
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;
  ~ProgressLine();

  /// From now on the process does `what`: "reading A.mtx".
  void now(std::string what);
  /// For the reader or writer of the phase: how much of it is done.
  [[nodiscard]] Progress meter();

 private:
  using Clock = std::chrono::steady_clock;

  /// All of these with the mutex held.
  void tell();
  void show(double seconds);
  void clear();

  bool terminal_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool ended_ = false;
  std::string what_;
  Clock::time_point since_;
  double share_ = 0;      ///< of the phase that is done; 0 where nothing is known
  double next_told_ = 0;  ///< seconds of the phase
  bool shown_ = false;    ///< the terminal has a line of ours
  std::thread thread_;
};

}  // namespace duet
