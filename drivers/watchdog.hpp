#pragma once

/// Nothing waits in silence: while a process is in one phase for long, a line on standard error says which rank, which
/// phase and since when; and at a time limit the process ends with such a line. Costs one sleeping thread.

#include <string>

namespace duet {

/// Starts watching this process, for its whole life. `rank` and `ranks` are for the message. A line after every
/// `remind_seconds` in one phase (0: none); exit status 124 after `limit_seconds` in all (0: none). Call once.
void watch(int rank, int ranks, double remind_seconds, double limit_seconds);

/// What this process does now, for the watchdog. The last one said is the one told.
class Phase {
 public:
  explicit Phase(std::string what) { now(std::move(what)); }
  ~Phase() { now("ending"); }
  Phase(const Phase&) = delete;
  Phase& operator=(const Phase&) = delete;

  void now(std::string what);
};

}  // namespace duet
