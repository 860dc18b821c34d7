#pragma once

/// Judges a product by mathematics that is independent of how it was computed.

#include <mpi.h>

#include <cstdint>

#include "kernels/core/problem.hpp"
#include "kernels/core/view.hpp"

namespace duet {

/// Which rows or columns of a whole a rank has, in its order: `count` runs of `width` consecutive ones, the first from
/// `begin` on, `stride` >= width apart.
struct Runs {
  std::int64_t begin = 0;
  std::int64_t width = 0;
  std::int64_t stride = 0;
  std::int64_t count = 1;

  [[nodiscard]] std::int64_t size() const { return width * count; }
  /// Where `local` stands in the whole.
  [[nodiscard]] std::int64_t operator[](std::int64_t local) const {
    return count == 1 ? begin + local : begin + local / width * stride + local % width;
  }
  /// Where `global` stands among mine, or -1.
  [[nodiscard]] std::int64_t find(std::int64_t global) const {
    if (size() == 0 || global < begin) return -1;
    const std::int64_t run = count == 1 ? 0 : (global - begin) / stride;
    const std::int64_t offset = global - begin - run * stride;
    return run < count && offset < width ? run * width + offset : -1;
  }
};

/// C = A B, m x n x k, as one rank of a grid holds it. Ranks of one grid row have the same rows of A, and of C all or
/// some of them; ranks of one grid column have the same columns of B and C; each entry has one owner. One process alone
/// has null communicators, and a rank that owns nothing has but `all`.
template <class Element>
struct OwnedProduct {
  MPI_Comm all = MPI_COMM_NULL;
  MPI_Comm along_row = MPI_COMM_NULL;
  MPI_Comm along_column = MPI_COMM_NULL;
  std::int64_t m = 0;
  std::int64_t n = 0;
  std::int64_t k = 0;
  MatrixView<const Element> a;
  MatrixView<const Element> b;
  MatrixView<const Element> c;
  Runs rows;                 ///< my rows of A
  Runs columns;              ///< my columns of B and C
  Runs a_columns;            ///< my columns of A
  Runs b_rows;               ///< my rows of B
  std::int64_t c_begin = 0;  ///< my rows of C are c.rows of my rows of A, from this one on
};

/// How an answer may differ from the exact product, beside what any sum of products may.
struct Rounding {
  /// Every entry may be wrong by `normwise` u max|A| max|B| more.
  double normwise = 0;
  /// What is not finite in A or B may make any entry of C not finite. Without, NaN and infinity come exactly where
  /// IEEE 754 brings them.
  bool spreads = false;
  /// Rows of C that are computed anew, entry by entry, beside the check of all rows.
  int sampled_rows = 0;
};

/// Whether C is A B up to rounding. Collective over the ranks; the same judgement on every rank, and no rank needs more
/// of A, B or C than it owns.
///
/// Freivalds' check (R. Freivalds, "Probabilistic machines can use less running time", 1977): for three random vectors
/// x C x is compared with A (B x), row by row, in 2 (mk + kn + mn) operations a vector, in double. All |x_j| are in
/// [1/2, 1), so a single wrong entry changes its row by at least half of its own error: it is always found when that
/// exceeds twice the bound. Several wrong entries of one row can only hide each other where a random combination of
/// them vanishes to within the bound, three times.
///
/// The bound is derived. With u = 2^-53 for double, 2^-24 for float, gamma_j = j u / (1 - j u), any order of summation,
/// FMA or not (Higham, Accuracy and stability of numerical algorithms, 2002, lemma 3.3 and section 3.5):
///
///     |fl(AB) - AB| <= gamma_k |A||B|,   |fl(C x) - C x| <= gamma_n |C||x|,
///     |fl(A fl(B x)) - A B x| <= (gamma_k + gamma_n + gamma_k gamma_n) |A||B||x|,
///
/// hence |fl(C x) - fl(A fl(B x))| <= 2 gamma_{n+k} |A||B||x|, taken row by row with every |x_j| as 1; for floats one
/// of the two gammas is that of double. Where the answer may be wrong by e = normwise u max|A| max|B| in each entry, a
/// row may be by n e more, and each entry of a sampled row by e.
///
/// What is not finite is judged by IEEE 754: row i of C is NaN where row i of A has a NaN, and nowhere finite where row
/// i of A has an infinity (k > 0); the same for the columns of B and C; and every other entry is finite. With
/// `spreads`, those entries need only not be finite, others may be so too, and a row where they are is judged no
/// further. Rows whose |A||B||x| exceeds the largest number may overflow on the way and are judged no further either.
///
/// Where a row is wrong, the first such row is computed anew by all who own its operands, so that the judgement can
/// name the entry, the process that computed it, and what would be right.
///
/// `seed` chooses the vectors and the sampled rows. Needs about 4 (k + n) + 8 rows doubles on each rank.
template <class Element>
[[nodiscard]] Judgement judge(const OwnedProduct<Element>& mine, std::uint64_t seed, const Rounding& rounding = {});

}  // namespace duet
