#pragma once

/// The three primes of the transform, and plain arithmetic modulo them for tables and constants.
///
/// p = c 2^30 + 1 just below 2^48. Vectors of AVX-512 IFMA multiply 52 bits by 52: sixteen times a prime fit into an
/// operand, so that a butterfly adds and subtracts without reducing, and one reduction in eight is enough. Primes of 50
/// bits would carry 5 % more in each word, and reductions would take a third of the time.
///
/// The product of the three is P = 2^143.9996. A product of numbers in radix R has coefficients of up to
/// count (R - 1)^2, where count is the number of digits of the shorter factor; they must stay below P.

#include <array>
#include <cstddef>
#include <cstdint>

namespace duet {

__extension__ using UInt128 = unsigned __int128;

/// Bits of the operands of the vector products; factors are kept multiplied by 2^52 (Montgomery's form).
inline constexpr unsigned operand_bits = 52;
inline constexpr std::uint64_t operand_mask = (std::uint64_t{1} << operand_bits) - 1;

/// Transforms reach lengths of 2^32: twiddles are roots of unity of order up to 2^30.
inline constexpr unsigned root_bits = 30;

class TransformPrime {
 public:
  constexpr explicit TransformPrime(std::uint64_t p) : p_{p} {
    std::uint64_t x = p;  // Newton's step doubles the right bits, of which p has three.
    for (int i = 0; i < 5; ++i) x *= 2 - p * x;
    inverse_ = x & operand_mask;
    std::uint64_t candidate = 2;
    while (power(candidate, (p - 1) / 2) != p - 1) ++candidate;
    root_ = power(candidate, (p - 1) >> root_bits);
    factor_reciprocal_ = reciprocal(factor(1));
  }

  [[nodiscard]] constexpr std::uint64_t value() const { return p_; }
  /// 1 / p modulo 2^52.
  [[nodiscard]] constexpr std::uint64_t inverse() const { return inverse_; }
  /// 2^48 modulo p.
  [[nodiscard]] constexpr std::uint64_t excess() const { return (std::uint64_t{1} << 48U) - p_; }
  /// A root of unity of order 2^30.
  [[nodiscard]] constexpr std::uint64_t root() const { return root_; }

  [[nodiscard]] constexpr std::uint64_t product(std::uint64_t a, std::uint64_t b) const {
    return static_cast<std::uint64_t>(UInt128{a} * b % p_);
  }
  [[nodiscard]] constexpr std::uint64_t power(std::uint64_t base, std::uint64_t exponent) const {
    std::uint64_t result = 1;
    for (base %= p_; exponent != 0; exponent >>= 1U) {
      if ((exponent & 1U) != 0) result = product(result, base);
      base = product(base, base);
    }
    return result;
  }
  [[nodiscard]] constexpr std::uint64_t reciprocal(std::uint64_t a) const { return power(a, p_ - 2); }
  /// a 2^52 mod p, the form of a factor.
  [[nodiscard]] constexpr std::uint64_t factor(std::uint64_t a) const {
    return static_cast<std::uint64_t>((UInt128{a % p_} << operand_bits) % p_);
  }
  /// A residue below p as the double next to zero.
  [[nodiscard]] constexpr double centred(std::uint64_t a) const {
    return a > p_ / 2 ? -static_cast<double>(p_ - a) : static_cast<double>(a);
  }
  /// The factor that does what two factors do, one after the other.
  [[nodiscard]] constexpr std::uint64_t combined(std::uint64_t a, std::uint64_t b) const {
    return product(product(a, b), factor_reciprocal_);
  }

 private:
  std::uint64_t p_;
  std::uint64_t inverse_;
  std::uint64_t root_;
  std::uint64_t factor_reciprocal_;  // 2^-52
};

inline constexpr std::size_t transform_primes_count = 3;
inline constexpr std::array<TransformPrime, transform_primes_count> transform_primes{
    TransformPrime{262137 * (std::uint64_t{1} << root_bits) + 1},
    TransformPrime{262122 * (std::uint64_t{1} << root_bits) + 1},
    TransformPrime{262099 * (std::uint64_t{1} << root_bits) + 1}};

}  // namespace duet
