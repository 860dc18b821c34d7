#pragma once

/// Judges a product by mathematics that is independent of how it was computed.

#include <cstdint>

#include "kernels/core/problem.hpp"
#include "kernels/data_decomposition/matmul/matmul.hpp"

namespace duet {

/// Whether C is A B up to rounding, for blocks distributed as `mine` says. Collective over the ranks; the same
/// judgement on every rank, and no rank needs more of A, B or C than it owns.
///
/// Freivalds' check (R. Freivalds, "Probabilistic machines can use less running time", 1977): for three random vectors
/// x C x is compared with A (B x), row by row, in 2 (mk + kn + mn) operations a vector. All |x_j| are in [1/2, 1), so a
/// single wrong entry changes its row by at least half of its own error: it is always found when that exceeds twice the
/// bound. Several wrong entries of one row can only hide each other where a random combination of them vanishes to
/// within the bound, three times.
///
/// The bound is derived. With u = 2^-53, gamma_j = j u / (1 - j u), any order of summation, FMA or not (Higham,
/// Accuracy and stability of numerical algorithms, 2002, lemma 3.3 and section 3.5):
///
///     |fl(AB) - AB| <= gamma_k |A||B|,   |fl(C x) - C x| <= gamma_n |C||x|,
///     |fl(A fl(B x)) - A B x| <= (gamma_k + gamma_n + gamma_k gamma_n) |A||B||x|,
///
/// hence |fl(C x) - fl(A fl(B x))| <= 2 gamma_{n+k} |A||B||x|, taken row by row with every |x_j| as 1.
///
/// What is not finite is judged by IEEE 754: row i of C is NaN where row i of A has a NaN, and nowhere finite where row
/// i of A has an infinity (k > 0); the same for the columns of B and C; and every other entry is finite. Rows whose
/// |A||B||x| exceeds the largest double may overflow on the way and are judged no further.
///
/// Where a row is wrong, the first such row is computed anew by all who own its operands, so that the judgement can
/// name the entry, the process that computed it, and what would be right.
///
/// `seed` chooses the vectors. Needs about 4 (k + n) + 8 m / R words on each rank.
[[nodiscard]] Judgement judge_product(const OwnedBlocks& mine, std::uint64_t seed);

}  // namespace duet
