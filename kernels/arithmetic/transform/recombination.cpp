#include "kernels/arithmetic/transform/recombination.hpp"

#include <bit>

namespace duet {
namespace {

/// x w 2^-52 mod p, below p. x is below 2^52 and w a factor.
std::uint64_t times(const TransformPrime& prime, std::uint64_t x, std::uint64_t w) {
  const UInt128 product = UInt128{x} * w;
  const auto low = static_cast<std::uint64_t>(product) & operand_mask;
  const std::uint64_t clearing = low * prime.inverse() & operand_mask;
  const auto cleared = static_cast<std::uint64_t>(UInt128{clearing} * prime.value() >> operand_bits);
  const std::uint64_t result = static_cast<std::uint64_t>(product >> operand_bits) + prime.value() - cleared;
  return result >= prime.value() ? result - prime.value() : result;
}

struct Digits3 {
  std::uint64_t d0 = 0;
  std::uint64_t d1 = 0;
  std::uint64_t d2 = 0;
};

template <class Read>
Digits3 coefficient(const Residues& residues, std::size_t i, const Radix& radix, const Read& read) {
  const auto& [first, second, third] = transform_primes;
  const std::uint64_t v0 = times(first, read(residues.words[0][i]), residues.scale[0]);
  const std::uint64_t r1 = times(second, read(residues.words[1][i]), residues.scale[1]);
  const std::uint64_t r2 = times(third, read(residues.words[2][i]), residues.scale[2]);
  const std::uint64_t v1 = times(second, r1 + 2 * second.value() - v0, garner_factors.first_modulo_second);
  const std::uint64_t left = times(third, r2 + 2 * third.value() - v0, garner_factors.first_modulo_third);
  const std::uint64_t v2 = times(third, left + 2 * third.value() - v1, garner_factors.second_modulo_third);
  // c = low + 2^64 high
  const UInt128 start = v0 + UInt128{first.value()} * v1 + UInt128{static_cast<std::uint64_t>(first_two_primes)} * v2;
  const auto low = static_cast<std::uint64_t>(start);
  const UInt128 high = (start >> 64U) + UInt128{static_cast<std::uint64_t>(first_two_primes >> 64U)} * v2;
  if (radix.bits != 0) {
    const std::uint64_t mask = radix.base - 1;
    return {low & mask, (low >> radix.bits | static_cast<std::uint64_t>(high) << (64 - radix.bits)) & mask,
            static_cast<std::uint64_t>(high >> (2 * radix.bits - 64))};
  }
  const UInt128 rest = (high % radix.base) << 64U | low;
  const UInt128 above = ((high / radix.base) << 64U) + rest / radix.base;
  return {static_cast<std::uint64_t>(rest % radix.base), static_cast<std::uint64_t>(above % radix.base),
          static_cast<std::uint64_t>(above / radix.base)};
}

template <class Read>
std::uint64_t recombine_with(const Read& read, const Residues& residues, std::size_t begin, std::size_t end,
                             const Radix& radix, std::uint64_t* digits) {
  Digits3 two_before = begin >= 2 ? coefficient(residues, begin - 2, radix, read) : Digits3{};
  Digits3 one_before = begin >= 1 ? coefficient(residues, begin - 1, radix, read) : Digits3{};
  std::uint64_t carry = 0;
  for (std::size_t i = begin; i < end; ++i) {
    const Digits3 here = coefficient(residues, i, radix, read);
    std::uint64_t sum = here.d0 + one_before.d1 + two_before.d2 + carry;
    for (carry = 0; sum >= radix.base; ++carry) sum -= radix.base;
    digits[i] = sum;
    two_before = one_before;
    one_before = here;
  }
  return carry;
}

}  // namespace

std::uint64_t recombine_by_words(const Residues& residues, std::size_t begin, std::size_t end, const Radix& radix,
                                 std::uint64_t* digits) {
  return recombine_with([](std::uint64_t word) { return word; }, residues, begin, end, radix, digits);
}

std::uint64_t recombine_doubles(const Residues& residues, std::size_t begin, std::size_t end, const Radix& radix,
                                std::uint64_t* digits) {
  const auto read = [](std::uint64_t word) {
    return static_cast<std::uint64_t>(static_cast<std::int64_t>(std::bit_cast<double>(word)));
  };
  return recombine_with(read, residues, begin, end, radix, digits);
}

}  // namespace duet
