#pragma once

/// Half of a sum of two numbers, in one pass over a stretch of their digits: the step from k to k + 1 that every odd
/// bit of n asks for.
///
///     once = (a + b) / 2,    five_times = (5 a + b) / 2    for a + b even
///
/// The half of a digit is that of the sum of digits, and half a base where the sum above is odd: the base is even, so
/// that what comes from above does not change who is odd, and each digit knows by itself. It is below four bases: what
/// goes to the digit above is three comparisons and no branch, for who carries is left to chance. That this makes a
/// digit as large as the base is as rare as such digits, and is mended in a second pass.

#include <cstdint>
#include <span>

#include "kernels/arithmetic/transform/radix.hpp"

namespace duet {

/// What goes out of a stretch at its end.
struct HalfSumCarries {
  std::uint64_t once = 0;
  std::uint64_t five_times = 0;
};

/// Of as many digits of a and b; `odd_above` is whether the first digits above them have an odd sum. A result may be
/// the same memory as a or b, and may be left out by an empty span.
[[nodiscard]] HalfSumCarries half_sums_of_stretch(std::span<const std::uint64_t> a, std::span<const std::uint64_t> b,
                                                  bool odd_above, std::span<std::uint64_t> once,
                                                  std::span<std::uint64_t> five_times, const Radix& radix);

/// Whether the sum of two digits is odd.
[[nodiscard]] constexpr bool odd_sum(std::uint64_t a, std::uint64_t b) { return ((a ^ b) & 1U) != 0; }

}  // namespace duet
