#pragma once

/// Arithmetic modulo an odd m below 2^64, in Montgomery's form (P. L. Montgomery, "Modular multiplication without trial
/// division", 1985), and modulo 2^64.

#include <cstdint>

namespace duet {

/// 1 / q modulo 2^64 for odd q, by Newton's step: each doubles the number of right bits, q itself has three.
[[nodiscard]] constexpr std::uint64_t inverse_of(std::uint64_t q) {
  std::uint64_t x = q;
  for (int i = 0; i < 5; ++i) x *= 2 - q * x;
  return x;
}

/// x stands for x 2^-64 mod m, and is below m.
class Montgomery {
 public:
  explicit constexpr Montgomery(std::uint64_t m)
      : m_{m},
        inverse_{inverse_of(m)},
        one_{static_cast<std::uint64_t>((Wide{1} << 64U) % m)},
        square_{static_cast<std::uint64_t>(Wide{one_} * one_ % m)} {}

  [[nodiscard]] static constexpr std::uint64_t zero() { return 0; }
  [[nodiscard]] constexpr std::uint64_t one() const { return one_; }
  [[nodiscard]] constexpr std::uint64_t plain(std::uint64_t x) const { return times(x, 1 % m_); }
  [[nodiscard]] constexpr std::uint64_t form(std::uint64_t plain) const { return times(plain % m_, square_); }

  // x y 2^-64 mod m: adding the multiple of m that clears the low word leaves the high one. Subtracting it instead
  // keeps all m below 2^64 within a word.
  [[nodiscard]] constexpr std::uint64_t times(std::uint64_t x, std::uint64_t y) const {
    const Wide product = Wide{x} * y;
    const std::uint64_t clearing = static_cast<std::uint64_t>(product) * inverse_;
    const auto cleared = static_cast<std::uint64_t>(Wide{clearing} * m_ >> 64U);
    return minus(static_cast<std::uint64_t>(product >> 64U), cleared);
  }
  [[nodiscard]] constexpr std::uint64_t plus(std::uint64_t x, std::uint64_t y) const { return minus(x, m_ - y); }
  [[nodiscard]] constexpr std::uint64_t minus(std::uint64_t x, std::uint64_t y) const {
    // A mask and not a choice, which compilers turn into a jump: for m near 2^64 it is mispredicted half the time, and
    // an input takes 53 ns instead of 36.
    std::uint64_t difference = 0;
    const bool borrows = __builtin_sub_overflow(x, y, &difference);
    return difference + (m_ & (0 - std::uint64_t{borrows}));
  }
  /// x / 2: an odd x becomes even by adding m.
  [[nodiscard]] constexpr std::uint64_t half(std::uint64_t x) const {
    return (x >> 1U) + ((x & 1U) != 0 ? (m_ >> 1U) + 1 : 0);
  }

 private:
  __extension__ using Wide = unsigned __int128;

  std::uint64_t m_;
  std::uint64_t inverse_;
  std::uint64_t one_;     // 2^64 mod m
  std::uint64_t square_;  // 2^128 mod m
};

/// Arithmetic modulo 2^64, of which every 2^s is part: words overflow.
struct Overflowing {
  [[nodiscard]] static constexpr std::uint64_t zero() { return 0; }
  [[nodiscard]] static constexpr std::uint64_t one() { return 1; }
  [[nodiscard]] static constexpr std::uint64_t times(std::uint64_t x, std::uint64_t y) { return x * y; }
  [[nodiscard]] static constexpr std::uint64_t plus(std::uint64_t x, std::uint64_t y) { return x + y; }
  [[nodiscard]] static constexpr std::uint64_t minus(std::uint64_t x, std::uint64_t y) { return x - y; }
};

}  // namespace duet
