#pragma once

/// F(n) and L(n) by doubling from the top bits of n down, on the products of transform/transform.hpp:
///
///     F(2k) = F(k) L(k),    L(2k) = L(k)^2 - 2 (-1)^k,    and one more for an odd index, from the same images.
///
/// Four transforms of the length of the result for both numbers, three for the last F alone: seven lengths of the
/// answer in all, for every step is half as long as the next. Squarings of F(k), F(k+1) in two products and a square
/// need ten. The first index, a few thousand, is GMP's.
///
/// Doubling works in any radix, and sums and halves vanish into the transforms: in radix 10^18 the digits that come out
/// are the decimal ones, at the price of the binary number and without any conversion.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "kernels/arithmetic/doubling_record.hpp"
#include "kernels/arithmetic/transform/radix.hpp"
#include "kernels/arithmetic/transform/team.hpp"
#include "kernels/arithmetic/transform/transform.hpp"
#include "kernels/arithmetic/transform/words.hpp"

namespace duet {

/// A number in digits, least significant first, without zeros at the end.
struct DigitNumber {
  Words words;
  std::size_t size = 0;
  Radix radix;
  [[nodiscard]] std::span<const std::uint64_t> digits() const { return {words.data(), size}; }
};

/// F(n) and L(n) of one index.
struct SequencePair {
  DigitNumber fibonacci;
  DigitNumber lucas;
};

/// Digits that hold L(n), the longer of the two: one more than it has, or two.
[[nodiscard]] std::size_t most_sequence_digits(std::uint64_t n, const Radix& radix);

/// What a computation of F(n) or L(n) will take, in bytes, and a little more: the images of the last product and the
/// digits, all that is held at once.
[[nodiscard]] double doubling_bytes(std::uint64_t n, const Radix& radix, int workers = 1);

/// What the transforms on the way to F(n) do, by the counts of transform/transform.hpp.
struct DoublingWork {
  double multiply_adds = 0;  ///< of 52-bit integers: three for a product modulo a prime
  double bytes = 0;          ///< between memory and the second-level cache
};
[[nodiscard]] DoublingWork doubling_work(std::uint64_t n, const Radix& radix);

/// The radix for n: the largest in which the last product can be done.
[[nodiscard]] Radix binary_radix_for_index(std::uint64_t n);
[[nodiscard]] Radix decimal_radix_for_index(std::uint64_t n);

/// F(n) or L(n) in the context's radix, by its team. Who computes many keeps the context, and with it working memory
/// that has its pages already. `record`, which may be null, is asked where to begin and told of the steps.
[[nodiscard]] DigitNumber sequence_digits(Sequence sequence, std::uint64_t n, TransformContext& context,
                                          const DoublingRecord* record = nullptr);

/// Both: four transforms of the last length instead of three.
[[nodiscard]] SequencePair pair_digits(std::uint64_t n, TransformContext& context);

/// The limbs of 64 bits, without zeros at the end.
[[nodiscard]] std::vector<std::uint64_t> fibonacci_limbs(std::uint64_t n, const TransformTeam& team = serial_team());
/// The same by the context's team, in the radix for n, with working memory that the context keeps.
[[nodiscard]] std::vector<std::uint64_t> fibonacci_limbs(std::uint64_t n, TransformContext& context);
[[nodiscard]] std::vector<std::uint64_t> lucas_limbs(std::uint64_t n, const TransformTeam& team = serial_team());

/// The decimal digits.
[[nodiscard]] std::string fibonacci_decimal(std::uint64_t n, const TransformTeam& team = serial_team());
[[nodiscard]] std::string lucas_decimal(std::uint64_t n, const TransformTeam& team = serial_team());

}  // namespace duet
