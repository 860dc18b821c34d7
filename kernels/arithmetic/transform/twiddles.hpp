#pragma once

/// The factors at the nodes of the transform's tree (see transform.hpp), one table for all lengths.

#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/arithmetic/transform/path.hpp"

namespace duet {

/// twiddles(prime, count, path)[j] for j < count is t(j) = theta(2j) in the path's form of factors, where theta(j) is
/// the root of unity whose angle is the bit-reversed fraction of j:
///
///     angle of theta(j) / 2 pi:   theta(0) = 0,  theta(1) = 1/2,  theta(2) = 1/4,  theta(3) = 3/4,  theta(4) = 1/8 ...
///
/// `prime` is the index of one of `transform_primes`. `count` is at most 2^29. The table is kept and shared: it grows
/// when more is asked for than before, to the next power of two, and what was handed out before stays valid until the
/// process ends. At least 8 entries. Any number of threads may ask at the same time. About 1 ns an entry when it grows.
[[nodiscard]] std::span<const std::uint64_t> twiddles(std::size_t prime, std::size_t count, const TransformPath& path);

/// Where 1 / t(j) stands, for j > 0: t(j) t(mirrored(j)) = -1. The angles of t(j) for j in [2^k, 2^(k+1)) are the odd
/// multiples of a turn's 2^(k+2)-th below one half; turned round, they are those of the same entries backwards.
[[nodiscard]] constexpr std::size_t mirrored(std::size_t j) {
  std::size_t block = 1;
  while (block * 2 <= j) block *= 2;
  return 3 * block - 1 - j;
}

}  // namespace duet
