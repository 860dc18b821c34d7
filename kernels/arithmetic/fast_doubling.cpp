#include "kernels/arithmetic/fast_doubling.hpp"

#include <gmp.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <utility>

#include "kernels/arithmetic/transform/transform.hpp"
#include "kernels/core/partition.hpp"

namespace duet {
namespace {

constexpr double log2_phi = 0.69424191363061730174;
constexpr double log10_phi = 0.20898764024997873377;

/// GMP is slow at the decimals of the first number: it is a short one.
constexpr std::uint64_t last_small_decimal_index = 4'000;

/// Up to which index GMP is asked: where the last product's factors are too short for the path.
std::uint64_t last_small_index(const Radix& radix, const TransformPath& path) {
  if (radix.bits == 0) return last_small_decimal_index;
  const double index = static_cast<double>(path.least_limbs) * 64 * 2 / log2_phi;
  return index < 1e18 ? static_cast<std::uint64_t>(index) : UINT64_MAX;
}

class GmpNumber {
 public:
  GmpNumber() { mpz_init(number_); }
  ~GmpNumber() { mpz_clear(number_); }
  GmpNumber(const GmpNumber&) = delete;
  GmpNumber& operator=(const GmpNumber&) = delete;
  [[nodiscard]] mpz_ptr get() { return number_; }
  [[nodiscard]] std::span<const std::uint64_t> limbs() const { return {mpz_limbs_read(number_), mpz_size(number_)}; }

