#pragma once

/// What a carry into a stretch of digits does to the carry out of it: maps that can be put one behind the other, so
/// that a scan of them over all stretches finds every carry at once, however far it runs.
///
/// A stretch hands a carry on only where it is all largest digits (a carry of one) or all zeros (a borrow): generate
/// and propagate, as in an adder with carry look-ahead, for carries that may be some units large and negative. (Ladner
/// and Fischer, "Parallel prefix computation", 1980.)

#include <cstdint>
#include <limits>
#include <span>

#include "kernels/arithmetic/transform/radix.hpp"

namespace duet {

/// Carries are below so many in size.
inline constexpr std::int64_t carries_below = 32;

struct CarryMap {
  static constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();

  std::int64_t out = 0;       ///< what goes out where nothing comes in
  std::int64_t up = never;    ///< one more goes out for what comes in from this on
  std::int64_t down = never;  ///< one less, from the negative of this on

  [[nodiscard]] constexpr std::int64_t operator()(std::int64_t in) const {
    return out + (in >= up ? 1 : 0) - (down != never && in <= -down ? 1 : 0);
  }
  /// What `first` and then `second`, the stretch above it, make of a carry. What goes out of a stretch differs by one
  /// at the most between neighbouring carries, so that the two together have the steps of the first, or none.
  [[nodiscard]] static constexpr CarryMap behind(const CarryMap& first, const CarryMap& second) {
    CarryMap both{.out = second(first.out)};
    if (second(first.out + 1) != both.out) both.up = first.up;
    if (second(first.out - 1) != both.out) both.down = first.down;
    return both;
  }
  friend constexpr bool operator==(const CarryMap&, const CarryMap&) = default;
};

/// That of some digits out of which `carry` goes already. Looks at two digits, unless they are of the kind that hands
/// carries on.
[[nodiscard]] inline CarryMap carry_map_of(std::span<const std::uint64_t> digits, std::int64_t carry,
                                           const Radix& radix) {
  CarryMap map{.out = carry};
  if (digits.empty()) return map;
  const auto all = [&](std::uint64_t digit) {
    for (std::size_t i = 1; i < digits.size(); ++i) {
      if (digits[i] != digit) return false;
    }
    return true;
  };
  constexpr auto near = static_cast<std::uint64_t>(carries_below);
  const std::uint64_t first = digits.front();
  if (radix.base - first <= near && all(radix.base - 1)) map.up = static_cast<std::int64_t>(radix.base - first);
  if (first < near && all(0)) map.down = static_cast<std::int64_t>(first) + 1;
  return map;
}

/// Adds `carry`, which is below the base in size, to the digits; returns what goes out at their end.
inline std::int64_t add_carry(std::span<std::uint64_t> digits, std::int64_t carry, const Radix& radix) {
  const auto base = static_cast<std::int64_t>(radix.base);
  for (std::uint64_t& digit : digits) {
    if (carry == 0) return 0;
    std::int64_t sum = static_cast<std::int64_t>(digit) + carry;
    carry = 0;
    if (sum < 0) {
      sum += base;
      carry = -1;
    } else if (sum >= base) {
      sum -= base;
      carry = 1;
    }
    digit = static_cast<std::uint64_t>(sum);
  }
  return carry;
}

}  // namespace duet
