#include "kernels/arithmetic/primes.hpp"

#include <algorithm>
#include <array>
#include <bit>

#include "kernels/core/random.hpp"

namespace duet {
namespace {

__extension__ using Wide = unsigned __int128;

}  // namespace

std::uint64_t product_modulo(std::uint64_t a, std::uint64_t b, std::uint64_t m) {
  return static_cast<std::uint64_t>(Wide{a} * b % m);
}

std::uint64_t power_modulo(std::uint64_t base, std::uint64_t exponent, std::uint64_t m) {
  std::uint64_t power = 1 % m;
  for (base %= m; exponent != 0; exponent >>= 1U) {
    if ((exponent & 1U) != 0) power = product_modulo(power, base, m);
    base = product_modulo(base, base, m);
  }
  return power;
}

bool is_prime(std::uint64_t n) {
  constexpr std::array<std::uint64_t, 12> bases{2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37};
  if (n < 2) return false;
  for (const std::uint64_t base : bases) {
    if (n % base == 0) return n == base;
  }
  const int twos = std::countr_zero(n - 1);
  for (const std::uint64_t base : bases) {
    // n - 1 = odd 2^twos: base^odd, squared again and again, must meet 1 at once or -1 on the way.
    std::uint64_t power = power_modulo(base, (n - 1) >> twos, n);
    bool passes = power == 1 || power == n - 1;
    for (int i = 1; i < twos && !passes; ++i) {
      power = product_modulo(power, power, n);
      passes = power == n - 1;
    }
    if (!passes) return false;
  }
  return true;
}

std::uint64_t random_prime(std::uint64_t seed, std::uint64_t draw) {
  constexpr std::uint32_t stream = 2;
  constexpr std::uint64_t mersenne = (std::uint64_t{1} << 61U) - 1;
  for (std::uint64_t attempt = 0;; ++attempt) {
    const std::uint64_t bits = random_bits(seed, stream, draw, attempt);
    // 60, 61 or 62 bits, odd.
    const unsigned size = 60 + static_cast<unsigned>(bits >> 62U) % 3;
    const std::uint64_t top = std::uint64_t{1} << (size - 1);
    const std::uint64_t candidate = top | (bits & (top - 1)) | 1U;
    if (candidate != mersenne && is_prime(candidate)) return candidate;
  }
}

LucasChain::LucasChain(std::uint64_t prime) : prime_{prime}, fifth_{power_modulo(5, prime - 2, prime)} {}

LucasChain::End LucasChain::end_at(std::uint64_t n) const {
  const std::uint64_t p = prime_;
  auto [v, next] = End{.v = 2 % p, .next = 1};
  bool k_is_odd = false;
  for (int bit = static_cast<int>(std::bit_width(n)); bit-- > 0;) {
    // v^2 - 2 (-1)^k and its neighbour's: the sign is that of k, then of k + 1.
    const std::uint64_t sign = k_is_odd ? 1 : p - 1;
    const std::uint64_t between = (product_modulo(v, next, p) + sign) % p;
    const bool one = (n >> bit & 1U) != 0;
    if (one) {
      v = between;
      next = (product_modulo(next, next, p) + 2 * (p - sign)) % p;
    } else {
      next = between;
      v = (product_modulo(v, v, p) + 2 * sign) % p;
    }
    k_is_odd = one;
  }
  return {.v = v, .next = next};
}

std::uint64_t LucasChain::fibonacci(std::uint64_t n) const {
  const End end = end_at(n);
  return product_modulo((2 * end.next + (prime_ - end.v)) % prime_, fifth_, prime_);
}

std::uint64_t LucasChain::lucas(std::uint64_t n) const { return end_at(n).v; }

std::uint64_t fibonacci_modulo_by_division(std::uint64_t n, std::uint64_t m) {
  std::uint64_t f = 0;         // F(k)
  std::uint64_t next = 1 % m;  // F(k + 1)
  const auto minus = [m](std::uint64_t a, std::uint64_t b) { return a >= b ? a - b : a + (m - b); };
  const auto plus = [m](std::uint64_t a, std::uint64_t b) { return a >= m - b ? a - (m - b) : a + b; };
  for (int bit = static_cast<int>(std::bit_width(n)); bit-- > 0;) {
    const std::uint64_t even = product_modulo(f, minus(plus(next, next), f), m);
    const std::uint64_t odd = static_cast<std::uint64_t>(plus(product_modulo(f, f, m), product_modulo(next, next, m)));
    const bool one = (n >> bit & 1U) != 0;
    f = one ? odd : even;
    next = one ? plus(even, odd) : odd;
  }
  return f;
}

FibonacciByAddition::FibonacciByAddition(std::uint64_t m, std::uint64_t largest)
    : m_{m}, places_(std::max<std::size_t>(1, (std::bit_width(largest) + 7) / 8)) {
  std::uint64_t here = 1 % m;  // F(1), F(2); then F(256^place) and its neighbour
  std::uint64_t next = 1 % m;
  for (auto& place : places_) {
    const Neighbours step = neighbours(here, next);
    here = 0;
    next = 1 % m;
    for (Neighbours& entry : place) {
      entry = neighbours(here, next);
      add(step, here, next);
    }
  }
}

std::uint64_t FibonacciByAddition::operator()(std::uint64_t n) const {
  std::uint64_t here = 0;
  std::uint64_t next = 1 % m_;
  for (std::size_t place = 0; place < places_.size(); ++place) add(places_[place][n >> (8 * place) & 255U], here, next);
  return here;
}

FibonacciByAddition::Factor FibonacciByAddition::factor(std::uint64_t c) const {
  return {c, static_cast<std::uint64_t>((Wide{c} << 64U) / m_)};
}

FibonacciByAddition::Neighbours FibonacciByAddition::neighbours(std::uint64_t here, std::uint64_t next) const {
  return {factor(here), factor(next), factor(next >= here ? next - here : next + (m_ - here))};
}

inline void FibonacciByAddition::add(const Neighbours& k, std::uint64_t& here, std::uint64_t& next) const {
  // Masks and least values where choices would be jumps, mispredicted half the time.
  const auto product = [m = m_](std::uint64_t x, const Factor& y) {
    // The quotient is right or one too small.
    const auto quotient = static_cast<std::uint64_t>(Wide{x} * y.share >> 64U);
    if (m >> 63U == 0) {
      const std::uint64_t rest = x * y.c - quotient * m;
      return std::min(rest, rest - m);
    }
    const Wide rest = Wide{x} * y.c - Wide{quotient} * m;
    return static_cast<std::uint64_t>(rest) - (m & (0 - std::uint64_t{rest >= m}));
  };
  const auto sum = [m = m_](std::uint64_t x, std::uint64_t y) { return x + y - (m & (0 - std::uint64_t{x >= m - y})); };
  const std::uint64_t sum_here = sum(product(here, k.difference), product(next, k.here));
  next = sum(product(here, k.here), product(next, k.next));
  here = sum_here;
}

}  // namespace duet
