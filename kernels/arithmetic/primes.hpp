#pragma once

/// Primes and products modulo 64-bit numbers, for checking. Everything here divides by the processor's own division and
/// shares nothing with the Montgomery arithmetic of `fibonacci_residue.hpp`, so that one mistake cannot hide in both.

#include <array>
#include <cstdint>
#include <vector>

namespace duet {

/// a b mod m by a 128-bit product and a division, for any a, b and m >= 1. About 5 ns.
[[nodiscard]] std::uint64_t product_modulo(std::uint64_t a, std::uint64_t b, std::uint64_t m);

/// Many products with one factor c modulo m, which is below 2^63: the quotient comes from a share of c in m that is
/// known beforehand, and is right or one too small (Shoup, in NTL). About 2 ns, a tenth of a division.
class FactorModulo {
 public:
  FactorModulo(std::uint64_t c, std::uint64_t m)
      : c_{c % m}, m_{m}, share_{static_cast<std::uint64_t>((Wide{c_} << 64U) / m)} {}

  /// x c mod m, for any x.
  [[nodiscard]] std::uint64_t operator()(std::uint64_t x) const {
    const auto quotient = static_cast<std::uint64_t>(Wide{x} * share_ >> 64U);
    return lessened(x * c_ - quotient * m_);
  }
  /// x mod m for x below 2 m.
  [[nodiscard]] std::uint64_t lessened(std::uint64_t x) const { return x - m_ < x ? x - m_ : x; }

 private:
  __extension__ using Wide = unsigned __int128;

  std::uint64_t c_;
  std::uint64_t m_;
  std::uint64_t share_;
};

/// base^exponent mod m for m >= 1; two products a bit of the exponent at the most.
[[nodiscard]] std::uint64_t power_modulo(std::uint64_t base, std::uint64_t exponent, std::uint64_t m);

/// Whether n is prime: Miller-Rabin to the first twelve primes as bases, which no composite below 3.3 10^24 survives
/// (Sorenson and Webster, "Strong pseudoprimes to twelve prime bases", 2015).
[[nodiscard]] bool is_prime(std::uint64_t n);

/// A prime of 60 to 62 bits drawn by (seed, draw), never 2^61 - 1: 2 has the tiny order 61 modulo that, so that errors
/// in two limbs can cancel. A wrong number of b bits escapes one such prime with a chance below b / 2^60: at most b /
/// 60 of the more than 2^55 primes divide the difference.
[[nodiscard]] std::uint64_t random_prime(std::uint64_t seed, std::uint64_t draw);

/// F(n) and L(n) modulo a prime p other than 2 and 5, by Lucas' chain of V(k), V(k + 1), V(0) = 2, V(1) = 1:
///     V(2k) = V(k)^2 - 2 (-1)^k,    V(2k+1) = V(k) V(k+1) - (-1)^k,
///     and at the end    L(n) = V(n),    5 F(n) = 2 V(n+1) - V(n):
/// two products a bit, and none of the Fibonacci numbers on the way.
class LucasChain {
 public:
  /// `prime` is prime, not 2 and not 5, below 2^62.
  explicit LucasChain(std::uint64_t prime);
  [[nodiscard]] std::uint64_t prime() const { return prime_; }
  [[nodiscard]] std::uint64_t fibonacci(std::uint64_t n) const;
  [[nodiscard]] std::uint64_t lucas(std::uint64_t n) const;

 private:
  struct End {
    std::uint64_t v = 2;     ///< V(n)
    std::uint64_t next = 1;  ///< V(n + 1)
  };
  [[nodiscard]] End end_at(std::uint64_t n) const;

  std::uint64_t prime_;
  std::uint64_t fifth_;  // 1/5 mod p
};

/// F(n) mod m for any m >= 1 by another way than the kernels': doubling on neighbours,
///     F(2k) = F(k) (2 F(k+1) - F(k)),    F(2k+1) = F(k)^2 + F(k+1)^2,
/// with a division for each of the three products a bit of n. About 1 us for n of 64 bits.
[[nodiscard]] std::uint64_t fibonacci_modulo_by_division(std::uint64_t n, std::uint64_t m);

/// The same for many n: n is cut into eight bytes, and the neighbours F(k), F(k+1) for each byte at each place are put
/// together by addition,
///     F(j+k) = F(j) (F(k+1) - F(k)) + F(j+1) F(k),    F(j+k+1) = F(j) F(k) + F(j+1) F(k+1),
/// each product x c modulo m by c and c 2^64 / m, rounded down, which a division has found beforehand: the product of x
/// and the second says how often m is taken off (V. Shoup, NTL). 0.2 ms to begin with, then about 60 ns.
class FibonacciByAddition {
 public:
  FibonacciByAddition(std::uint64_t m, std::uint64_t largest);
  /// F(n) mod m for n <= largest.
  [[nodiscard]] std::uint64_t operator()(std::uint64_t n) const;

 private:
  /// x -> x c mod m.
  struct Factor {
    std::uint64_t c = 0;
    std::uint64_t share = 0;  ///< c 2^64 / m
  };
  struct Neighbours {
    Factor here;        ///< F(k)
    Factor next;        ///< F(k + 1)
    Factor difference;  ///< F(k + 1) - F(k)
  };
  [[nodiscard]] Factor factor(std::uint64_t c) const;
  [[nodiscard]] Neighbours neighbours(std::uint64_t here, std::uint64_t next) const;
  /// F(j), F(j + 1) -> F(j + k), F(j + k + 1)
  void add(const Neighbours& k, std::uint64_t& here, std::uint64_t& next) const;

  std::uint64_t m_;
  std::vector<std::array<Neighbours, 256>> places_;
};

}  // namespace duet
