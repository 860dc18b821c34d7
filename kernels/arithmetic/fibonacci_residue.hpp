#pragma once

/// F(n) mod m for any n < 2^64 and any m from 1 to 2^64 - 1: one at a time, or millions with one modulus.
///
/// The ring. With phi^2 = phi + 1, phi^n = F(n) phi + F(n-1), so F(n) is read off the n-th power of phi in Z[phi]/m.
/// The product of (a phi + b) and (c phi + d) is
///
///     (a (c + d) + b c) phi + (a c + b d):  four products modulo m and two sums.
///
/// One n: doubling on (F, L), two products a bit:  F(2k) = F(k) L(k),  L(2k) = L(k)^2 - 2 (-1)^k,  and to step to k + 1
/// F' = (F + L) / 2,  L' = (5 F + L) / 2.
///
/// Many n, one m: a power of a fixed base needs no squaring at all (Brickell, Gordon, McCurley, Wilson: "Fast
/// exponentiation with precomputation", 1992). n is cut into digits of w bits; the tables hold phi^(d 2^(w j)) for each
/// digit d at each place j, and phi^n is the product of one entry of each:
///
///       n =  | d5 | d4 | d3 | d2 | d1 | d0 |      w = 11, 64-bit n: 5 products in the ring, where doubling needs
///              |    |    |    |    |    |         128 products modulo m one after the other
///             T5 x T4 x T3 x T2 x T1 x T0
///
/// Wider digits are fewer, and their tables take longer to fill: w, from 2 to 11, is what the number of inputs pays
/// for. Tables of 11 bits, 192 KiB, stay in the second-level cache; those of 8 bits fit the first.
///
/// Arithmetic. Three ways, with the same answers, whichever is the fastest that the processor has for m: Montgomery's
/// products by AVX-512's 52-bit ones (IFMA), doubles with fused multiply-adds (m < 2^50), and Montgomery's products by
/// words. His need odd m: for even m = q 2^s with q odd modulo q, modulo 2^s by letting words overflow, and the two
/// together by the Chinese remainder theorem. Doubles take even m as it is.
///
/// Measured on an AMD Zen 4 core, random inputs below 2^63, many of them, ns an input:
///
///                       IFMA    doubles (AVX-512, AVX2)    words    doubling one n    with division instead
///     odd m < 2^50       3.3              4.3, 5.1            22               430                      790
///     odd m < 2^64       7.3                              22, 33               430                      790
///     even m < 2^50      6.9              4.3, 5.1            32               520                      790
///     even m < 2^64       11                              32, 44               520                      790
///
/// (words: m below and above 2^62). For m < 2^50 IFMA is held up by loads, 48 of them for 54 products of the unit; for
/// larger m its products are 90 % of what the unit can do.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "kernels/arithmetic/power_tables.hpp"

namespace duet {

/// F(n) mod m. Throws std::invalid_argument for m = 0. About 0.4 us for n of 64 bits.
[[nodiscard]] std::uint64_t fibonacci_modulo(std::uint64_t n, std::uint64_t m);

/// How products modulo m are computed: by AVX-512 IFMA, by fused multiply-adds of doubles, by 64-bit words.
enum class ResidueArithmetic { ifma, doubles, words };

[[nodiscard]] std::string_view name_of(ResidueArithmetic arithmetic);

/// Those that this processor has for m, the fastest first. The last is `words`, which is everywhere. Throws
/// std::invalid_argument for m = 0.
[[nodiscard]] std::vector<ResidueArithmetic> residue_arithmetics(std::uint64_t m);

/// F(n) mod m for many n and one m. Any number of threads may use one object at the same time.
class FibonacciModulo {
 public:
  /// Fills the tables for n <= largest, as is best for `expected` inputs in all: at most 192 KiB of them (twice for
  /// even m), in 1 us for one input and 0.1 ms for 20,000 and more. Throws std::invalid_argument for m = 0, and for an
  /// arithmetic that residue_arithmetics(m) does not have.
  explicit FibonacciModulo(std::uint64_t m, std::uint64_t largest = UINT64_MAX, std::int64_t expected = INT64_MAX,
                           std::optional<ResidueArithmetic> arithmetic = std::nullopt);

  /// residues[i] = F(inputs[i]) mod m. The spans have one size; each input is at most `largest`.
  void operator()(std::span<const std::uint64_t> inputs, std::span<std::uint64_t> residues) const;

 private:
  void modulo_odd(std::uint64_t odd, std::span<const std::uint64_t> inputs, std::span<std::uint64_t> residues) const;
  void modulo_even(std::span<const std::uint64_t> inputs, std::span<std::uint64_t> residues) const;

  std::uint64_t modulus_;
  ResidueArithmetic arithmetic_{};
  PowerTables tables_;              // modulo m or, for even m, its odd part q; empty for m = 2^s
  PowerTables overflowing_tables_;  // modulo 2^64; empty for odd m, and where doubles take it whole
};

}  // namespace duet
