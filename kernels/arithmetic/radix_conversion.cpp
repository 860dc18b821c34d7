#include "kernels/arithmetic/radix_conversion.hpp"

#include <gmp.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "kernels/arithmetic/transform/transform.hpp"

namespace duet {
namespace {

/// Pieces of so many limbs are converted by GMP, whose way is quadratic there: about as long as a level of products.
constexpr std::size_t piece = 128;

constexpr double log10_2 = 0.30102999566398119521;

std::size_t significant(std::span<const std::uint64_t> digits) {
  std::size_t size = digits.size();
  while (size != 0 && digits[size - 1] == 0) --size;
  return size;
}

/// a += b, which is not longer; the sum fits.
void add(std::span<std::uint64_t> a, std::span<const std::uint64_t> b, const Radix& radix) {
  std::uint64_t carry = 0;
  for (std::size_t i = 0; i < a.size() && (i < b.size() || carry != 0); ++i) {
    const std::uint64_t sum = a[i] + carry + (i < b.size() ? b[i] : 0);
    carry = sum >= radix.base ? 1 : 0;
    a[i] = sum - carry * radix.base;
  }
}

class Conversion {
 public:
  Conversion(std::span<const std::uint64_t> limbs, const Radix& radix, const TransformTeam& team)
      : limbs_{limbs}, context_{.radix = radix, .team = &team} {
    // Decimal digits of 2^(64 piece), of its square, of that one's square ... up to half the number.
    for (std::size_t half = piece; half < limbs.size(); half *= 2) {
      if (powers_.empty()) {
        std::vector<std::uint64_t> power(half + 1);
        power.back() = 1;
        powers_.push_back(by_gmp(power));
      } else {
        std::vector<std::uint64_t> power(2 * powers_.back().size());
        square_digits(powers_.back(), power, context_);
        power.resize(significant(power));
        powers_.push_back(std::move(power));
      }
    }
  }

  std::vector<std::uint64_t> whole() {
    std::vector<std::uint64_t> digits(space_for(limbs_.size()));
    convert(limbs_, powers_.size(), digits);
    digits.resize(significant(digits));
    return digits;
  }

 private:
  [[nodiscard]] std::size_t space_for(std::size_t limbs) const {
    return static_cast<std::size_t>(static_cast<double>(limbs) * 64 * log10_2 / context_.radix.places) + 2;
  }

  /// Fills `digits`, of which there are enough; halves have `piece` 2^(level - 1) limbs at the least.
  void convert(std::span<const std::uint64_t> limbs, std::size_t level, std::span<std::uint64_t> digits) {
    if (level == 0) {
      std::ranges::fill(std::ranges::copy(by_gmp(limbs), digits.begin()).out, digits.end(), 0);
      return;
    }
    const std::size_t half = piece << (level - 1);
    if (limbs.size() <= half) return convert(limbs, level - 1, digits);
    const std::vector<std::uint64_t>& power = powers_[level - 1];
    std::vector<std::uint64_t> high(space_for(limbs.size() - half));
    convert(limbs.subspan(half), level - 1, high);
    high.resize(std::max<std::size_t>(1, significant(high)));
    std::vector<std::uint64_t> product(high.size() + power.size());
    multiply_digits(high, power, product, context_);
    convert(limbs.first(half), level - 1, digits);
    add(digits, std::span{product}.first(std::min(significant(product), digits.size())), context_.radix);
  }

  [[nodiscard]] std::vector<std::uint64_t> by_gmp(std::span<const std::uint64_t> limbs) const {
    mpz_t number;
    const mpz_srcptr read = mpz_roinit_n(number, limbs.data(), static_cast<mp_size_t>(limbs.size()));
    std::string text(mpz_sizeinbase(read, 10) + 2, '\0');
    mpz_get_str(text.data(), 10, read);
    text.resize(text.find('\0'));
    return digits_of_decimal(text, context_.radix);
  }

  std::span<const std::uint64_t> limbs_;
  TransformContext context_;
  std::vector<std::vector<std::uint64_t>> powers_;
};

}  // namespace

std::vector<std::uint64_t> decimal_digits_of(std::span<const std::uint64_t> limbs, const Radix& radix,
                                             const TransformTeam& team) {
  return Conversion{limbs, radix, team}.whole();
}

}  // namespace duet
