#include "kernels/arithmetic/natural.hpp"

#include <gmp.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <utility>

#include "kernels/arithmetic/fast_doubling.hpp"
#include "kernels/arithmetic/radix_conversion.hpp"
#include "kernels/arithmetic/transform/transform.hpp"

namespace duet {
namespace {

static_assert(GMP_NUMB_BITS == 64 && sizeof(mp_limb_t) == sizeof(std::uint64_t), "GMP with limbs of 64 bits is needed");

/// Shorter numbers are converted by GMP.
constexpr std::size_t least_converted_limbs = 1000;

/// Owns one of GMP's numbers.
class GmpNumber {
 public:
  GmpNumber() { mpz_init(number_); }
  ~GmpNumber() { mpz_clear(number_); }
  GmpNumber(const GmpNumber&) = delete;
  GmpNumber& operator=(const GmpNumber&) = delete;

  [[nodiscard]] mpz_ptr get() { return number_; }
  [[nodiscard]] std::vector<std::uint64_t> limbs() const {
    const mp_limb_t* const first = mpz_limbs_read(number_);
    return {first, first + mpz_size(number_)};
  }

 private:
  mpz_t number_;
};

}  // namespace

Natural::Natural(std::uint64_t value) {
  if (value != 0) limbs_.push_back(value);
}

Natural::Natural(std::vector<std::uint64_t> limbs) : limbs_{std::move(limbs)} {
  while (!limbs_.empty() && limbs_.back() == 0) limbs_.pop_back();
}

Natural Natural::from_decimal(std::string_view digits) {
  const bool is_number = !digits.empty() && std::ranges::all_of(digits, [](char c) { return '0' <= c && c <= '9'; });
  GmpNumber number;
  if (!is_number || mpz_set_str(number.get(), std::string{digits}.c_str(), 10) != 0) {
    throw std::invalid_argument("'" + std::string{digits.substr(0, 40)} + "' is not a natural number in decimal");
  }
  return Natural{number.limbs()};
}

std::int64_t Natural::bits() const {
  if (limbs_.empty()) return 0;
  return static_cast<std::int64_t>(limbs_.size()) * 64 - std::countl_zero(limbs_.back());
}

std::uint64_t Natural::modulo(std::uint64_t m) const {
  return limbs_.empty() ? 0 : mpn_mod_1(limbs_.data(), static_cast<mp_size_t>(limbs_.size()), m);
}

long double Natural::log2() const {
  if (limbs_.empty()) return -std::numeric_limits<long double>::infinity();
  // The top 64 bits hold the value to 2^-63; what is below them is cut off.
  const std::size_t top = limbs_.size() - 1;
  const int shift = std::countl_zero(limbs_[top]);
  std::uint64_t leading = limbs_[top] << shift;
  if (shift != 0 && top != 0) leading |= limbs_[top - 1] >> (64 - shift);
  return std::log2(static_cast<long double>(leading)) + static_cast<long double>(bits() - 64);
}

std::string Natural::decimal(const TransformTeam& team) const {
  if (limbs_.size() >= least_converted_limbs) {
    const Radix radix = decimal_radix_for(static_cast<double>(bits()) * 0.30103);
    return decimal_string(decimal_digits_of(limbs_, radix, team), radix, team);
  }
  if (limbs_.empty()) return "0";
  mpz_t number;
  const mpz_srcptr read = mpz_roinit_n(number, limbs_.data(), static_cast<mp_size_t>(limbs_.size()));
  std::string digits(mpz_sizeinbase(read, 10) + 2, '\0');
  mpz_get_str(digits.data(), 10, read);
  digits.resize(digits.find('\0'));
  return digits;
}

Natural Natural::times(const Natural& other, const TransformTeam& team) const {
  const Natural& longer = limbs_.size() < other.limbs_.size() ? other : *this;
  const Natural& shorter = limbs_.size() < other.limbs_.size() ? *this : other;
  if (shorter.limbs_.empty()) return {};
  if (&longer == &shorter) return squared(team);
  std::vector<std::uint64_t> product(longer.limbs_.size() + shorter.limbs_.size());
  if (shorter.limbs_.size() < fastest_path().least_limbs) {
    mpn_mul(product.data(), longer.limbs_.data(), static_cast<mp_size_t>(longer.limbs_.size()), shorter.limbs_.data(),
            static_cast<mp_size_t>(shorter.limbs_.size()));
    return Natural{std::move(product)};
  }
  TransformContext context{.radix = binary_radix_for(static_cast<double>(shorter.bits())), .team = &team};
  Words a{digits_of_limbs(longer.limbs_.size(), context.radix)};
  Words b{digits_of_limbs(shorter.limbs_.size(), context.radix)};
  unpack_limbs(longer.limbs_, context.radix, a.span());
  unpack_limbs(shorter.limbs_, context.radix, b.span());
  Words result{a.size() + b.size()};
  multiply_digits(a.span(), b.span(), result.span(), context);
  pack_limbs(result.span(), context.radix, product);
  return Natural{std::move(product)};
}

Natural Natural::squared(const TransformTeam& team) const {
  if (limbs_.empty()) return {};
  std::vector<std::uint64_t> square(2 * limbs_.size());
  if (limbs_.size() < fastest_path().least_limbs) {
    mpn_sqr(square.data(), limbs_.data(), static_cast<mp_size_t>(limbs_.size()));
    return Natural{std::move(square)};
  }
  TransformContext context{.radix = binary_radix_for(static_cast<double>(bits())), .team = &team};
  Words a{digits_of_limbs(limbs_.size(), context.radix)};
  unpack_limbs(limbs_, context.radix, a.span());
  Words result{2 * a.size()};
  square_digits(a.span(), result.span(), context);
  pack_limbs(result.span(), context.radix, square);
  return Natural{std::move(square)};
}

Natural fibonacci(std::uint64_t n) { return fibonacci(n, serial_team()); }

Natural fibonacci(std::uint64_t n, const TransformTeam& team) {
  if (n > largest_fibonacci_index) {
    throw std::length_error("F(" + std::to_string(n) + ") is too large; the largest index is " +
                            std::to_string(largest_fibonacci_index));
  }
  return Natural{fibonacci_limbs(n, team)};
}

long double fibonacci_log2(std::uint64_t n) {
  constexpr long double log2_phi = 0.694241913630617301738790266899L;
  constexpr long double half_log2_5 = 1.160964047443681173935159714745L;
  return static_cast<long double>(n) * log2_phi - half_log2_5;
}

double fibonacci_bytes(std::uint64_t n) {
  if (n == 0) return 0;
  return 8 * std::ceil(static_cast<double>(std::max(1.0L, fibonacci_log2(n))) / 64);
}

double fibonacci_nanoseconds(std::uint64_t n) {
  struct Measured {
    double n;
    double nanoseconds;
  };
  constexpr std::array<Measured, 16> table{{{0, 40},
                                            {100, 47},
                                            {300, 70},
                                            {1'000, 133},
                                            {3'000, 410},
                                            {5'000, 760},
                                            {1e4, 2'300},
                                            {2e4, 6'600},
                                            {5e4, 21'000},
                                            {1e5, 41'000},
                                            {2e5, 86'000},
                                            {5e5, 208'000},
                                            {1e6, 436'000},
                                            {3e6, 1.49e6},
                                            {1e7, 5.6e6},
                                            {1e8, 7.4e7}}};
  const auto x = static_cast<double>(n);
  // The first point not left of n; beyond the last one, the last line goes on.
  const auto* right = std::ranges::find_if(table, [x](const Measured& point) { return x <= point.n; });
  if (right == table.begin()) ++right;
  if (right == table.end()) --right;
  const Measured& left = right[-1];
  return left.nanoseconds + (x - left.n) * ((right->nanoseconds - left.nanoseconds) / (right->n - left.n));
}

}  // namespace duet
