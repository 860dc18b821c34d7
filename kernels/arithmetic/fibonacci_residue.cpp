#include "kernels/arithmetic/fibonacci_residue.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <stdexcept>
#include <string>

#include "kernels/arithmetic/montgomery.hpp"

namespace duet {
namespace {

constexpr std::uint64_t end_of_short_moduli = std::uint64_t{1} << 50U;

/// F(n) by doubling on (F, L) from the top bit down.
std::uint64_t fibonacci_by_doubling(const Montgomery& ring, std::uint64_t n) {
  const std::uint64_t two = ring.plus(ring.one(), ring.one());
  std::uint64_t f = 0;
  std::uint64_t l = two;
  bool k_is_odd = false;
  for (int bit = static_cast<int>(std::bit_width(n)); bit-- > 0;) {
    f = ring.times(f, l);
    l = ring.times(l, l);
    l = k_is_odd ? ring.plus(l, two) : ring.minus(l, two);
    k_is_odd = (n >> bit & 1U) != 0;
    if (k_is_odd) {
      const std::uint64_t twice = ring.plus(f, f);
      const std::uint64_t next_f = ring.half(ring.plus(f, l));
      l = ring.plus(next_f, twice);  // (5 F + L) / 2 = (F + L) / 2 + 2 F
      f = next_f;
    }
  }
  return ring.plain(f);
}

/// F(n) modulo 2^64, where halving has no meaning: doubling on neighbours.
std::uint64_t fibonacci_overflowing(std::uint64_t n) {
  std::uint64_t f = 0;
  std::uint64_t next = 1;
  for (int bit = static_cast<int>(std::bit_width(n)); bit-- > 0;) {
    const std::uint64_t even = f * (2 * next - f);
    const std::uint64_t odd = f * f + next * next;
    const bool one = (n >> bit & 1U) != 0;
    f = one ? odd : even;
    next = one ? even + odd : odd;
  }
  return f;
}

struct Factors {
  std::uint64_t odd;
  unsigned twos;
};

Factors factors_of(std::uint64_t m) {
  if (m == 0) throw std::invalid_argument("a Fibonacci number modulo 0; the modulus is 1 or more");
  const auto twos = static_cast<unsigned>(std::countr_zero(m));
  return {m >> twos, twos};
}

bool in_one_word(std::uint64_t odd) { return odd < end_of_short_moduli; }

/// What a product costs, in entries of a table.
double product_cost(ResidueArithmetic arithmetic, std::uint64_t odd) {
  switch (arithmetic) {
    case ResidueArithmetic::ifma:
      return in_one_word(odd) ? 0.08 : 0.2;
    case ResidueArithmetic::doubles:
      return 0.12;
    case ResidueArithmetic::words:
      break;
  }
  return 0.7;
}

/// The cheapest way to cut numbers up to `largest`: the time for filling the tables and for `inputs` inputs. Two places
/// at the least, since each arithmetic begins with one and ends with another.
Digits digits_for(std::uint64_t largest, double inputs, double product_cost) {
  constexpr unsigned most_bits = 11;
  const auto width = static_cast<unsigned>(std::bit_width(largest));
  const auto cut = [width](unsigned bits) { return Digits{bits, std::max(2U, (width + bits - 1) / bits)}; };
  const auto cost = [&](const Digits& digits) {
    return digits.places * (static_cast<double>(digits.values()) + inputs * product_cost);
  };
  Digits best = cut(2);
  for (unsigned bits = 3; bits <= most_bits; ++bits) {
    if (cost(cut(bits)) < cost(best)) best = cut(bits);
  }
  return best;
}

PowerTables odd_tables(std::uint64_t odd, const Digits& digits, ResidueArithmetic arithmetic) {
  switch (arithmetic) {
    case ResidueArithmetic::ifma:
      return PowerTables::modulo(
          odd, digits,
          in_one_word(odd) ? doublings_by_ifma_word(digits.places) : doublings_by_ifma_words(digits.places));
    case ResidueArithmetic::doubles: {
      PowerTables tables = PowerTables::modulo(odd, digits, 0);
      store_as_doubles(tables, odd);
      return tables;
    }
    case ResidueArithmetic::words:
      break;
  }
  return PowerTables::modulo(odd, digits, doublings_by_words(digits.places));
}

}  // namespace

std::string_view name_of(ResidueArithmetic arithmetic) {
  switch (arithmetic) {
    case ResidueArithmetic::ifma:
      return "AVX-512 IFMA";
    case ResidueArithmetic::doubles:
      return "doubles";
    case ResidueArithmetic::words:
      return "64-bit words";
  }
  return "?";
}

std::vector<ResidueArithmetic> residue_arithmetics(std::uint64_t m) {
  std::vector<ResidueArithmetic> found;
  if (has_ifma()) found.push_back(ResidueArithmetic::ifma);
  if (in_one_word(factors_of(m).odd) && has_fused_doubles()) found.push_back(ResidueArithmetic::doubles);
  found.push_back(ResidueArithmetic::words);
  return found;
}

std::uint64_t fibonacci_modulo(std::uint64_t n, std::uint64_t m) {
  const auto [odd, twos] = factors_of(m);
  const std::uint64_t modulo_odd = fibonacci_by_doubling(Montgomery{odd}, n);
  if (twos == 0) return modulo_odd;
  const std::uint64_t mask = (std::uint64_t{1} << twos) - 1;
  return modulo_odd + odd * ((fibonacci_overflowing(n) - modulo_odd) * inverse_of(odd) & mask);
}

FibonacciModulo::FibonacciModulo(std::uint64_t m, std::uint64_t largest, std::int64_t expected,
                                 std::optional<ResidueArithmetic> arithmetic) {
  const auto [odd, twos] = factors_of(m);
  odd_ = odd;
  mask_ = (std::uint64_t{1} << twos) - 1;
  odd_inverse_ = inverse_of(odd);
  const std::vector<ResidueArithmetic> have = residue_arithmetics(m);
  arithmetic_ = arithmetic.value_or(have.front());
  if (std::ranges::find(have, arithmetic_) == have.end()) {
    throw std::invalid_argument("residues modulo " + std::to_string(m) + " by " + std::string{name_of(arithmetic_)} +
                                ": not on this processor, or not for this modulus");
  }
  const Digits digits = digits_for(largest, static_cast<double>(expected), product_cost(arithmetic_, odd));
  if (odd != 1 || twos == 0) odd_tables_ = odd_tables(odd, digits, arithmetic_);
  if (twos != 0) even_tables_ = PowerTables::overflowing(digits);
}

void FibonacciModulo::modulo_odd(std::span<const std::uint64_t> inputs, std::span<std::uint64_t> residues) const {
  switch (arithmetic_) {
    case ResidueArithmetic::ifma:
      return in_one_word(odd_) ? look_up_by_ifma_word(*odd_tables_, odd_, inputs, residues)
                               : look_up_by_ifma_words(*odd_tables_, odd_, inputs, residues);
    case ResidueArithmetic::doubles:
      return look_up_by_doubles(*odd_tables_, odd_, inputs, residues);
    case ResidueArithmetic::words:
      return look_up_by_words(*odd_tables_, odd_, inputs, residues);
  }
}

void FibonacciModulo::modulo_even(std::span<const std::uint64_t> inputs, std::span<std::uint64_t> residues) const {
  constexpr std::size_t together = 256;
  std::array<std::uint64_t, together> odd_residues{};
  for (std::size_t begin = 0; begin < inputs.size(); begin += together) {
    const std::size_t count = std::min(together, inputs.size() - begin);
    const std::span<std::uint64_t> found = residues.subspan(begin, count);
    if (odd_ != 1) modulo_odd(inputs.subspan(begin, count), std::span{odd_residues}.first(count));
    if (arithmetic_ == ResidueArithmetic::ifma) {
      look_up_overflowing_by_ifma(*even_tables_, inputs.subspan(begin, count), found);
    } else {
      look_up_overflowing_by_words(*even_tables_, inputs.subspan(begin, count), found);
    }
    for (std::size_t i = 0; i < count; ++i) {
      found[i] = odd_residues[i] + odd_ * ((found[i] - odd_residues[i]) * odd_inverse_ & mask_);
    }
  }
}

void FibonacciModulo::operator()(std::span<const std::uint64_t> inputs, std::span<std::uint64_t> residues) const {
  if (mask_ == 0) {
    modulo_odd(inputs, residues);
  } else {
    modulo_even(inputs, residues);
  }
}

}  // namespace duet
