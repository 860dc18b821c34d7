#pragma once

/// Products of long numbers by number-theoretic transforms modulo three primes.
///
/// The problem. Two numbers of n digits in radix R are polynomials a and b at x = R. The coefficients of c = a b are
/// sums of up to n products of digits; carrying turns them into the digits of the product. With R = 2^60 and n = 1.67e7
/// (10^9 bits) they are below 2^144, so it is enough to know them modulo three primes of 48 bits:
///
///     digits of a  --- mod p0, p1, p2 --->  transform --+
///                                                       x---> inverse --- 3 residues ---> coefficient ---> carry
///     digits of b  --- mod p0, p1, p2 --->  transform --+
///
/// The radix matters only at either end: the same transforms multiply in radix 10^18, and longer numbers take digits of
/// 59 bits, or 17 places (radix.hpp).
///
/// The transform. Modulo a prime, c is wanted modulo x^N - 1 for some N > deg c. A polynomial modulo x^(2h) - w^2 is
/// known by its remainders modulo x^h - w and x^h + w, which are lo + w hi and lo - w hi of its lower and upper half:
/// one product, a sum and a difference for each pair of coefficients. Doing that again and again is a tree:
///
///                              x^N - 1                              node 0
///                                 |
///                   +-------------+-------------+
///              x^(N/2) - 1                 x^(N/2) + 1              nodes 0, 1
///                   |                           |
///            +------+------+             +------+------+
///       x^(N/4) - 1   x^(N/4) + 1   x^(N/4) - i   x^(N/4) + i       nodes 0, 1, 2, 3
///            ...
///
/// Node j of any level stands for x^(..) - theta(j), where theta(j) does not depend on the level (twiddles.hpp): one
/// table of factors serves all lengths. Remainders replace the polynomial where it stands, no one is moved, and the way
/// back does the same in reverse; no bits are ever reversed in between. The tree ends at polynomials of four
/// coefficients, which are multiplied as such: that takes as many products as the last two levels would.
///
/// Any length. c has fewer than N coefficients if N is rounded up to a power of two, and then some of the leaves are
/// not needed: its remainders at m of the sixteen nodes of the fourth level determine m/16 N coefficients, if the
/// others are zero. Forward, what is not needed is left out; backward, van der Hoeven's truncated transform finds what
/// is missing. So the length follows that of the product in steps of at most an eighth.
///
/// Memory. The first four levels are one pass over sixteen rows, straight from the digits. Each row is then a subtree
/// by itself (for threads or for ranks), which goes down to the leaves, is multiplied there and comes back up, depth
/// first:
///
///     digits --> | row 0     | --> 2^15 words in the second-level cache --> 128 in registers, x b, and back
///                | row 1     |
///                | ...       |     a pass takes sixteen words through four levels in registers
///                | row m - 1 |
///
/// A product of N words takes (9 log2 N) / 2 N products modulo a prime for both factors and the way back, and passes
/// over main memory in seven directions a prime: written by the first pass, read and written as subtrees, read and
/// written by the last, read by the carry.
///
/// Threads divide columns of the first and last pass, subtrees, and the digits to carry, by ranges: what a range
/// carries out is added to the next afterwards. Two threads, or three, first take a prime each where their images fit
/// the third-level cache. Longer ones overlap: while the rows of one prime are worked off, which computes, the columns
/// of the next go down and those of the one before come up, which moves memory. Answers are the same to the last bit
/// for every team and on every code path.
///
/// Measured on one core of an AMD Zen 4 (3.65 GHz, 2^52 multiply-adds of eight lanes at one a cycle): a pass of sixteen
/// rows takes 8.1 cycles a vector in the first-level cache for 6 multiply-adds, 74 % of the peak, where stores and
/// additions take the rest; a square of 10^8 bits 66 ms in all, 16 to 20 ns a digit of the result.
///
/// Sources: Pollard, "The fast Fourier transform in a finite field" (1971); Harvey, "Faster arithmetic for
/// number-theoretic transforms" (2014), for residues that are not reduced; van der Hoeven, "The truncated Fourier
/// transform and applications" (2004); FLINT's fft_small (Schultz, 2022), for the numbering of nodes.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/arithmetic/gmp_number.hpp"
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

/// `result_digits` is the sum of the factors' digits. There is one image a prime of what becomes the result, and of a
/// second factor one at a time; beyond one worker, numbers so short that all primes are taken at once have three.
[[nodiscard]] TransformPlan plan_transform(std::size_t result_digits, Combination combination, int workers = 1);

/// What a computation is done with: the radix, who computes, on which code path, and working memory, which grows to
/// what the plan says and is used again. Numbers take their words from `spare`, to which who is done with one may give
/// them back.
struct TransformContext {
  Radix radix = Radix::binary(most_digit_bits);
  const TransformTeam* team = &serial_team();
  const TransformPath* path = &fastest_path();
  Words space{};
  SpareWords spare{};
  /// For where GMP is asked, with the memory that they took: from 1 KiB on, an allocation may first tidy the whole
  /// heap, and takes as long as the number.
  std::array<GmpNumber, 2> short_numbers{};
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
