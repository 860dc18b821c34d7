#pragma once

/// Who computes: the arithmetic divides its work into parts and leaves it to a team who runs them, and where.

#include <cstdint>
#include <functional>

namespace duet {

/// A team of `workers`; `parallel(parts, body)` calls body(0) to body(parts - 1), each once, begun about in that order,
/// by whoever is free, and returns when all have returned. An exception of `body` comes out of `parallel`, one of them
/// where several throw.
struct TransformTeam {
  using Body = std::function<void(std::int64_t)>;
  int workers = 1;
  std::function<void(std::int64_t, const Body&)> parallel;
};

/// The calling thread alone.
[[nodiscard]] inline const TransformTeam& serial_team() {
  static const TransformTeam team{1, [](std::int64_t parts, const TransformTeam::Body& body) {
                                    for (std::int64_t part = 0; part < parts; ++part) body(part);
                                  }};
  return team;
}

}  // namespace duet
