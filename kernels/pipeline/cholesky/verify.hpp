#pragma once

/// Judges a Cholesky factor by mathematics that is independent of how it was computed.

#include <mpi.h>

#include <cstdint>

#include "kernels/core/problem.hpp"
#include "kernels/pipeline/cholesky/tile_matrix.hpp"

namespace duet {

/// Whether L L^T is A up to rounding, and L lower triangular with a positive diagonal. Collective over `ranks`, whose
/// tiles of L are `l` (MPI_COMM_NULL: one process has all); the same judgement on every rank. `fill_a` writes tiles of
/// A: each rank asks for those that it owns, one at a time, so A needs no memory beside L.
///
/// For three random vectors x, r = L (L^T x) - A x is compared with zero row by row, in 4 n^2 operations a vector; all
/// |x_j| are in [1/2, 1). One entry L(i, j) that is wrong by d changes r in row j by d L(j, j) x_i, at least d L(j, j)
/// / 2, and nothing hides it: it is always found when that exceeds twice the bound. Several wrong entries can only hide
/// each other where a random combination of them vanishes to within the bound, three times. L with the sign of a column
/// changed has the same L L^T: that is why the diagonal is looked at.
///
/// The bound is derived. With u = 2^-53, gamma_j = j u / (1 - j u), any order of summation, FMA or not (Higham:
/// "Accuracy and stability of numerical algorithms", 2002, lemma 3.3 and theorem 10.3; n + 2 for the multiplication
/// with reciprocals of pivots):
///
///     |L L^T - A| <= gamma_{n+2} |L||L^T|,   |fl(L^T x) - L^T x| <= gamma_n |L^T||x|,
///     |fl(L z - A x) - (L z - A x)| <= gamma_{2n} (|L||z| + |A||x|),
///
/// hence |r| <= gamma_{4n+8} (|L||L^T| + |A|)|x|, taken row by row with every |x_j| as 1.
///
/// Where rows are wrong, the first is looked at entry by entry: the first wrong row of r after an error in L(i, j) is
/// j, and the first wrong entry of L L^T in it is (i, j), so the judgement names the entry and the process that
/// computed it.
///
/// `seed` chooses the vectors. Needs about 20 n words on each rank.
[[nodiscard]] Judgement judge_cholesky(const TileMatrix& l, const FillTile& fill_a, MPI_Comm ranks, std::uint64_t seed);

}  // namespace duet
