#pragma once

/// From limbs to decimal digits by products alone. A number is cut in halves again and again,
///
///     x = high 2^(64 h) + low,
///
/// both halves are converted, and put together in decimal arithmetic, where the product by the decimal digits of
/// 2^(64 h) is one transform product, and the powers for all levels are squares of each other. Division, of which GMP's
/// conversion is made, does not occur. O(M(n) log n): 12 products of the whole length for a number of 10^8 bits.

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/arithmetic/transform/radix.hpp"
#include "kernels/arithmetic/transform/team.hpp"

namespace duet {

/// Digits in `radix`, which is decimal and takes factors of half that length (`decimal_radix_for`), without zeros at
/// the end.
[[nodiscard]] std::vector<std::uint64_t> decimal_digits_of(std::span<const std::uint64_t> limbs, const Radix& radix,
                                                           const TransformTeam& team = serial_team());

}  // namespace duet
