#pragma once

/// What a long doubling leaves behind on its way, and from where another one goes on.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

namespace duet {

/// Which of the two sequences.
enum class Sequence { fibonacci, lucas };

/// Consecutive digits of a number; the first of them stands at `place`, a multiple of 64.
template <class Digit>
struct Stretch {
  std::size_t place = 0;
  std::span<Digit> digits{};
};

/// Between two steps on the way to n: F(k) and L(k) for k = n >> left, as this process holds them, stretches in
/// ascending order. All processes together have every digit once, and zeros up to `length`.
struct DoublingStep {
  unsigned left = 0;       ///< steps that are left
  std::size_t digits = 0;  ///< of L(k), the longer one
  std::size_t length = 0;  ///< digits of each number that are held, zeros at the end included
  std::vector<Stretch<const std::uint64_t>> fibonacci{};
  std::vector<Stretch<const std::uint64_t>> lucas{};
};

/// Calls are collective where ranks compute together; what they throw must be thrown on all.
struct DoublingRecord {
  /// Called after every step but the last that reaches so many digits.
  std::size_t least_digits = 0;
  std::function<void(const DoublingStep& step)> reached{};

  /// A step that was reached before, in the radix of this computation.
  struct Start {
    unsigned left = 0;       ///< 1 or more
    std::size_t digits = 0;  ///< that either number has at the most; 64 or more
    /// Fills the stretches of this process, with zeros beyond the number's end.
    std::function<void(Sequence which, std::span<const Stretch<std::uint64_t>> mine)> read{};
  };
  std::optional<Start> start{};
};

}  // namespace duet
