#pragma once

/// Short Fibonacci numbers in decimal, many of them: F(n) in radix 10^18 from a table, by one pass over two numbers,
///
///     F(64 j + k) = F(k) F(64 j + 1) + F(k - 1) F(64 j),    0 <= k < 64, F(-1) = 1,
///
/// where F(k) fits into a word, so that a digit takes two products, and one more for the carry. No conversion occurs.
/// From 25 ns (n = 100) to 0.8 us (n = 16,000), against 0.05 to 5 us for the binary number by GMP, and as much again
/// and more for its decimals.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace duet {

/// Any number of threads may use one table at the same time.
class FibonacciDecimals {
 public:
  /// The table's entries for n <= largest, or up to `most_index`, beyond which doubling over transforms takes less
  /// time: at most 0.4 MB and 0.2 ms.
  static constexpr std::uint64_t most_index = 16'383;
  explicit FibonacciDecimals(std::uint64_t largest);

  /// The largest n that is answered.
  [[nodiscard]] std::uint64_t largest() const { return largest_; }
  /// Writes the digits of F(n) in radix 10^18, least significant first, for n <= largest(); returns how many, without
  /// zeros at the end. There is room for `most_sequence_digits(n, Radix::decimal(18))`.
  std::size_t write(std::uint64_t n, std::uint64_t* digits) const;

 private:
  /// F(64 j) and F(64 j + 1), of `size` digits each, one behind the other.
  struct Entry {
    std::size_t first = 0;
    std::size_t size = 0;
  };

  std::uint64_t largest_;
  std::vector<Entry> entries_;
  std::vector<std::uint64_t> digits_;
};

/// Writes a number in a decimal radix of `places` as decimal text without leading zeros, "0" for none, and returns its
/// end. There is room for digits.size() * places characters, and one.
char* write_decimal(std::span<const std::uint64_t> digits, unsigned places, char* to);

}  // namespace duet
