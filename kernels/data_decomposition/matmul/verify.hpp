#pragma once

/// Judges a product that is distributed as "matmul" distributes it.

#include <cstdint>

#include "kernels/core/problem.hpp"
#include "kernels/data_decomposition/matmul/matmul.hpp"

namespace duet {

/// Whether C is A B up to rounding, for blocks distributed as `mine` says: what `judge` (kernels/product/judge.hpp)
/// does, with the bound of a product in any order of summation. Collective over the ranks; the same judgement on every
/// rank.
[[nodiscard]] Judgement judge_product(const OwnedBlocksOf<double>& mine, std::uint64_t seed);
[[nodiscard]] Judgement judge_product(const OwnedBlocksOf<float>& mine, std::uint64_t seed);

}  // namespace duet
