#include "kernels/arithmetic/natural.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <istream>
#include <limits>
#include <ostream>
#include <stdexcept>
#include <utility>

#include "kernels/arithmetic/fast_doubling.hpp"
#include "kernels/arithmetic/gmp_number.hpp"
#include "kernels/arithmetic/radix_conversion.hpp"
#include "kernels/arithmetic/transform/transform.hpp"
#include "kernels/core/partition.hpp"

namespace duet {
namespace {

constexpr std::size_t digits_in_limb = 16;

/// What a character is worth as a hexadecimal digit; 16 where it is none.
constexpr std::array<std::uint8_t, 256> hexadecimal_values = [] {
  std::array<std::uint8_t, 256> values{};
  values.fill(16);
  for (unsigned i = 0; i < 10; ++i) values['0' + i] = static_cast<std::uint8_t>(i);
  for (unsigned i = 0; i < 6; ++i) values['a' + i] = values['A' + i] = static_cast<std::uint8_t>(10 + i);
  return values;
}();
constexpr std::uint8_t value_of(char c) { return hexadecimal_values[static_cast<unsigned char>(c)]; }

/// `text` without zeros in front, where all its characters are digits below `base`; else throws.
std::string_view checked_digits(std::string_view text, unsigned base) {
  const auto* const wrong = std::ranges::find_if(text, [base](char c) { return value_of(c) >= base; });
  if (!text.empty() && wrong == text.end()) return text.substr(std::min(text.find_first_not_of('0'), text.size()));
  constexpr std::size_t most_quoted = 40;
  std::string quoted{text.substr(0, most_quoted)};
  std::ranges::replace_if(
      quoted, [](char c) { return c < ' ' || c > '~'; }, '?');
  std::string what = "'" + quoted + (text.size() > most_quoted ? "..." : "") + "' is not a natural number in " +
                     (base == 10 ? "decimal" : "hexadecimal");
  if (!text.empty()) what += ": character " + std::to_string(wrong - text.begin() + 1) + " is no digit";
  throw std::invalid_argument(what);
}

/// act(first, last) for parts [first, last) of `size` words, by the team where they are many.
template <class Act>
void share_out(std::size_t size, const TransformTeam& team, const Act& act) {
  constexpr std::size_t least_shared = std::size_t{1} << 13U;
  if (size < least_shared) return act(std::size_t{0}, size);
  team.parallel(team.workers, [&](std::int64_t part) {
    const Range mine = share_of(static_cast<std::int64_t>(size), team.workers, part);
    act(static_cast<std::size_t>(mine.begin), static_cast<std::size_t>(mine.end));
  });
}

Words digits_of(std::span<const std::uint64_t> limbs, const TransformContext& context) {
  Words digits{digits_of_limbs(limbs.size(), context.radix)};
  share_out(digits.size(), *context.team, [&](std::size_t first, std::size_t last) {
    unpack_limbs(limbs, context.radix, digits.span().subspan(first, last - first), first);
  });
  return digits;
}

Natural natural_of(const Words& digits, std::size_t limbs, const TransformContext& context) {
  std::vector<std::uint64_t> packed(limbs);
  share_out(limbs, *context.team, [&](std::size_t first, std::size_t last) {
    pack_limbs(digits.span(), context.radix, std::span{packed}.subspan(first, last - first), first);
  });
  return Natural{std::move(packed)};
}

}  // namespace

Natural::Natural(std::uint64_t value) {
  if (value != 0) limbs_.push_back(value);
}

Natural::Natural(std::vector<std::uint64_t> limbs) : limbs_{std::move(limbs)} {
  while (!limbs_.empty() && limbs_.back() == 0) limbs_.pop_back();
}

Natural Natural::from_decimal(std::string_view digits, const TransformTeam& team) {
  const std::string_view text = checked_digits(digits, 10);
  constexpr double bits_in_place = 3.32193;
  const double bits = bits_in_place * static_cast<double>(text.size());
  if (bits < 64 * static_cast<double>(least_limbs_from_decimal(fastest_path()))) {
    return Natural{limbs_of_decimal_by_gmp(text)};
  }
  TransformContext context{.radix = binary_radix_for(bits / 2 + 64), .team = &team};
  return Natural{limbs_of_decimal(text, context)};
}

Natural Natural::from_hexadecimal(std::string_view digits) {
  std::string_view text = checked_digits(digits, 16);
  std::vector<std::uint64_t> limbs;
  limbs.reserve(text.size() / digits_in_limb + 1);
  while (!text.empty()) {
    const std::size_t count = std::min(digits_in_limb, text.size());
    std::uint64_t limb = 0;
    for (const char c : text.substr(text.size() - count)) limb = limb << 4U | value_of(c);
    limbs.push_back(limb);
    text.remove_suffix(count);
  }
  return Natural{std::move(limbs)};
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
  if (limbs_.size() < least_limbs_to_decimal(fastest_path())) return decimal_by_gmp(limbs_);
  TransformContext context{.radix = decimal_radix_for(static_cast<double>(bits()) * 0.30103 / 2 + 20), .team = &team};
  return decimal_string(decimal_digits_of(limbs_, context), context.radix, team);
}

std::string Natural::hexadecimal() const {
  if (limbs_.empty()) return "0";
  const std::size_t leading = (64 - static_cast<std::size_t>(std::countl_zero(limbs_.back())) + 3) / 4;
  std::string text((limbs_.size() - 1) * digits_in_limb + leading, '\0');
  std::size_t end = text.size();
  for (std::uint64_t limb : limbs_) {
    const std::size_t begin = end - std::min(digits_in_limb, end);
    for (; end > begin; limb >>= 4U) text[--end] = "0123456789abcdef"[limb & 15U];
  }
  return text;
}

Natural Natural::times(const Natural& other, const TransformTeam& team) const {
  const Natural& longer = limbs_.size() < other.limbs_.size() ? other : *this;
  const Natural& shorter = limbs_.size() < other.limbs_.size() ? *this : other;
  if (shorter.limbs_.empty()) return {};
  if (&longer == &shorter) return squared(team);
  const std::size_t size = longer.limbs_.size() + shorter.limbs_.size();
  if (shorter.limbs_.size() < fastest_path().least_limbs) {
    std::vector<std::uint64_t> product(size);
    mpn_mul(product.data(), longer.limbs_.data(), static_cast<mp_size_t>(longer.limbs_.size()), shorter.limbs_.data(),
            static_cast<mp_size_t>(shorter.limbs_.size()));
    return Natural{std::move(product)};
  }
  TransformContext context{.radix = binary_radix_for(static_cast<double>(shorter.bits())), .team = &team};
  const Words a = digits_of(longer.limbs_, context);
  const Words b = digits_of(shorter.limbs_, context);
  Words product{a.size() + b.size()};
  multiply_digits(a.span(), b.span(), product.span(), context);
  return natural_of(product, size, context);
}

Natural Natural::squared(const TransformTeam& team) const {
  if (limbs_.empty()) return {};
  const std::size_t size = 2 * limbs_.size();
  if (limbs_.size() < fastest_path().least_limbs) {
    std::vector<std::uint64_t> square(size);
    mpn_sqr(square.data(), limbs_.data(), static_cast<mp_size_t>(limbs_.size()));
    return Natural{std::move(square)};
  }
  TransformContext context{.radix = binary_radix_for(static_cast<double>(bits())), .team = &team};
  const Words a = digits_of(limbs_, context);
  Words square{2 * a.size()};
  square_digits(a.span(), square.span(), context);
  return natural_of(square, size, context);
}

Natural operator+(const Natural& a, const Natural& b) {
  const Natural& longer = a.limbs_.size() < b.limbs_.size() ? b : a;
  const Natural& shorter = a.limbs_.size() < b.limbs_.size() ? a : b;
  if (shorter.limbs_.empty()) return longer;
  std::vector<std::uint64_t> sum(longer.limbs_.size() + 1);
  sum.back() = mpn_add(sum.data(), longer.limbs_.data(), static_cast<mp_size_t>(longer.limbs_.size()),
                       shorter.limbs_.data(), static_cast<mp_size_t>(shorter.limbs_.size()));
  return Natural{std::move(sum)};
}

std::strong_ordering operator<=>(const Natural& a, const Natural& b) {
  if (a.limbs_.size() != b.limbs_.size()) return a.limbs_.size() <=> b.limbs_.size();
  if (a.limbs_.empty()) return std::strong_ordering::equal;
  return mpn_cmp(a.limbs_.data(), b.limbs_.data(), static_cast<mp_size_t>(a.limbs_.size())) <=> 0;
}

std::ostream& operator<<(std::ostream& out, const Natural& number) {
  const bool hexadecimal = (out.flags() & std::ios_base::basefield) == std::ios_base::hex;
  return out << (hexadecimal ? number.hexadecimal() : number.decimal());
}

std::istream& operator>>(std::istream& in, Natural& number) {
  const std::istream::sentry ready{in};
  if (!ready) return in;
  const bool hexadecimal = (in.flags() & std::ios_base::basefield) == std::ios_base::hex;
  std::string digits;
  constexpr int end = std::istream::traits_type::eof();
  int next = in.rdbuf()->sgetc();
  for (; next != end && value_of(static_cast<char>(next)) < (hexadecimal ? 16 : 10); next = in.rdbuf()->snextc()) {
    digits.push_back(static_cast<char>(next));
  }
  std::ios_base::iostate state = next == end ? std::ios_base::eofbit : std::ios_base::goodbit;
  if (digits.empty()) {
    state |= std::ios_base::failbit;
  } else {
    number = hexadecimal ? Natural::from_hexadecimal(digits) : Natural::from_decimal(digits);
  }
  in.setstate(state);
  return in;
}

Natural fibonacci(std::uint64_t n) { return fibonacci(n, serial_team()); }

Natural fibonacci(std::uint64_t n, const TransformTeam& team) {
  TransformContext context{.team = &team};
  return fibonacci(n, context);
}

Natural fibonacci(std::uint64_t n, TransformContext& context) {
  if (n > largest_fibonacci_index) {
    throw std::length_error("F(" + std::to_string(n) + ") is too large; the largest index is " +
                            std::to_string(largest_fibonacci_index));
  }
  return Natural{fibonacci_limbs(n, context)};
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

double fibonacci_digits(std::uint64_t n) {
  constexpr double log10_phi = 0.20898764024997873;
  return log10_phi * static_cast<double>(n) + 1;
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
