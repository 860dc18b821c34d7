#include "kernels/arithmetic/transform/radix.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <string_view>

#include "kernels/arithmetic/transform/prime.hpp"

namespace duet {
namespace {

constexpr long double product_of_primes() {
  long double product = 1;
  for (const TransformPrime& prime : transform_primes) product *= static_cast<long double>(prime.value());
  return product;
}

}  // namespace

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

void unpack_limbs(std::span<const std::uint64_t> limbs, const Radix& radix, std::span<std::uint64_t> digits) {
  const std::uint64_t mask = radix.base - 1;
  std::size_t bit = 0;
  for (std::size_t i = 0; i < digits.size(); ++i, bit += radix.bits) {
    const std::size_t limb = bit / 64;
    const unsigned shift = bit % 64;
    if (limb >= limbs.size()) {
      digits[i] = 0;
      continue;
    }
    // Shifting twice, for a shift by 64 is not defined.
    const std::uint64_t above = limb + 1 < limbs.size() ? limbs[limb + 1] << 1U << (63 - shift) : 0;
    digits[i] = (limbs[limb] >> shift | above) & mask;
  }
}

void pack_limbs(std::span<const std::uint64_t> digits, const Radix& radix, std::span<std::uint64_t> limbs) {
  std::size_t digit = 0;
  unsigned filled = 0;
  std::uint64_t limb = 0;
  for (std::uint64_t& to : limbs) {
    while (filled < 64 && digit < digits.size()) {
      limb |= digits[digit] << filled;
      filled += radix.bits;
      ++digit;
    }
    to = limb;
    // What did not fit begins the next one.
    const unsigned over = filled > 64 ? filled - 64 : 0;
    limb = over != 0 ? digits[digit - 1] >> (radix.bits - over) : 0;
    filled = over;
  }
}

std::string decimal_string(std::span<const std::uint64_t> digits, const Radix& radix) {
  while (!digits.empty() && digits.back() == 0) digits = digits.first(digits.size() - 1);
  if (digits.empty()) return "0";
  std::string text = std::to_string(digits.back());
  std::size_t at = text.size();
  text.resize(at + (digits.size() - 1) * radix.places);
  for (std::size_t i = digits.size() - 1; i-- > 0; at += radix.places) {
    std::uint64_t digit = digits[i];
    for (std::size_t place = radix.places; place-- > 0; digit /= 10) {
      text[at + place] = static_cast<char>('0' + digit % 10);
    }
  }
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
