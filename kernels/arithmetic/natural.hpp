#pragma once

/// Exact natural numbers, and Fibonacci numbers among them. Below the interface, short ones are GMP's, and long ones
/// are multiplied by transforms (transform/transform.hpp).

#include <compare>
#include <cstdint>
#include <iosfwd>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/arithmetic/transform/team.hpp"

namespace duet {

struct TransformContext;

/// A natural number. Immutable; a value like any other: copied deep, moved for free, compared and ordered by what it is
/// worth.
class Natural {
 public:
  /// 0.
  Natural() = default;
  explicit Natural(std::uint64_t value);
  /// The sum of limbs[i] 2^(64 i). Zeros at the end are dropped.
  explicit Natural(std::vector<std::uint64_t> limbs);
  /// From digits and nothing else: no sign, no space, no prefix; zeros in front, and hexadecimal digits of either case.
  /// Throws std::invalid_argument that names the first character that is no digit. Decimals cost O(M(b) log b) for b
  /// bits, hexadecimals about 1 ns a digit.
  [[nodiscard]] static Natural from_decimal(std::string_view digits, const TransformTeam& team = serial_team());
  [[nodiscard]] static Natural from_hexadecimal(std::string_view digits);

  /// Base 2^64, least significant first, without zeros at the end: 0 has none. Equal numbers have equal limbs.
  [[nodiscard]] std::span<const std::uint64_t> limbs() const { return limbs_; }
  /// The least b with value < 2^b.
  [[nodiscard]] std::int64_t bits() const;
  /// The remainder modulo m >= 1. About 1 ns a limb.
  [[nodiscard]] std::uint64_t modulo(std::uint64_t m) const;
  /// log2 of the value, to about 2^-62 relative to 1 plus the rounding of the result; minus infinity for 0.
  [[nodiscard]] long double log2() const;
  /// The decimal digits, without leading zeros; "0" for 0. Costs O(M(b) log b) for b bits. Of F(n) they are had for a
  /// tenth of it by `fibonacci_decimal` (fast_doubling.hpp).
  [[nodiscard]] std::string decimal(const TransformTeam& team = serial_team()) const;
  /// The hexadecimal digits, in lower case, without prefix and leading zeros; "0" for 0. About 1 ns a digit.
  [[nodiscard]] std::string hexadecimal() const;

  /// Costs M((a + b) / 2) for factors of a and b bits, where M(b) is about 0.7 ns times b for 10^5 to 10^7 bits
  /// (AVX-512 IFMA). Throws std::length_error where the factors are too long, beyond 10^10 bits.
  [[nodiscard]] Natural times(const Natural& other, const TransformTeam& team = serial_team()) const;
  /// Three quarters of the product's.
  [[nodiscard]] Natural squared(const TransformTeam& team = serial_team()) const;
  friend Natural operator*(const Natural& a, const Natural& b) { return a.times(b); }
  /// About 1 ns a limb.
  friend Natural operator+(const Natural& a, const Natural& b);

  friend bool operator==(const Natural&, const Natural&) = default;
  friend std::strong_ordering operator<=>(const Natural& a, const Natural& b);

  /// In hexadecimal where std::hex is set, else in decimal; by one thread, without std::showbase and std::uppercase.
  /// Width and fill are those of a string.
  friend std::ostream& operator<<(std::ostream& out, const Natural& number);
  /// Reads digits, after spaces where std::skipws is set, up to the first character that is none, which stays unread.
  /// Without any digit sets std::ios_base::failbit and leaves `number` as it is.
  friend std::istream& operator>>(std::istream& in, Natural& number);

 private:
  std::vector<std::uint64_t> limbs_;
};

/// F(n) for F(0) = 0, F(1) = 1, F(n) = F(n-1) + F(n-2), by doubling (fast_doubling.hpp, with L(n) and decimals). Needs
/// about six times the bytes of the answer beside it. Throws std::length_error where n > largest_fibonacci_index.
[[nodiscard]] Natural fibonacci(std::uint64_t n);
/// The same by a team.
[[nodiscard]] Natural fibonacci(std::uint64_t n, const TransformTeam& team);
/// The same by the context's team. Who computes many keeps the context: its working memory has its pages then.
[[nodiscard]] Natural fibonacci(std::uint64_t n, TransformContext& context);

/// F(n) of the largest n has 2^36 bits: 8 GiB.
inline constexpr std::uint64_t largest_fibonacci_index = 98'984'914'894;

/// True where F(-n) = -F(n), for n even and positive: F(-n) = (-1)^(n+1) F(n) carries the sequence to negative indices.
[[nodiscard]] constexpr bool fibonacci_is_negative_at_minus(std::uint64_t n) { return n != 0 && n % 2 == 0; }

/// log2 F(n) for n >= 1 as n log2(phi) - log2(5) / 2 gives it. F(n) = (phi^n - (-1/phi)^n) / sqrt(5), so it is off by
/// less than 1.5 phi^-2n, and by the rounding of the long double.
[[nodiscard]] long double fibonacci_log2(std::uint64_t n);

/// Bytes of the limbs of F(n), to within one limb.
[[nodiscard]] double fibonacci_bytes(std::uint64_t n);

/// Decimal digits of F(n), to within one.
[[nodiscard]] double fibonacci_digits(std::uint64_t n);

/// Nanoseconds that `fibonacci(n)` takes: measured on one core (AMD Zen 4) at 16 values of n, with straight lines
/// between them. Only its ratios matter, and those within 20 % on other processors with AVX-512 IFMA; elsewhere n
/// beyond 30,000 takes up to six times as long beside smaller ones. A pure function in basic IEEE operations, so that
/// every rank of a job sees the same number.
[[nodiscard]] double fibonacci_nanoseconds(std::uint64_t n);

}  // namespace duet
