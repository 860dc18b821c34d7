#pragma once

/// The factors at the nodes of the transform's tree (see transform.hpp), one table for all lengths.

#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/arithmetic/transform/path.hpp"
#include "kernels/arithmetic/transform/words.hpp"

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

/// The same table as a Line.
[[nodiscard]] Line line_of(std::size_t prime, std::size_t count, const TransformPath& path);

/// Where 1 / t(j) stands, for j > 0: t(j) t(mirrored(j)) = -1. The angles of t(j) for j in [2^k, 2^(k+1)) are the odd
/// multiples of a turn's 2^(k+2)-th below one half; turned round, they are those of the same entries backwards.
[[nodiscard]] constexpr std::size_t mirrored(std::size_t j) {
  std::size_t block = 1;
  while (block * 2 <= j) block *= 2;
  return 3 * block - 1 - j;
}

/// The factors below one node, so that a subtree needs no table of the whole: with that node as 1 and the children of h
/// as 2 h and 2 h + 1, those of a level stand side by side as they do in the table of the whole.
///
///     t(node 2^j + i) = t(node 2^j) t(i) for i < 2^j
///
/// so a level is the beginning of the common table, times a factor. On the way back, 1 / t(node 2^j + i) is the
/// negative of what stands in the mirrored place below mirrored(node); below node 0, where the mirror changes with i,
/// it is -1 / t(i) = t(2^(j-1)) t(2^j - 1 - i).
class NodeTwiddles {
 public:
  /// For `path.subtree` of `length` at node 1 of what is returned, which is valid until the next call. `line` has
  /// length / 8 entries or more. length / 2 products.
  [[nodiscard]] Line below(const Line& line, const TransformPath& path, std::size_t node, std::size_t length);

 private:
  Words forward_;
  Words inverse_;
};

}  // namespace duet
