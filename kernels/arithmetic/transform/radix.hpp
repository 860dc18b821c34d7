#pragma once

/// Numbers as digits: the radix, and how many digits one transform can multiply.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/arithmetic/transform/team.hpp"

namespace duet {

/// 2^bits, or 10^places where bits is 0. Digits stand least significant first and are below `base`.
struct Radix {
  std::uint64_t base = 0;
  unsigned bits = 0;
  unsigned places = 0;

  [[nodiscard]] static constexpr Radix binary(unsigned bits) { return {std::uint64_t{1} << bits, bits, 0}; }
  [[nodiscard]] static constexpr Radix decimal(unsigned places) {
    std::uint64_t base = 1;
    for (unsigned i = 0; i < places; ++i) base *= 10;
    return {base, 0, places};
  }
  friend constexpr bool operator==(const Radix&, const Radix&) = default;
};

/// "2^60" or "10^18".
[[nodiscard]] std::string radix_text(const Radix& radix);

/// What the transform takes: digits below 2^60, and above 2^52, so that a coefficient has three of them at the most.
inline constexpr unsigned most_digit_bits = 60;
inline constexpr unsigned least_digit_bits = 53;
inline constexpr unsigned most_digit_places = 18;
inline constexpr unsigned least_digit_places = 16;

/// How many digits the shorter of two factors may have: count (base - 1)^2 < P, the product of the three primes. 1.67e7
/// digits of 60 bits (10^9 bits, just so), 6.7e7 of 59; 2.2e7 of 18 places, 2.2e9 of 17.
[[nodiscard]] std::size_t longest_factor(const Radix& radix);

/// The largest radix of its kind in which a factor of so many bits (or decimal places) can be multiplied by another of
/// that length or more. Throws std::length_error where there is none: beyond 2^90 bits or so.
[[nodiscard]] Radix binary_radix_for(double bits);
[[nodiscard]] Radix decimal_radix_for(double places);

/// From limbs of 64 bits to digits in a binary radix, and back. What is filled is a stretch of the whole that begins
/// with the `first` digit or limb, so that threads may share the work; beyond the number's end there are zeros. 1 ns a
/// digit.
[[nodiscard]] std::size_t digits_of_limbs(std::size_t limbs, const Radix& radix);
[[nodiscard]] std::size_t limbs_of_digits(std::size_t digits, const Radix& radix);
void unpack_limbs(std::span<const std::uint64_t> limbs, const Radix& radix, std::span<std::uint64_t> digits,
                  std::size_t first = 0);
void pack_limbs(std::span<const std::uint64_t> digits, const Radix& radix, std::span<std::uint64_t> limbs,
                std::size_t first = 0);

/// Decimal digits of a number in a decimal radix, without leading zeros; "0" for none. 1 ns a decimal digit.
[[nodiscard]] std::string decimal_string(std::span<const std::uint64_t> digits, const Radix& radix,
                                         const TransformTeam& team = serial_team());
/// And back. `text` consists of decimal digits.
[[nodiscard]] std::vector<std::uint64_t> digits_of_decimal(std::string_view text, const Radix& radix);

/// Writes `digit`, which is below 10^places, as exactly so many characters, with zeros in front. places is
/// least_digit_places to most_digit_places.
void write_places(std::uint64_t digit, unsigned places, char* to);

/// digits -= small, or += small; small is below the base, and the result is not negative and not longer.
void subtract_small(std::span<std::uint64_t> digits, std::uint64_t small, const Radix& radix);
void add_small(std::span<std::uint64_t> digits, std::uint64_t small, const Radix& radix);

}  // namespace duet
