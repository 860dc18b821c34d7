#pragma once

#include <chrono>
#include <utility>

#include "drivers/session.hpp"

namespace duet {

/// Seconds since it was made or last asked, until the last rank came by. Collective.
class Lap {
 public:
  explicit Lap(const Session& session) : session_{session} {}
  double take() {
    session_.barrier();
    const auto now = std::chrono::steady_clock::now();
    return std::chrono::duration<double>(now - std::exchange(since_, now)).count();
  }

 private:
  const Session& session_;
  std::chrono::steady_clock::time_point since_ = std::chrono::steady_clock::now();
};

}  // namespace duet
