#pragma once

/// Random numbers as a pure function of (seed, i, j): any worker makes any entry, in any order, and all agree.
/// Counter-based: Philox4x32-10 of Random123 (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2,
/// 3", SC11).

#include <Random123/philox.h>

#include <cstdint>
#include <span>

#include "kernels/core/view.hpp"

namespace duet {

/// 64 random bits for (seed, i, j). `stream`, below 256, tells independent uses of one seed apart: operand A and
/// operand B, say.
[[nodiscard]] inline std::uint64_t random_bits(std::uint64_t seed, std::uint32_t stream, std::uint64_t i,
                                               std::uint64_t j = 0) {
  // The counter holds i whole, the low half of j, and 24 more bits of j above the stream: no two (stream, i, j) with
  // j < 2^56 share a block.
  const r123::Philox4x32::ctr_type counter{{static_cast<std::uint32_t>(i), static_cast<std::uint32_t>(i >> 32U),
                                            static_cast<std::uint32_t>(j),
                                            stream | static_cast<std::uint32_t>(j >> 32U << 8U)}};
  const r123::Philox4x32::key_type key{{static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32U)}};
  const auto block = r123::Philox4x32{}(counter, key);
  return static_cast<std::uint64_t>(block[1]) << 32U | block[0];
}

/// The same as a double in [-1, 1), with 53 random bits.
[[nodiscard]] inline double random_entry(std::uint64_t seed, std::uint32_t stream, std::int64_t row,
                                         std::int64_t column) {
  const std::uint64_t bits =
      random_bits(seed, stream, static_cast<std::uint64_t>(row), static_cast<std::uint64_t>(column));
  return static_cast<double>(static_cast<std::int64_t>(bits) >> 11) * 0x1p-52;
}

/// The same as a float, with the first 24 of those bits: the double, rounded down.
[[nodiscard]] inline float random_float(std::uint64_t seed, std::uint32_t stream, std::int64_t row,
                                        std::int64_t column) {
  const std::uint64_t bits =
      random_bits(seed, stream, static_cast<std::uint64_t>(row), static_cast<std::uint64_t>(column));
  return static_cast<float>(static_cast<std::int64_t>(bits) >> 40) * 0x1p-23F;
}

/// bits[k] = random_bits(seed, stream, first + k), several at a time, in 2 ns each instead of 10.
void fill_random_bits(std::span<std::uint64_t> bits, std::uint64_t seed, std::uint32_t stream, std::uint64_t first);

/// Writes `mine` with the entries of the random matrix (seed, stream), where mine(0, 0) is entry (row, column) of the
/// whole.
void fill_random(View mine, std::uint64_t seed, std::uint32_t stream, std::int64_t row, std::int64_t column);
/// The same with random_float.
void fill_random(MatrixView<float> mine, std::uint64_t seed, std::uint32_t stream, std::int64_t row,
                 std::int64_t column);

}  // namespace duet
