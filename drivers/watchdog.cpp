#include "drivers/watchdog.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <thread>

#include "drivers/command.hpp"

namespace duet {
namespace {

using Clock = std::chrono::steady_clock;

struct Watched {
  std::mutex mutex;
  std::string phase = "starting";
  Clock::time_point since = Clock::now();
  Clock::time_point last_reminder = since;
};

/// Never destroyed: the watching thread outlives main.
Watched& watched() {
  static auto* const state = new Watched;  // NOLINT(cppcoreguidelines-owning-memory)
  return *state;
}

double seconds_between(Clock::time_point begin, Clock::time_point end) {
  return std::chrono::duration<double>(end - begin).count();
}

/// One write, so that lines of several ranks do not mix.
void say(const std::string& line) {
  if (write(STDERR_FILENO, line.data(), line.size()) < 0) return;  // nobody left to tell
}

}  // namespace

void Phase::now(std::string what) {
  Watched& state = watched();
  const std::scoped_lock lock{state.mutex};
  state.phase = std::move(what);
  state.since = state.last_reminder = Clock::now();
}

void watch(int rank, int ranks, double remind_seconds, double limit_seconds) {
  if (remind_seconds <= 0 && limit_seconds <= 0) return;
  const std::string who = ranks > 1 ? fmt::format("rank {} of {}", rank, ranks) : std::string{"duet"};
  std::thread{[=, start = Clock::now()] {
    constexpr std::chrono::milliseconds pause{100};
    while (true) {
      std::this_thread::sleep_for(pause);
      Watched& state = watched();
      const std::scoped_lock lock{state.mutex};
      const Clock::time_point now = Clock::now();
      const double in_phase = seconds_between(state.since, now);
      if (limit_seconds > 0 && seconds_between(start, now) > limit_seconds) {
        say(fmt::format("duet: {}: time limit of {:g} s met; for {:.1f} s in: {}\n", who, limit_seconds, in_phase,
                        state.phase));
        std::_Exit(status::timed_out);
      }
      if (remind_seconds > 0 && seconds_between(state.last_reminder, now) > remind_seconds) {
        say(fmt::format("duet: {}: still, for {:.0f} s now, in: {}\n", who, in_phase, state.phase));
        state.last_reminder = now;
      }
    }
  }}.detach();
}

}  // namespace duet
