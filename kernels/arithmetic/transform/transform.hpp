#pragma once

/// Products of long numbers by number-theoretic transforms modulo three primes.

#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/arithmetic/transform/path.hpp"
#include "kernels/arithmetic/transform/radix.hpp"
#include "kernels/arithmetic/transform/shape.hpp"
#include "kernels/arithmetic/transform/team.hpp"
#include "kernels/arithmetic/transform/words.hpp"

namespace duet {

/// What a product needs, known before it is computed.
struct TransformPlan {
  TransformShape shape;
  std::size_t first_images = 0;
  std::size_t second_images = 0;

  /// Working memory beside operands and results.
  [[nodiscard]] std::size_t words() const { return shape.words() * (first_images + second_images); }
};

/// `result_digits` is the sum of the factors' digits. One image a prime of what becomes the result; of a second factor
/// one at a time, beyond numbers so short that threads take all primes at once.
[[nodiscard]] TransformPlan plan_transform(std::size_t result_digits, Combination combination);

/// What a computation is done with: the radix, who computes, on which code path, and working memory, which grows to
/// what the plan says and is used again.
struct TransformContext {
  Radix radix = Radix::binary(most_digit_bits);
  const Team* team = &serial_team();
  const TransformPath* path = &fastest_path();
  Words space{};
};

/// result = a b. `result` has as many digits as both factors together; it may be the same memory as a factor. Factors
/// are not empty. Throws std::length_error where the shorter has more digits than `longest_factor`.
void multiply_digits(std::span<const std::uint64_t> a, std::span<const std::uint64_t> b,
                     std::span<std::uint64_t> result, TransformContext& context);
/// result = a a: two transforms instead of three.
void square_digits(std::span<const std::uint64_t> a, std::span<std::uint64_t> result, TransformContext& context);

/// a_times_b = a b and b_squared = b b, by four transforms instead of five. a and b have the same number of digits; the
/// results have twice that number, and may be the same memory.
void double_digits(std::span<const std::uint64_t> a, std::span<const std::uint64_t> b,
                   std::span<std::uint64_t> a_times_b, std::span<std::uint64_t> b_squared, TransformContext& context);

/// once = (a + b) / 2 and five_times = (5 a + b) / 2 for a + b even, in one pass. All have the same number of digits,
/// enough for the results; a result may be the same memory as a or b, and may be left out by an empty span.
void half_sums(std::span<const std::uint64_t> a, std::span<const std::uint64_t> b, std::span<std::uint64_t> once,
               std::span<std::uint64_t> five_times, const TransformContext& context);

}  // namespace duet
