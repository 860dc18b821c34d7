#include "kernels/arithmetic/fibonacci_text_check.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

namespace duet {
namespace {

constexpr std::size_t group_places = 18;
constexpr std::uint64_t group_base = 1'000'000'000'000'000'000U;

/// What eight characters are worth, all of them digits, the first the most: by halves of the word.
std::uint64_t value_of_eight(const char* from) {
  static_assert(std::endian::native == std::endian::little);
  std::uint64_t word = 0;
  std::memcpy(&word, from, sizeof word);
  word -= 0x3030303030303030U;
  word = word * 10 + (word >> 8U);
  constexpr std::uint64_t mask = 0x000000ff000000ffU;
  return (((word & mask) * 0x000f424000000064U + (word >> 16U & mask) * 0x0000271000000001U) >> 32U) & 0xffffffffU;
}

std::uint64_t value_of_group(const char* from) {
  const std::uint64_t first =
      10 * static_cast<std::uint64_t>(from[0] - '0') + static_cast<std::uint64_t>(from[1] - '0');
  constexpr std::uint64_t eight_places = 100'000'000;
  return (first * eight_places + value_of_eight(from + 2)) * eight_places + value_of_eight(from + 10);
}

std::uint64_t value_of_digits(std::string_view text) {
  std::uint64_t value = 0;
  for (const char c : text) value = 10 * value + static_cast<std::uint64_t>(c - '0');
  return value;
}

std::string wrong_in(std::uint64_t n, const std::string& what) { return "F(" + std::to_string(n) + ") " + what; }

/// How far log10 F(n) = n log10(phi) - log10(5) / 2 may be off: the term that is left out, below 1.5 phi^-2n of F(n);
/// the rounding of long doubles; and the digits behind the first eighteen, below 10^-17 of the number.
long double largest_log10_error(std::uint64_t n) {
  constexpr long double phi = 1.6180339887498948482L;
  const long double rounding = static_cast<long double>(n) * 0x1p-62L + 0x1p-55L;
  // Below the rounding; a power takes longer than all the rest.
  constexpr std::uint64_t negligible_from = 60;
  return n >= negligible_from ? rounding : rounding + std::pow(phi, -2 * static_cast<long double>(n)) * 0.66L;
}

}  // namespace

FibonacciTextCheck::Residue FibonacciTextCheck::residue_for(std::uint64_t seed, std::uint64_t draw) {
  const std::uint64_t prime = random_prime(seed, draw);
  return {LucasChain{prime}, FactorModulo{group_base, prime}};
}

FibonacciTextCheck::FibonacciTextCheck(std::uint64_t seed) : residues_{residue_for(seed, 0), residue_for(seed, 1)} {}

std::optional<std::string> FibonacciTextCheck::objection(std::uint64_t n, std::string_view text) const {
  if (text.empty()) return wrong_in(n, "has no digits");
  const auto* const wrong = std::ranges::find_if(text, [](char c) { return c < '0' || c > '9'; });
  if (wrong != text.end()) return wrong_in(n, "has no digit at place " + std::to_string(wrong - text.begin() + 1));
  if (n == 0) return text == "0" ? std::nullopt : std::optional{wrong_in(n, "is not 0")};
  if (text.front() == '0') return wrong_in(n, "begins with 0");

  const std::string_view leading = text.substr(0, group_places);
  const long double found = std::log10(static_cast<long double>(value_of_digits(leading))) +
                            static_cast<long double>(text.size() - leading.size());
  constexpr long double log10_phi = 0.208987640249978733769272089237556L;
  constexpr long double half_log10_5 = 0.349485002168009402393130552637753L;
  const long double off = found - (static_cast<long double>(n) * log10_phi - half_log10_5);
  if (!(std::abs(off) <= largest_log10_error(n))) {
    return wrong_in(n, "has " + std::to_string(text.size()) + " digits and is off by 10^" +
                           std::to_string(static_cast<double>(off)));
  }

  const std::size_t first = text.size() % group_places;
  std::array<std::uint64_t, 2> rest{};
  for (std::size_t which = 0; which < residues_.size(); ++which) {
    rest[which] = value_of_digits(text.substr(0, first)) % residues_[which].chain.prime();
  }
  for (std::size_t at = first; at < text.size(); at += group_places) {
    const std::uint64_t group = value_of_group(text.data() + at);
    for (std::size_t which = 0; which < residues_.size(); ++which) {
      // A prime is above 2^59, so that the sum is below three of them.
      const FactorModulo& shift = residues_[which].shift;
      rest[which] = shift.lessened(shift.lessened(shift(rest[which]) + group));
    }
  }
  for (std::size_t which = 0; which < residues_.size(); ++which) {
    const LucasChain& chain = residues_[which].chain;
    const std::uint64_t right = chain.fibonacci(n);
    if (rest[which] != right) {
      return wrong_in(n, "is " + std::to_string(rest[which]) + " modulo " + std::to_string(chain.prime()) + "; " +
                             std::to_string(right) + " is right");
    }
  }
  return std::nullopt;
}

}  // namespace duet
