#include "kernels/arithmetic/transform/half_sums.hpp"

namespace duet {
namespace {

/// One result, digit after digit.
template <bool wanted>
class Halves {
 public:
  Halves(std::span<std::uint64_t> digits, const Radix& radix) : digits_{digits}, base_{radix.base} {}

  /// Of a sum below six bases.
  void put(std::size_t i, std::uint64_t sum, std::uint64_t from_above) {
    if constexpr (wanted) {
      const std::uint64_t half = sum / 2 + from_above;
      const std::uint64_t up =
          (half >= base_ ? 1U : 0U) + (half >= 2 * base_ ? 1U : 0U) + (half >= 3 * base_ ? 1U : 0U);
      const std::uint64_t digit = half - up * base_ + below_;
      below_ = up;
      too_large_ |= base_ - 1 - digit;
      digits_[i] = digit;
    }
  }
  [[nodiscard]] std::uint64_t out() {
    if (too_large_ >> 63U == 0) return below_;
    std::uint64_t carry = 0;
    for (std::uint64_t& digit : digits_) {
      digit += carry;
      carry = digit >= base_ ? 1 : 0;
      digit -= carry * base_;
    }
    return below_ + carry;
  }

 private:
  std::span<std::uint64_t> digits_;
  std::uint64_t base_;
  std::uint64_t below_ = 0;      // what the digit before hands on
  std::uint64_t too_large_ = 0;  // negative where a digit is
};

template <bool has_once, bool has_five_times>
HalfSumCarries halves(std::span<const std::uint64_t> a, std::span<const std::uint64_t> b, bool odd_above,
                      std::span<std::uint64_t> once, std::span<std::uint64_t> five_times, const Radix& radix) {
  Halves<has_once> one{once, radix};
  Halves<has_five_times> five{five_times, radix};
  const std::uint64_t half_base = radix.base / 2;
  const auto put = [&](std::size_t i, bool odd) {
    const std::uint64_t from_above = (0 - std::uint64_t{odd}) & half_base;
    const std::uint64_t more = 4 * a[i];
    const std::uint64_t sum = a[i] + b[i];
    one.put(i, sum, from_above);
    five.put(i, sum + more, from_above);
  };
  const std::size_t last = a.size() - 1;
  for (std::size_t i = 0; i < last; ++i) put(i, odd_sum(a[i + 1], b[i + 1]));
  put(last, odd_above);
  return {one.out(), five.out()};
}

}  // namespace

HalfSumCarries half_sums_of_stretch(std::span<const std::uint64_t> a, std::span<const std::uint64_t> b, bool odd_above,
                                    std::span<std::uint64_t> once, std::span<std::uint64_t> five_times,
                                    const Radix& radix) {
  if (a.empty()) return {};
  if (once.empty()) return halves<false, true>(a, b, odd_above, once, five_times, radix);
  if (five_times.empty()) return halves<true, false>(a, b, odd_above, once, five_times, radix);
  return halves<true, true>(a, b, odd_above, once, five_times, radix);
}

}  // namespace duet
