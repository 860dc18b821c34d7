#include "kernels/arithmetic/radix_conversion.hpp"

#include <algorithm>
#include <bit>
#include <functional>
#include <utility>

#include "kernels/arithmetic/gmp_number.hpp"
#include "kernels/core/partition.hpp"

namespace duet {
namespace {

using Digits = std::vector<std::uint64_t>;

constexpr double log10_2 = 0.30102999566398119521;

/// Pieces of so many limbs are converted by GMP, whose way is quadratic there: about as long as a level of products.
/// 128 limbs on the path of AVX-512 IFMA, 512 on that of AVX2 (from decimal, where GMP is faster, twice that), each the
/// best power of two or 5 % from it for 10^4 to 3 10^5 limbs.
std::size_t piece_limbs(const TransformPath& path) {
  return std::bit_floor(std::clamp<std::size_t>(path.least_limbs / 3, 128, 2048));
}

bool beats_gmp(const TransformPath& path) { return path.least_limbs <= 10'000; }

std::size_t significant(std::span<const std::uint64_t> digits) {
  std::size_t size = digits.size();
  while (size != 0 && digits[size - 1] == 0) --size;
  return size;
}

/// a += b, which has nothing but zeros where a ends; the sum fits.
void add(std::span<std::uint64_t> a, std::span<const std::uint64_t> b, const Radix& radix) {
  b = b.first(std::min(significant(b), a.size()));
  std::uint64_t carry = 0;
  for (std::size_t i = 0; i < a.size() && (i < b.size() || carry != 0); ++i) {
    const std::uint64_t sum = a[i] + carry + (i < b.size() ? b[i] : 0);
    carry = sum >= radix.base ? 1 : 0;
    a[i] = sum - carry * radix.base;
  }
}

/// A number in units of the old radix, limbs or decimal places, which are counted from the least significant on.
struct Source {
  std::size_t units = 0;
  std::size_t piece = 0;      ///< in units
  double digits_in_unit = 0;  ///< of the new radix
  Digits power;               ///< what a unit that stands `piece` units higher is worth more, in the new radix, ...
  std::size_t zeros = 0;      ///< ... without so many digits of zeros at its lower end
  double units_in_limb = 0;
  std::function<Digits(std::size_t, std::size_t)> by_gmp;  ///< units [first, last) in the new radix
};

class Conversion {
 public:
  Conversion(Source source, TransformContext& context) : source_{std::move(source)}, context_{context} {
    powers_.push_back(std::move(source_.power));
    for (std::size_t half = source_.piece; 2 * half < source_.units; half *= 2) {
      Digits square(2 * powers_.back().size());
      square_digits(powers_.back(), square, context_);
      square.resize(significant(square));
      powers_.push_back(std::move(square));
    }
  }

  [[nodiscard]] Digits whole() {
    if (context_.team->workers > 1) convert_blocks();
    Digits digits(space_for(source_.units));
    convert(0, source_.units, powers_.size(), digits, context_);
    digits.resize(significant(digits));
    return digits;
  }

 private:
  [[nodiscard]] std::size_t space_for(std::size_t units) const {
    return static_cast<std::size_t>(static_cast<double>(units) * source_.digits_in_unit) + 2;
  }

  /// Fills `digits`, of which there are enough, with units [first, last), at most `piece` 2^level of them, where
  /// `first` is a multiple of that.
  void convert(std::size_t first, std::size_t last, std::size_t level, std::span<std::uint64_t> digits,
               TransformContext& context) const {
    const auto put = [&](const Digits& found) {
      std::ranges::fill(std::ranges::copy(found, digits.begin()).out, digits.end(), 0);
    };
    if (level == 0) return put(source_.by_gmp(first, last));
    if (level == block_level_ && !blocks_.empty()) return put(blocks_[first / (source_.piece << level)]);
    const std::size_t half = source_.piece << (level - 1);
    if (last - first <= half) return convert(first, last, level - 1, digits, context);
    Digits high(space_for(last - first - half));
    convert(first + half, last, level - 1, high, context);
    high.resize(std::max<std::size_t>(1, significant(high)));
    const Digits& power = powers_[level - 1];
    Digits product(high.size() + power.size());
    multiply_digits(high, power, product, context);
    convert(first, first + half, level - 1, digits, context);
    add(digits.subspan(source_.zeros << (level - 1)), product, context.radix);
  }

  /// Subtrees whose products are too short for the team, side by side.
  void convert_blocks() {
    constexpr double least_shared_limbs = 8192;
    std::size_t level = 0;
    const double least = least_shared_limbs * source_.units_in_limb;
    while (static_cast<double>(source_.piece << level) < least) ++level;
    const std::size_t block = source_.piece << level;
    if (source_.units <= block) return;
    std::vector<Digits> blocks((source_.units + block - 1) / block);
    const auto count = static_cast<std::int64_t>(blocks.size());
    const std::int64_t parts = std::min<std::int64_t>(count, std::int64_t{4} * context_.team->workers);
    context_.team->parallel(parts, [&](std::int64_t part) {
      TransformContext mine{.radix = context_.radix, .path = context_.path};
      const Range range = share_of(count, parts, part);
      for (auto i = static_cast<std::size_t>(range.begin); i < static_cast<std::size_t>(range.end); ++i) {
        const std::size_t first = i * block;
        const std::size_t last = std::min(source_.units, first + block);
        blocks[i].resize(space_for(last - first));
        convert(first, last, level, blocks[i], mine);
        blocks[i].resize(significant(blocks[i]));
      }
    });
    blocks_ = std::move(blocks);
    block_level_ = level;
  }

  Source source_;
  TransformContext& context_;
  std::vector<Digits> powers_;  ///< of `piece` 2^level units
  std::vector<Digits> blocks_;  ///< of `piece` 2^block_level_ units each, where they are converted beforehand
  std::size_t block_level_ = 0;
};

}  // namespace

// On AMD Zen 4, from there on 1.15 times as fast as GMP and more, one thread each:
//
//     limbs                         1'000   3'000   10'000   30'000   100'000   300'000
//     to decimal, AVX-512 IFMA       1.15     1.8      2.7      4.3       5.4       5.8
//                 AVX2                                 1.2      1.5       2.0       2.0
//     from decimal, AVX-512 IFMA              1.6      2.3      3.2       3.3       3.3
//                   AVX2                                        1.2       1.4       1.4
//
// Word by word, products are slower than GMP's, and so are both conversions at all lengths.
std::size_t least_limbs_to_decimal(const TransformPath& path) {
  return beats_gmp(path) ? std::max<std::size_t>(1'000, 5 * path.least_limbs) : SIZE_MAX;
}
std::size_t least_limbs_from_decimal(const TransformPath& path) {
  return beats_gmp(path) ? 15 * path.least_limbs : SIZE_MAX;
}

std::vector<std::uint64_t> decimal_digits_of(std::span<const std::uint64_t> limbs, TransformContext& context) {
  const Radix& radix = context.radix;
  const auto by_gmp = [&](std::span<const std::uint64_t> some) {
    return digits_of_decimal(decimal_by_gmp(some), radix);
  };
  const std::size_t piece = piece_limbs(*context.path);
  std::vector<std::uint64_t> power(piece + 1);
  power.back() = 1;
  Source source{
      .units = limbs.size(),
      .piece = piece,
      .digits_in_unit = 64 * log10_2 / radix.places,
      .power = by_gmp(power),
      .units_in_limb = 1,
      .by_gmp = [&](std::size_t first, std::size_t last) { return by_gmp(limbs.subspan(first, last - first)); }};
  return Conversion{std::move(source), context}.whole();
}

std::vector<std::uint64_t> limbs_of_decimal(std::string_view text, TransformContext& context) {
  const Radix& radix = context.radix;
  const auto unpacked = [&](std::span<const std::uint64_t> limbs) {
    Digits digits(digits_of_limbs(limbs.size(), radix));
    unpack_limbs(limbs, radix, digits);
    digits.resize(significant(digits));
    return digits;
  };
  // About two pieces of limbs, and a multiple of the bits in a digit: 10^piece = 5^piece 2^piece, and the second factor
  // ends in whole digits of zeros.
  const double places_in_limb = 64 * log10_2;
  const auto zeros =
      static_cast<std::size_t>(static_cast<double>(2 * piece_limbs(*context.path)) * places_in_limb / radix.bits);
  const std::size_t piece = zeros * radix.bits;
  GmpNumber power;
  mpz_ui_pow_ui(power.get(), 5, piece);
  Source source{.units = text.size(),
                .piece = piece,
                .digits_in_unit = 1 / (log10_2 * radix.bits),
                .power = unpacked(power.limbs()),
                .zeros = zeros,
                .units_in_limb = places_in_limb,
                .by_gmp = [&](std::size_t first, std::size_t last) {
                  return unpacked(limbs_of_decimal_by_gmp(text.substr(text.size() - last, last - first)));
                }};
  const Digits digits = Conversion{std::move(source), context}.whole();
  std::vector<std::uint64_t> limbs(limbs_of_digits(digits.size(), radix));
  pack_limbs(digits, radix, limbs);
  limbs.resize(significant(limbs));
  return limbs;
}

}  // namespace duet