 private:
  mpz_t number_;
};

/// Digits that L(n) has at the most, and so F(n).
std::size_t most_digits(std::uint64_t n, const Radix& radix) {
  const double each = radix.bits != 0 ? static_cast<double>(n) * log2_phi / radix.bits
                                      : static_cast<double>(n) * log10_phi / radix.places;
  return static_cast<std::size_t>(each) + 2;
}

/// Working memory of the last product, of two factors with so many digits, and of the step before it.
std::size_t image_words(std::size_t half, int workers) {
  return std::max(plan_transform(2 * half, Combination::product, workers).words(),
                  plan_transform(half + 4, Combination::doubling, workers).words());
}

std::size_t significant(std::span<const std::uint64_t> digits) {
  std::size_t size = digits.size();
  while (size != 0 && digits[size - 1] == 0) --size;
  return size;
}

/// Writes the number, and zeros after it.
void write_digits(GmpNumber& number, const Radix& radix, std::span<std::uint64_t> digits) {
  if (radix.bits != 0) return unpack_limbs(number.limbs(), radix, digits);
  std::string text(mpz_sizeinbase(number.get(), 10) + 2, '\0');
  mpz_get_str(text.data(), 10, number.get());
  text.resize(text.find('\0'));
  const std::vector<std::uint64_t> found = digits_of_decimal(text, radix);
  std::fill(std::ranges::copy(found, digits.begin()).out, digits.end(), 0);
}

/// number - (-1)^k small.
void take_sign(std::span<std::uint64_t> number, bool k_is_odd, std::uint64_t small, const Radix& radix) {
  if (k_is_odd) {
    add_small(number, small, radix);
  } else {
    subtract_small(number, small, radix);
  }
}

/// Shifts of n that leave an index which is GMP's.
unsigned doublings_of(std::uint64_t n, const Radix& radix, const TransformPath& path) {
  const std::uint64_t last = last_small_index(radix, path);
  unsigned doublings = 0;
  while (n >> doublings > last) ++doublings;
  return doublings;
}

std::vector<std::uint64_t> limbs_of(const DigitNumber& number, const TransformTeam& team) {
  std::vector<std::uint64_t> limbs(limbs_of_digits(number.size, number.radix));
  const auto size = static_cast<std::int64_t>(limbs.size());
  team.parallel(team.workers, [&](std::int64_t part) {
    const Range mine = share_of(size, team.workers, part);
    const auto first = static_cast<std::size_t>(mine.begin);
    pack_limbs(number.digits(), number.radix, std::span{limbs}.subspan(first, static_cast<std::size_t>(mine.size())),
               first);
  });
  while (!limbs.empty() && limbs.back() == 0) limbs.pop_back();
  return limbs;
}

}  // namespace

double doubling_bytes(std::uint64_t n, const Radix& radix, int workers) {
  const std::size_t half = most_digits(n / 2 + 1, radix);
  const std::size_t longest = plan_transform(2 * half, Combination::product, workers).shape.words();
  return 8.0 * (static_cast<double>(image_words(half, workers)) + 3.0 * static_cast<double>(half) +
                static_cast<double>(transform_primes_count * std::bit_ceil(longest / 8)));
}

Radix binary_radix_for_index(std::uint64_t n) {
  return binary_radix_for(static_cast<double>(n / 2 + 1) * log2_phi + 2);
}
Radix decimal_radix_for_index(std::uint64_t n) {
  return decimal_radix_for(static_cast<double>(n / 2 + 1) * log10_phi + 2);
}

DigitNumber sequence_digits(Sequence sequence, std::uint64_t n, TransformContext& context) {
  const Radix& radix = context.radix;
  const unsigned doublings = doublings_of(n, radix, *context.path);
  const std::uint64_t first = n >> doublings;
  const std::size_t half = most_digits(n / 2 + 1, radix);
  // F, then L beside it; the answer takes the place of both.
  DigitNumber answer{Words{std::max(2 * half, most_digits(n, radix)) + 4}, 0, radix};
  std::uint64_t* const f = answer.words.data();
  std::size_t size = most_digits(first, radix);
  GmpNumber small;
  if (doublings == 0) {
    context.team->parallel(1, [&](std::int64_t /*part*/) {
      sequence == Sequence::fibonacci ? mpz_fib_ui(small.get(), n) : mpz_lucnum_ui(small.get(), n);
      write_digits(small, radix, {f, size});
    });
    answer.size = significant({f, size});
    return answer;
  }
  Words second{half + 4};
  std::uint64_t* const l = second.data();
  GmpNumber below;
  context.team->parallel(1, [&](std::int64_t /*part*/) {
    mpz_fib2_ui(small.get(), below.get(), first);
    write_digits(small, radix, {f, size});
    mpz_addmul_ui(small.get(), below.get(), 2);  // L(k) = F(k) + 2 F(k-1)
    write_digits(small, radix, {l, size});
  });

  // Room for the last product at once: a step then finds the pages that the one before it used.
  const std::size_t needed = image_words(half, context.team->workers);
  if (context.space.size() < needed) {
    context.space = Words{};
    context.space = Words{needed};
  }
  for (unsigned left = doublings; left-- > 0;) {
    size = significant({l, size});
    const bool k_is_odd = (n >> (left + 1) & 1U) != 0;
    const bool odd = (n >> left & 1U) != 0;
    if (left != 0) {
      double_digits({f, size}, {l, size}, {f, 2 * size}, {l, 2 * size}, context);
      size *= 2;
      take_sign({l, size}, k_is_odd, 2, radix);
      if (odd) {
        // L(2k+1) may be a digit longer than L(2k).
        f[size] = l[size] = 0;
        ++size;
        half_sums({f, size}, {l, size}, {f, size}, {l, size}, context);
      }
      continue;
    }
    // F(2k) = F(k) L(k),    F(2k+1) = F(k+1) L(k) - (-1)^k,    and the same with L for F; L(2k) is a square, less 2.
    // F(k+1) or L(k+1) takes the place of F(k).
    const bool is_f = sequence == Sequence::fibonacci;
    const bool square = !is_f && !odd;
    if (odd) {
      f[size] = l[size] = 0;
      ++size;
      const std::span<std::uint64_t> next{f, size};
      const std::span<std::uint64_t> none;
      half_sums(next, {l, size}, is_f ? next : none, is_f ? none : next, context);
    }
    if (square) {
      square_digits({l, size}, {f, 2 * size}, context);
    } else {
      multiply_digits({f, size}, {l, size}, {f, 2 * size}, context);
    }
    size *= 2;
    if (odd || square) take_sign({f, size}, k_is_odd, odd ? 1 : 2, radix);
  }
  answer.size = significant({f, size});
  return answer;
}

namespace {

std::vector<std::uint64_t> sequence_limbs(Sequence sequence, std::uint64_t n, const TransformTeam& team) {
  TransformContext context{.radix = binary_radix_for_index(n), .team = &team};
  const DigitNumber number = sequence_digits(sequence, n, context);
  context.space = {};
  return limbs_of(number, team);
}
std::string sequence_decimal(Sequence sequence, std::uint64_t n, const TransformTeam& team) {
  TransformContext context{.radix = decimal_radix_for_index(n), .team = &team};
  const DigitNumber number = sequence_digits(sequence, n, context);
  context.space = {};
  return decimal_string(number.digits(), number.radix, team);
}

}  // namespace

std::vector<std::uint64_t> fibonacci_limbs(std::uint64_t n, const TransformTeam& team) {
  return sequence_limbs(Sequence::fibonacci, n, team);
}
std::vector<std::uint64_t> lucas_limbs(std::uint64_t n, const TransformTeam& team) {
  return sequence_limbs(Sequence::lucas, n, team);
}
std::string fibonacci_decimal(std::uint64_t n, const TransformTeam& team) {
  return sequence_decimal(Sequence::fibonacci, n, team);
}
std::string lucas_decimal(std::uint64_t n, const TransformTeam& team) {
  return sequence_decimal(Sequence::lucas, n, team);
}

}  // namespace duet
