#include "kernels/arithmetic/fibonacci_decimals.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "kernels/arithmetic/fast_doubling.hpp"
#include "kernels/arithmetic/transform/radix.hpp"

namespace duet {
namespace {

__extension__ using WideWord = unsigned __int128;

constexpr std::uint64_t decimal_base = 1'000'000'000'000'000'000U;
constexpr std::uint64_t entry_step = 64;

/// F(-1) to F(65), each at its index plus one.
constexpr std::array<std::uint64_t, 67> first_numbers = [] {
  std::array<std::uint64_t, 67> numbers{1, 0};
  for (std::size_t i = 2; i < numbers.size(); ++i) numbers[i] = numbers[i - 1] + numbers[i - 2];
  return numbers;
}();
constexpr std::uint64_t first_number(std::uint64_t k_plus_one) { return first_numbers[k_plus_one]; }

/// sum = x a + y b + carry, and what is carried on. For x + y below 2^47: the sum is below 2^107.
struct Combined {
  std::uint64_t digit = 0;
  std::uint64_t carry = 0;
};
Combined combined(WideWord sum) {
  // The quotient by 10^18 from the reciprocal 2^123 / 10^18 rounded down, and the sum without its last 59 bits: right
  // or at most two too small.
  constexpr auto reciprocal = static_cast<std::uint64_t>((WideWord{1} << 123U) / decimal_base);
  auto quotient = static_cast<std::uint64_t>(WideWord{static_cast<std::uint64_t>(sum >> 59U)} * reciprocal >> 64U);
  std::uint64_t rest = static_cast<std::uint64_t>(sum) - quotient * decimal_base;
  for (int again = 0; again < 2; ++again) {
    const bool larger = rest >= decimal_base;
    rest -= larger ? decimal_base : 0;
    quotient += larger ? 1 : 0;
  }
  return {rest, quotient};
}

/// to = x a + y b, of one digit more; returns its digits without zeros at the end.
std::size_t combine(std::uint64_t x, std::span<const std::uint64_t> a, std::uint64_t y, const std::uint64_t* b,
                    std::uint64_t* to) {
  std::uint64_t carry = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const Combined next = combined(WideWord{x} * a[i] + WideWord{y} * b[i] + carry);
    to[i] = next.digit;
    carry = next.carry;
  }
  std::size_t size = a.size();
  if (carry != 0) to[size++] = carry;
  while (size != 0 && to[size - 1] == 0) --size;
  return size;
}

}  // namespace

FibonacciDecimals::FibonacciDecimals(std::uint64_t largest) : largest_{std::min(largest, most_index)} {
  std::vector<std::uint64_t> here{0};
  std::vector<std::uint64_t> next{1};
  for (std::uint64_t j = 0; j <= largest_ / entry_step; ++j) {
    entries_.push_back({.first = digits_.size(), .size = next.size()});
    digits_.insert(digits_.end(), here.begin(), here.end());
    digits_.insert(digits_.end(), next.begin(), next.end());
    std::vector<std::uint64_t> here_then(next.size() + 1);
    std::vector<std::uint64_t> next_then(next.size() + 1);
    combine(first_number(65), next, first_number(64), here.data(), here_then.data());
    const std::size_t size = combine(first_number(66), next, first_number(65), here.data(), next_then.data());
    here_then.resize(size);
    next_then.resize(size);
    here.swap(here_then);
    next.swap(next_then);
  }
}

std::size_t FibonacciDecimals::write(std::uint64_t n, std::uint64_t* digits) const {
  const Entry& entry = entries_[n / entry_step];
  const std::uint64_t k = n % entry_step;
  const std::uint64_t* const here = digits_.data() + entry.first;
  return combine(first_number(k + 1), {here + entry.size, entry.size}, first_number(k), here, digits);
}

char* write_decimal(std::span<const std::uint64_t> digits, unsigned places, char* to) {
  if (digits.empty()) {
    *to = '0';
    return to + 1;
  }
  constexpr std::size_t longest_digit = 20;
  char* end = std::to_chars(to, to + longest_digit, digits.back()).ptr;
  for (std::size_t i = digits.size() - 1; i-- > 0; end += places) write_places(digits[i], places, end);
  return end;
}

}  // namespace duet
