#include "kernels/arithmetic/transform/radix.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <string_view>

#include "kernels/arithmetic/transform/prime.hpp"
#include "kernels/core/partition.hpp"

namespace duet {
namespace {

constexpr long double product_of_primes() {
  long double product = 1;
  for (const TransformPrime& prime : transform_primes) product *= static_cast<long double>(prime.value());
  return product;
}

/// "00" to "99".
constexpr std::array<char, 200> pairs_of_places = [] {
  std::array<char, 200> pairs{};
  for (std::size_t i = 0; i < 100; ++i) {
    pairs[2 * i] = static_cast<char>('0' + i / 10);
    pairs[2 * i + 1] = static_cast<char>('0' + i % 10);
  }
  return pairs;
}();

}  // namespace

std::string radix_text(const Radix& radix) {
  return radix.bits != 0 ? "2^" + std::to_string(radix.bits) : "10^" + std::to_string(radix.places);
}

std::size_t longest_factor(const Radix& radix) {
  const auto largest = static_cast<long double>(radix.base - 1);
  // Rounding is 2^-63; what is taken off is a thousand times that.
  const long double count = product_of_primes() / (largest * largest) * (1 - 0x1p-50L);
  return count < static_cast<long double>(std::numeric_limits<std::size_t>::max()) ? static_cast<std::size_t>(count)
                                                                                   : SIZE_MAX;
}

Radix binary_radix_for(double bits) {
  for (unsigned each = most_digit_bits; each >= least_digit_bits; --each) {
    const Radix radix = Radix::binary(each);
    if (std::ceil(bits / each) <= static_cast<double>(longest_factor(radix))) return radix;
  }
  throw std::length_error("a factor of " + std::to_string(bits) + " bits is too long for the transform");
}

Radix decimal_radix_for(double places) {
  for (unsigned each = most_digit_places; each >= least_digit_places; --each) {
    const Radix radix = Radix::decimal(each);
    if (std::ceil(places / each) <= static_cast<double>(longest_factor(radix))) return radix;
  }
  throw std::length_error("a factor of " + std::to_string(places) + " places is too long for the transform");
}

std::size_t digits_of_limbs(std::size_t limbs, const Radix& radix) {
  return (64 * limbs + radix.bits - 1) / radix.bits;
}
std::size_t limbs_of_digits(std::size_t digits, const Radix& radix) { return (radix.bits * digits + 63) / 64; }

void unpack_limbs(std::span<const std::uint64_t> limbs, const Radix& radix, std::span<std::uint64_t> digits,
                  std::size_t first) {
  const std::uint64_t mask = radix.base - 1;
  std::size_t bit = first * radix.bits;
  for (std::size_t i = 0; i < digits.size(); ++i, bit += radix.bits) {
    const std::size_t limb = bit / 64;
    const unsigned shift = bit % 64;
    const std::uint64_t here = limb < limbs.size() ? limbs[limb] : 0;
    const std::uint64_t above = limb + 1 < limbs.size() ? limbs[limb + 1] : 0;
    // Shifting twice, for a shift by 64 is not defined.
    digits[i] = (here >> shift | above << 1U << (63 - shift)) & mask;
  }
}

void pack_limbs(std::span<const std::uint64_t> digits, const Radix& radix, std::span<std::uint64_t> limbs,
                std::size_t first) {
  const auto digit = [&](std::size_t i) { return i < digits.size() ? digits[i] : 0; };
  const unsigned bits = radix.bits;
  std::size_t at = first * 64 / bits;
  auto shift = static_cast<unsigned>(first * 64 % bits);
  for (std::uint64_t& limb : limbs) {
    // Two digits and what is above their end, at bit 2 bits - shift; there is nothing of the third where that is beyond
    // the limb.
    const unsigned end = 2 * bits - shift;
    const std::uint64_t third = end < 64 ? digit(at + 2) << (end & 63U) : 0;
    limb = digit(at) >> shift | digit(at + 1) << (bits - shift) | third;
    shift += 64 - bits;
    ++at;
    if (shift >= bits) {
      shift -= bits;
      ++at;
    }
  }
}

void write_places(std::uint64_t digit, unsigned places, char* to) {
  // Two halves, so that their divisions do not wait for each other.
  constexpr unsigned lower_places = 8;
  auto lower = static_cast<std::uint32_t>(digit % 100'000'000);
  digit /= 100'000'000;
  for (unsigned at = places; at > places - lower_places; at -= 2, lower /= 100) {
    std::memcpy(to + at - 2, pairs_of_places.data() + 2 * std::size_t{lower % 100}, 2);
  }
  unsigned at = places - lower_places;
  for (; at >= 2; at -= 2, digit /= 100) std::memcpy(to + at - 2, pairs_of_places.data() + 2 * (digit % 100), 2);
  if (at == 1) to[0] = static_cast<char>('0' + digit % 10);
}

std::string decimal_string(std::span<const std::uint64_t> digits, const Radix& radix, const TransformTeam& team) {
  while (!digits.empty() && digits.back() == 0) digits = digits.first(digits.size() - 1);
  if (digits.empty()) return "0";
  std::string text = std::to_string(digits.back());
  const std::size_t leading = text.size();
  const std::size_t below = digits.size() - 1;
  text.resize(leading + below * radix.places);
  // From the end of the text backwards, the least digit last.
  team.parallel(team.workers, [&](std::int64_t part) {
    const Range mine = share_of(static_cast<std::int64_t>(below), team.workers, part);
    for (auto i = static_cast<std::size_t>(mine.begin); i < static_cast<std::size_t>(mine.end); ++i) {
      char* const end = text.data() + text.size() - i * radix.places;
      write_places(digits[i], radix.places, end - radix.places);
    }
  });
  return text;
}

std::vector<std::uint64_t> digits_of_decimal(std::string_view text, const Radix& radix) {
  std::vector<std::uint64_t> digits;
  digits.reserve(text.size() / radix.places + 1);
  while (!text.empty()) {
    const std::size_t places = std::min<std::size_t>(radix.places, text.size());
    std::uint64_t digit = 0;
    for (const char c : text.substr(text.size() - places)) digit = 10 * digit + static_cast<std::uint64_t>(c - '0');
    digits.push_back(digit);
    text.remove_suffix(places);
  }
  return digits;
}

void subtract_small(std::span<std::uint64_t> digits, std::uint64_t small, const Radix& radix) {
  for (std::uint64_t& digit : digits) {
    if (digit >= small) {
      digit -= small;
      return;
    }
    digit += radix.base - small;
    small = 1;
  }
}

void add_small(std::span<std::uint64_t> digits, std::uint64_t small, const Radix& radix) {
  for (std::uint64_t& digit : digits) {
    digit += small;
    if (digit < radix.base) return;
    digit -= radix.base;
    small = 1;
  }
}

}  // namespace duet
