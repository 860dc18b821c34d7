#include "kernels/arithmetic/fibonacci_residue.hpp"

#include <algorithm>
#include <bit>
#include <stdexcept>

namespace duet {
namespace {

__extension__ using Wide = unsigned __int128;

/// 1 / q modulo 2^64 for odd q, by Newton's step: each doubles the number of right bits, q itself has three.
std::uint64_t inverse_of(std::uint64_t q) {
  std::uint64_t x = q;
  for (int i = 0; i < 5; ++i) x *= 2 - q * x;
  return x;
}

/// Arithmetic modulo an odd m on values below m, in Montgomery's form: x stands for x 2^-64 mod m.
class Montgomery {
 public:
  explicit Montgomery(std::uint64_t m)
      : m_{m},
        inverse_{inverse_of(m)},
        one_{static_cast<std::uint64_t>((Wide{1} << 64U) % m)},
        square_{static_cast<std::uint64_t>(Wide{one_} * one_ % m)} {}

  [[nodiscard]] std::uint64_t zero() const { return 0; }
  [[nodiscard]] std::uint64_t one() const { return one_; }
  [[nodiscard]] std::uint64_t plain(std::uint64_t x) const { return times(x, 1 % m_); }
  [[nodiscard]] std::uint64_t form(std::uint64_t plain) const { return times(plain % m_, square_); }

  // x y 2^-64 mod m: adding the multiple of m that clears the low word leaves the high one. Subtracting it instead
  // keeps all m below 2^64 within a word.
  [[nodiscard]] std::uint64_t times(std::uint64_t x, std::uint64_t y) const {
    const Wide product = Wide{x} * y;
    const std::uint64_t clearing = static_cast<std::uint64_t>(product) * inverse_;
    const auto cleared = static_cast<std::uint64_t>(Wide{clearing} * m_ >> 64U);
    return minus(static_cast<std::uint64_t>(product >> 64U), cleared);
  }
  [[nodiscard]] std::uint64_t plus(std::uint64_t x, std::uint64_t y) const { return minus(x, m_ - y); }
  [[nodiscard]] std::uint64_t minus(std::uint64_t x, std::uint64_t y) const {
    // A mask and not a choice, which compilers turn into a jump: for m near 2^64 it is mispredicted half the time, and
    // an input takes 53 ns instead of 36.
    std::uint64_t difference = 0;
    const bool borrows = __builtin_sub_overflow(x, y, &difference);
    return difference + (m_ & (0 - std::uint64_t{borrows}));
  }
  /// x / 2: an odd x becomes even by adding m.
  [[nodiscard]] std::uint64_t half(std::uint64_t x) const { return (x >> 1U) + ((x & 1U) != 0 ? (m_ >> 1U) + 1 : 0); }

