#pragma once

/// From residues modulo the three primes to digits: Garner's mixed radix ("The residue number system", 1959).
///
///     c = v0 + p0 v1 + p0 p1 v2,    v0 = r0,    v1 = (r1 - v0) / p0 mod p1,    v2 = ((r2 - v0) / p0 - v1) / p1 mod p2.
///
/// c has three digits at the most; those of neighbouring coefficients overlap by two:
///
///     c(i)          |  d2  |  d1  |  d0  |
///     c(i-1)               |  d2  |  d1  |  d0  |
///     c(i-2)                      |  d2  |  d1  |  d0  |
///     sum at digit i:      d0(i) + d1(i-1) + d2(i-2) < 3 R, and a carry of at most 2 + 1

#include <array>
#include <cstdint>

#include "kernels/arithmetic/transform/path.hpp"
#include "kernels/arithmetic/transform/prime.hpp"

namespace duet {

/// Factors for Garner's steps.
struct GarnerFactors {
  std::uint64_t first_modulo_second = 0;  ///< 1 / p0 mod p1
  std::uint64_t first_modulo_third = 0;   ///< 1 / p0 mod p2
  std::uint64_t second_modulo_third = 0;  ///< 1 / p1 mod p2
};
inline constexpr GarnerFactors garner_factors{
    transform_primes[1].factor(transform_primes[1].reciprocal(transform_primes[0].value())),
    transform_primes[2].factor(transform_primes[2].reciprocal(transform_primes[0].value())),
    transform_primes[2].factor(transform_primes[2].reciprocal(transform_primes[1].value()))};

/// p0 p1.
inline constexpr UInt128 first_two_primes = UInt128{transform_primes[0].value()} * transform_primes[1].value();

/// TransformPath::recombine a coefficient at a time.
std::uint64_t recombine_by_words(const Residues& residues, std::size_t begin, std::size_t end, const Radix& radix,
                                 std::uint64_t* digits);
/// The same where words are doubles, between 0 and 2^52.
std::uint64_t recombine_doubles(const Residues& residues, std::size_t begin, std::size_t end, const Radix& radix,
                                std::uint64_t* digits);

}  // namespace duet
