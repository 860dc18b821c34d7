#pragma once

/// The part of a product below one node of the transform's tree: nobody else is needed between its two ends.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>

#include "kernels/arithmetic/transform/path.hpp"
#include "kernels/arithmetic/transform/shape.hpp"
#include "kernels/arithmetic/transform/team.hpp"

namespace duet {

/// Words of a subtree that a thread works off in one go: two images of it stay in the second-level cache.
inline constexpr std::size_t subtree_chunk = std::size_t{1} << 15U;

/// Longer rows are not worked off side by side: of two threads, each with a row of both factors, they would take 16 MB.
inline constexpr std::size_t longest_whole_row = std::size_t{1} << 18U;

/// Entries of the twiddle table that subtrees of a transform of `words` need at the least. Where they find no more than
/// that, each makes itself the factors below its own node: an eighth as many as it has words, on the way down and back.
[[nodiscard]] constexpr std::size_t least_twiddles(std::size_t words) {
  return std::max(subtree_chunk / 8, words / subtree_chunk + shortest_row);
}

/// One prime's images of both operands below `node`; b is null for squares.
struct Subtree {
  Line line;
  std::uint64_t* a = nullptr;
  std::uint64_t* b = nullptr;
  std::size_t length = 0;  ///< a power of two, 64 or more
  std::size_t node = 0;
};

/// True where both images become results.
[[nodiscard]] constexpr bool is_doubling(Combination combination) { return combination == Combination::doubling; }

/// Forward, combined, and backward: from what the levels above left to what their inverse takes.
void work_off(const TransformPath& path, const Subtree& subtree, Combination combination);

/// The same by the whole team, who meet twice. Worth it for lengths beyond `subtree_chunk`; shorter ones are worked off
/// by the caller.
void work_off_together(const TransformPath& path, const TransformTeam& team, const Subtree& subtree,
                       Combination combination);

/// As many subtrees of one length, forward, combined and backward. They are dealt out whole as far as they go evenly;
/// the others, and long ones that would crowd each other out of the third-level cache, are worked off by all together.
void work_off_all(const TransformPath& path, const TransformTeam& team, std::size_t count, std::size_t length,
                  const std::function<Subtree(std::size_t)>& subtree, Combination combination);

/// The same in three steps, of which each can be shared out: `columns_forward` by columns, `work_off` of the
/// `subtree_rows` subtrees below, `columns_inverse`. For lengths beyond `subtree_chunk`.
[[nodiscard]] std::size_t subtree_rows(std::size_t length);
[[nodiscard]] Subtree subtree_below(const Subtree& subtree, std::size_t row);
void columns_forward(const TransformPath& path, const Subtree& subtree, Combination combination, Columns columns);
void columns_inverse(const TransformPath& path, const Subtree& subtree, Combination combination, Columns columns);

/// The coefficients of a product of `shape` whose inverse is complete.
[[nodiscard]] Residues residues_of(const TransformPath& path,
                                   const std::array<const std::uint64_t*, transform_primes_count>& images,
                                   const TransformShape& shape);

}  // namespace duet
