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

bool is_short(std::uint64_t modulus) { return modulus < end_of_short_moduli; }

/// Residues modulo q and modulo 2^s, put together: x = x_q + q ((x_2 - x_q) / q mod 2^s).
class Remainders {
 public:
  explicit Remainders(const Factors& factors)
      : odd_{factors.odd}, inverse_{inverse_of(factors.odd)}, mask_{(std::uint64_t{1} << factors.twos) - 1} {}

  /// `overflowed` modulo 2^s or any higher power of two.
  [[nodiscard]] std::uint64_t together(std::uint64_t modulo_odd, std::uint64_t overflowed) const {
    return modulo_odd + odd_ * ((overflowed - modulo_odd) * inverse_ & mask_);
  }

 private:
  std::uint64_t odd_;
  std::uint64_t inverse_;
  std::uint64_t mask_;
};

/// What a product costs, in entries of a table.
double product_cost(ResidueArithmetic arithmetic, std::uint64_t modulus) {
  switch (arithmetic) {
    case ResidueArithmetic::ifma:
      return is_short(modulus) ? 0.07 : 0.15;
    case ResidueArithmetic::doubles:
      return 0.1;
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

PowerTables tables_for(ResidueArithmetic arithmetic, std::uint64_t odd, const Digits& digits) {
  if (arithmetic == ResidueArithmetic::words)
    return PowerTables::modulo(odd, digits, doublings_by_words(digits.places));
  return PowerTables::modulo(
      odd, digits, is_short(odd) ? doublings_by_ifma_word(digits.places) : doublings_by_ifma_words(digits.places));
}

/// Doubles need no inverse modulo 2^52, so that m may be even.
PowerTables tables_of_doubles(const Factors& factors, const Digits& digits) {
  PowerTables tables = PowerTables::modulo(factors.odd, digits, 0);
  if (factors.twos != 0) {
    const PowerTables overflowing = PowerTables::overflowing(digits);
    const Remainders remainders{factors};
    const Power* even = overflowing.place(0);
    for (Power& power : tables.entries()) {
      power = {remainders.together(power.a, even->a), remainders.together(power.b, even->b)};
      ++even;
    }
  }
  store_as_doubles(tables, factors.odd << factors.twos);
  return tables;
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
  const auto [odd, twos] = factors_of(m);
  std::vector<ResidueArithmetic> found;
  if (has_ifma()) found.push_back(ResidueArithmetic::ifma);
  if (is_short(m) && has_fused_doubles()) {
    // One product of doubles costs less than one by IFMA and one modulo 2^s.
    found.insert(odd != 1 && twos != 0 ? found.begin() : found.end(), ResidueArithmetic::doubles);
  }
  found.push_back(ResidueArithmetic::words);
  return found;
}

std::uint64_t fibonacci_modulo(std::uint64_t n, std::uint64_t m) {
  const Factors factors = factors_of(m);
  const std::uint64_t modulo_odd = fibonacci_by_doubling(Montgomery{factors.odd}, n);
  return factors.twos == 0 ? modulo_odd : Remainders{factors}.together(modulo_odd, fibonacci_overflowing(n));
}

FibonacciModulo::FibonacciModulo(std::uint64_t m, std::uint64_t largest, std::int64_t expected,
                                 std::optional<ResidueArithmetic> arithmetic)
    : modulus_{m} {
  const std::vector<ResidueArithmetic> have = residue_arithmetics(m);
  arithmetic_ = arithmetic.value_or(have.front());
  if (std::ranges::find(have, arithmetic_) == have.end()) {
    throw std::invalid_argument("residues modulo " + std::to_string(m) + " by " + std::string{name_of(arithmetic_)} +
                                ": not on this processor, or not for this modulus");
  }
  const Factors factors = factors_of(m);
  const Digits digits = digits_for(largest, static_cast<double>(expected), product_cost(arithmetic_, factors.odd));
  if (arithmetic_ == ResidueArithmetic::doubles) {
    tables_ = tables_of_doubles(factors, digits);
    return;
  }
  if (factors.odd != 1 || factors.twos == 0) tables_ = tables_for(arithmetic_, factors.odd, digits);
  if (factors.twos != 0) overflowing_tables_ = PowerTables::overflowing(digits);
}

void FibonacciModulo::modulo_odd(std::uint64_t odd, std::span<const std::uint64_t> inputs,
                                 std::span<std::uint64_t> residues) const {
  if (arithmetic_ == ResidueArithmetic::words) {
    look_up_by_words(tables_, odd, inputs, residues);
  } else if (is_short(odd)) {
    look_up_by_ifma_word(tables_, odd, inputs, residues);
  } else {
    look_up_by_ifma_words(tables_, odd, inputs, residues);
  }
}

void FibonacciModulo::modulo_even(std::span<const std::uint64_t> inputs, std::span<std::uint64_t> residues) const {
  constexpr std::size_t most_together = 256;
  const Factors factors = factors_of(modulus_);
  const Remainders remainders{factors};
  const auto overflowing =
      arithmetic_ == ResidueArithmetic::ifma ? look_up_overflowing_by_ifma : look_up_overflowing_by_words;
  std::array<std::uint64_t, most_together> odd_residues{};
  for (std::size_t begin = 0; begin < inputs.size(); begin += most_together) {
    const std::size_t count = std::min(most_together, inputs.size() - begin);
    const std::span<std::uint64_t> found = residues.subspan(begin, count);
    // Modulo 1 all residues are 0.
    if (factors.odd != 1) modulo_odd(factors.odd, inputs.subspan(begin, count), std::span{odd_residues}.first(count));
    overflowing(overflowing_tables_, inputs.subspan(begin, count), found);
    for (std::size_t i = 0; i < count; ++i) found[i] = remainders.together(odd_residues[i], found[i]);
  }
}

void FibonacciModulo::operator()(std::span<const std::uint64_t> inputs, std::span<std::uint64_t> residues) const {
  if (arithmetic_ == ResidueArithmetic::doubles) {
    look_up_by_doubles(tables_, modulus_, inputs, residues);
  } else if (!overflowing_tables_.empty()) {
    modulo_even(inputs, residues);
  } else {
    modulo_odd(modulus_, inputs, residues);
  }
}

}  // namespace duet
