#pragma once

/// From limbs to decimal digits and back by products alone. A number is cut in halves again and again,
///
///     x = high 2^(64 h) + low    or, where it is written in decimal,    x = high 10^h + low = (high 5^h) 2^h + low,
///
/// both halves are converted, and put together in the arithmetic of the other radix, where the product by the digits of
/// 2^(64 h) or of 5^h is one transform product (2^h moves it by whole digits), and the powers for all levels are
/// squares of each other. Division, of which GMP's conversion to decimal is made, does not occur. O(M(n) log n): 12
/// products of the whole length for a number of 10^8 bits.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "kernels/arithmetic/transform/path.hpp"
#include "kernels/arithmetic/transform/transform.hpp"

namespace duet {

/// From so many limbs on, a conversion on the path takes clearly less time than GMP's; SIZE_MAX where it never does.
[[nodiscard]] std::size_t least_limbs_to_decimal(const TransformPath& path);
[[nodiscard]] std::size_t least_limbs_from_decimal(const TransformPath& path);

/// Digits in the context's radix, which is decimal and takes factors of half that length (`decimal_radix_for`), without
/// zeros at the end.
[[nodiscard]] std::vector<std::uint64_t> decimal_digits_of(std::span<const std::uint64_t> limbs,
                                                           TransformContext& context);

/// Limbs of the number that `text` says, which consists of decimal digits, without zeros at the end. The context's
/// radix is binary and takes factors of half that length (`binary_radix_for`).
[[nodiscard]] std::vector<std::uint64_t> limbs_of_decimal(std::string_view text, TransformContext& context);

}  // namespace duet