 private:
  std::uint64_t m_;
  std::uint64_t inverse_;
  std::uint64_t one_;     // 2^64 mod m
  std::uint64_t square_;  // 2^128 mod m
};

/// Arithmetic modulo 2^64, of which every 2^s is part: words overflow.
class Overflowing {
 public:
  [[nodiscard]] static std::uint64_t zero() { return 0; }
  [[nodiscard]] static std::uint64_t one() { return 1; }
  [[nodiscard]] static std::uint64_t plain(std::uint64_t x) { return x; }
  [[nodiscard]] static std::uint64_t times(std::uint64_t x, std::uint64_t y) { return x * y; }
  [[nodiscard]] static std::uint64_t plus(std::uint64_t x, std::uint64_t y) { return x + y; }
  [[nodiscard]] static std::uint64_t minus(std::uint64_t x, std::uint64_t y) { return x - y; }
};

template <class Ring>
FibonacciModulo::Power product(const Ring& ring, FibonacciModulo::Power x, FibonacciModulo::Power y) {
  const std::uint64_t ends = ring.times(x.b, y.b);
  return {ring.minus(ring.times(ring.plus(x.a, x.b), ring.plus(y.a, y.b)), ends),
          ring.plus(ring.times(x.a, y.a), ends)};
}

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

}  // namespace

std::uint64_t fibonacci_modulo(std::uint64_t n, std::uint64_t m) {
  const auto [odd, twos] = factors_of(m);
  const std::uint64_t modulo_odd = fibonacci_by_doubling(Montgomery{odd}, n);
  if (twos == 0) return modulo_odd;
  const std::uint64_t mask = (std::uint64_t{1} << twos) - 1;
  return modulo_odd + odd * ((fibonacci_overflowing(n) - modulo_odd) * inverse_of(odd) & mask);
}

template <class Ring>
std::vector<FibonacciModulo::Table> FibonacciModulo::tables_in(const Ring& ring, std::size_t places) {
  std::vector<Table> tables(places);
  Power base{ring.one(), ring.zero()};  // phi^(2^(digit_bits place))
  for (Table& table : tables) {
    table[0] = {ring.zero(), ring.one()};
    table[1] = base;
    // From two halves, so that the products of one table do not wait for each other.
    for (std::size_t d = 2; d < digits; ++d) table[d] = product(ring, table[d / 2], table[d - d / 2]);
    base = product(ring, table[digits - 1], base);
  }
  // A product with a plain factor leaves Montgomery's form: with the last factor plain, the answer is.
  for (Power& power : tables.front()) power = {ring.plain(power.a), ring.plain(power.b)};
  return tables;
}

FibonacciModulo::FibonacciModulo(std::uint64_t m, std::uint64_t largest) {
  const auto [odd, twos] = factors_of(m);
  odd_ = odd;
  mask_ = (std::uint64_t{1} << twos) - 1;
  odd_inverse_ = inverse_of(odd);
  const std::size_t places = std::max<std::size_t>(1, (std::bit_width(largest) + digit_bits - 1) / digit_bits);
  if (odd != 1 || twos == 0) odd_tables_ = tables_in(Montgomery{odd}, places);
  if (twos != 0) even_tables_ = tables_in(Overflowing{}, places);
}

template <class Ring>
void FibonacciModulo::look_up(const Ring& ring, std::span<const Table> tables, std::span<const std::uint64_t> inputs,
                              std::span<std::uint64_t> residues) {
  // The products of one input wait for each other, about 15 cycles each; those of `lanes` inputs fill that time.
  constexpr std::size_t lanes = 4;
  const auto digit = [](std::uint64_t n, std::size_t place) { return n >> (digit_bits * place) & (digits - 1); };
  const auto look_up_lanes = [&]<std::size_t count>(std::array<std::uint64_t, count>& n) {
    std::array<Power, count> power;
    std::size_t place = tables.size() - 1;
    for (std::size_t lane = 0; lane < count; ++lane) power[lane] = tables[place][digit(n[lane], place)];
    while (place-- > 1) {
      for (std::size_t lane = 0; lane < count; ++lane) {
        power[lane] = product(ring, power[lane], tables[place][digit(n[lane], place)]);
      }
    }
    for (std::size_t lane = 0; lane < count; ++lane) {
      n[lane] = tables.size() == 1 ? power[lane].a : product(ring, power[lane], tables[0][digit(n[lane], 0)]).a;
    }
  };
  std::size_t i = 0;
  for (; i + lanes <= inputs.size(); i += lanes) {
    std::array<std::uint64_t, lanes> n{};
    std::copy_n(inputs.begin() + static_cast<std::ptrdiff_t>(i), lanes, n.begin());
    look_up_lanes(n);
    std::copy_n(n.begin(), lanes, residues.begin() + static_cast<std::ptrdiff_t>(i));
  }
  for (; i < inputs.size(); ++i) {
    std::array<std::uint64_t, 1> n{inputs[i]};
    look_up_lanes(n);
    residues[i] = n[0];
  }
}

void FibonacciModulo::operator()(std::span<const std::uint64_t> inputs, std::span<std::uint64_t> residues) const {
  if (mask_ == 0) return look_up(Montgomery{odd_}, odd_tables_, inputs, residues);
  constexpr std::size_t together = 64;
  std::array<std::uint64_t, together> modulo_odd{};
  for (std::size_t begin = 0; begin < inputs.size(); begin += together) {
    const std::size_t count = std::min(together, inputs.size() - begin);
    const std::span<std::uint64_t> modulo_even = residues.subspan(begin, count);
    if (odd_ != 1) look_up(Montgomery{odd_}, odd_tables_, inputs.subspan(begin, count), modulo_odd);
    look_up(Overflowing{}, even_tables_, inputs.subspan(begin, count), modulo_even);
    for (std::size_t i = 0; i < count; ++i) {
      modulo_even[i] = modulo_odd[i] + odd_ * ((modulo_even[i] - modulo_odd[i]) * odd_inverse_ & mask_);
    }
  }
}

}  // namespace duet
