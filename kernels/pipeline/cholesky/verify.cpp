#include "kernels/pipeline/cholesky/verify.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <sstream>
#include <vector>

#include "kernels/core/mpi.hpp"
#include "kernels/core/random.hpp"

namespace duet {
namespace {

constexpr std::size_t vector_count = 3;
template <class Of>
using PerVector = std::array<Of, vector_count>;

/// Apart from the streams of the matrix.
constexpr std::uint32_t vector_stream = 64;

constexpr double nowhere = std::numeric_limits<double>::infinity();

std::size_t index(std::int64_t position) { return static_cast<std::size_t>(position); }

double gamma(double terms) {
  constexpr double unit_roundoff = 0x1p-53;
  return terms * unit_roundoff / (1 - terms * unit_roundoff);
}

void combine(MPI_Comm ranks, std::vector<double>& values, MPI_Op op) {
  if (ranks == MPI_COMM_NULL) return;
  pieces_of(std::ssize(values), [&](std::int64_t offset, int count) {
    check(MPI_Allreduce(MPI_IN_PLACE, values.data() + offset, count, MPI_DOUBLE, op, ranks));
  });
}

/// A judgement in the making, on one rank. Vectors have an entry for each row of the tiles, also behind the matrix's
/// end, where they are zero.
class Judge {
 public:
  Judge(const TileMatrix& l, const FillTile& fill_a, MPI_Comm ranks, std::uint64_t seed)
      : l_{l}, layout_{l.layout()}, fill_a_{fill_a}, ranks_{ranks}, rows_(index(padded_rows())) {
    draw_vectors(seed);
    multiply_by_transposed();
    multiply_and_compare();
  }

  [[nodiscard]] Judgement judgement() const;

 private:
  [[nodiscard]] std::int64_t padded_rows() const {
    const std::int64_t last = layout_.count() - 1;
    return last < 0 ? 0 : layout_.begin(last) + layout_.extent(last);
  }
  void draw_vectors(std::uint64_t seed);
  void multiply_by_transposed();
  void multiply_and_compare();
  [[nodiscard]] double bound_of(std::int64_t row) const {
    return gamma(4 * static_cast<double>(layout_.n()) + 8) * magnitude_[index(row)];
  }
  [[nodiscard]] double error_of(std::int64_t row) const {
    double error = 0;
    for (const std::vector<double>& r : residual_) {
      const double here = std::abs(r[index(row)]);
      if (!(here <= error)) error = here;  // NaN stays
    }
    return error;
  }
  [[nodiscard]] bool is_right(std::int64_t row) const {
    const double bound = bound_of(row);
    return error_of(row) <= bound && std::isfinite(bound);
  }
  [[nodiscard]] double first_bad_structure() const;
  [[nodiscard]] std::string first_fault_in(std::int64_t row) const;

  /// Calls act(columns, row, column) for each column of each strip of tile (i, j) at `tile`: 24 entries, the first of
  /// which is (row, column) of the matrix.
  template <class Act>
  void for_columns(std::int64_t i, std::int64_t j, const double* tile, Act&& act) const {
    for (std::int64_t s = 0; s < layout_.extent(i); s += strip) {
      for (std::int64_t p = 0; p < layout_.extent(j); ++p) {
        act(tile + (s * layout_.extent(j) + p * strip), layout_.begin(i) + s, layout_.begin(j) + p);
      }
    }
  }

  const TileMatrix& l_;
  const TileLayout& layout_;
  const FillTile& fill_a_;
  MPI_Comm ranks_;
  std::vector<double> rows_;  ///< 1 for rows of the matrix
  PerVector<std::vector<double>> x_;
  PerVector<std::vector<double>> z_;         ///< L^T x
  std::vector<double> t_;                    ///< |L^T||x| with every |x_j| as 1
  PerVector<std::vector<double>> residual_;  ///< L z - A x
  std::vector<double> magnitude_;            ///< (|L||L^T| + |A|)|x| with every |x_j| as 1
};

void Judge::draw_vectors(std::uint64_t seed) {
  std::fill_n(rows_.begin(), layout_.n(), 1.0);
  for (std::size_t v = 0; v < vector_count; ++v) {
    x_[v].assign(rows_.size(), 0);
    for (std::int64_t row = 0; row < layout_.n(); ++row) {
      const double entry = random_entry(seed, vector_stream, row, static_cast<std::int64_t>(v));
      x_[v][index(row)] = std::copysign(0.5 + 0.499 * std::abs(entry), entry);
    }
  }
}

void Judge::multiply_by_transposed() {
  for (std::vector<double>& z : z_) z.assign(rows_.size(), 0);
  t_.assign(rows_.size(), 0);
  for (const auto& [i, j] : l_.mine()) {
    for_columns(i, j, l_.tile(i, j), [&](const double* entries, std::int64_t row, std::int64_t column) {
      const double* const x0 = x_[0].data() + row;
      const double* const x1 = x_[1].data() + row;
      const double* const x2 = x_[2].data() + row;
      const double* const ones = rows_.data() + row;
      double z0 = 0;
      double z1 = 0;
      double z2 = 0;
      double t = 0;
#pragma omp simd reduction(+ : z0, z1, z2, t)
      for (std::int64_t r = 0; r < strip; ++r) {
        z0 += entries[r] * x0[r];
        z1 += entries[r] * x1[r];
        z2 += entries[r] * x2[r];
        t += std::abs(entries[r]) * ones[r];
      }
      z_[0][index(column)] += z0;
      z_[1][index(column)] += z1;
      z_[2][index(column)] += z2;
      t_[index(column)] += t;
    });
  }
  for (std::vector<double>& z : z_) combine(ranks_, z, MPI_SUM);
  combine(ranks_, t_, MPI_SUM);
}

void Judge::multiply_and_compare() {
  for (std::vector<double>& r : residual_) r.assign(rows_.size(), 0);
  magnitude_.assign(rows_.size(), 0);
  std::vector<double> a(index(layout_.count() == 0 ? 0 : layout_.extent(0) * layout_.extent(0)));
  for (const auto& [i, j] : l_.mine()) {
    const auto add = [&](const double* entries, std::int64_t row, double c0, double c1, double c2, double c) {
      double* const r0 = residual_[0].data() + row;
      double* const r1 = residual_[1].data() + row;
      double* const r2 = residual_[2].data() + row;
      double* const magnitude = magnitude_.data() + row;
#pragma omp simd
      for (std::int64_t r = 0; r < strip; ++r) {
        r0[r] += entries[r] * c0;
        r1[r] += entries[r] * c1;
        r2[r] += entries[r] * c2;
        magnitude[r] += std::abs(entries[r]) * c;
      }
    };
    for_columns(i, j, l_.tile(i, j), [&](const double* entries, std::int64_t row, std::int64_t column) {
      const std::size_t at = index(column);
      add(entries, row, z_[0][at], z_[1][at], z_[2][at], t_[at]);
    });
    // A(i, j) stands for A(j, i) as well, but for its own diagonal.
    fill_a_(layout_, i, j, a.data());
    for_columns(i, j, a.data(), [&](const double* entries, std::int64_t row, std::int64_t column) {
      const std::size_t at = index(column);
      add(entries, row, -x_[0][at], -x_[1][at], -x_[2][at], rows_[at]);
      for (std::int64_t r = 0; r < strip; ++r) {
        if (row + r == column) continue;
        const std::size_t other = index(row + r);
        for (std::size_t v = 0; v < vector_count; ++v) residual_[v][at] -= entries[r] * x_[v][other];
        magnitude_[at] += std::abs(entries[r]) * rows_[other];
      }
    });
  }
  for (std::vector<double>& r : residual_) combine(ranks_, r, MPI_SUM);
  combine(ranks_, magnitude_, MPI_SUM);
}

/// The first row of L whose diagonal is not positive and finite or that has an entry above it.
double Judge::first_bad_structure() const {
  std::vector<double> first{nowhere};
  for (const auto& [i, j] : l_.mine()) {
    if (i != j) continue;
    for_columns(i, i, l_.tile(i, i), [&](const double* entries, std::int64_t row, std::int64_t column) {
      for (std::int64_t r = 0; r < strip && row + r <= column; ++r) {
        const bool good = row + r == column ? entries[r] > 0 && std::isfinite(entries[r]) : entries[r] == 0;
        if (!good) first[0] = std::min(first[0], static_cast<double>(row + r));
      }
    });
  }
  combine(ranks_, first, MPI_MIN);
  return first[0];
}

// Column `row` of L L^T below its diagonal, anew, from row `row` of L, which its owners give to all.
std::string Judge::first_fault_in(std::int64_t row) const {
  const std::int64_t tile_row = row / layout_.tile();
  std::vector<double> l_row(rows_.size(), 0);
  std::vector<double> a_column(rows_.size(), 0);
  std::vector<double> scratch(index(layout_.extent(0) * layout_.extent(0)));
  for (const auto& [i, j] : l_.mine()) {
    if (i == tile_row) {
      for_columns(i, j, l_.tile(i, j), [&](const double* entries, std::int64_t first, std::int64_t column) {
        if (first <= row && row < first + strip) l_row[index(column)] = entries[row - first];
      });
    }
    if (j == tile_row) {
      fill_a_(layout_, i, j, scratch.data());
      for_columns(i, j, scratch.data(), [&](const double* entries, std::int64_t first, std::int64_t column) {
        if (column == row) std::copy_n(entries, strip, a_column.begin() + first);
      });
    }
  }
  combine(ranks_, l_row, MPI_SUM);
  combine(ranks_, a_column, MPI_SUM);
  std::vector<double> product(rows_.size(), 0);
  std::vector<double> magnitude(rows_.size(), 0);
  for (const auto& [i, j] : l_.mine()) {
    for_columns(i, j, l_.tile(i, j), [&](const double* entries, std::int64_t first, std::int64_t column) {
      for (std::int64_t r = 0; r < strip; ++r) {
        product[index(first + r)] += entries[r] * l_row[index(column)];
        magnitude[index(first + r)] += std::abs(entries[r] * l_row[index(column)]);
      }
    });
  }
  combine(ranks_, product, MPI_SUM);
  combine(ranks_, magnitude, MPI_SUM);
  std::ostringstream text;
  for (std::int64_t i = row; i < layout_.n(); ++i) {
    const double error = std::abs(product[index(i)] - a_column[index(i)]);
    const double bound =
        gamma(2 * static_cast<double>(layout_.n()) + 4) * (magnitude[index(i)] + std::abs(a_column[index(i)]));
    if (error <= bound) continue;
    text.precision(17);
    text << "L L^T at (" << i << ", " << row << ") is " << product[index(i)] << " where A has " << a_column[index(i)];
    text.precision(3);
    text << " +- " << bound << "; process " << layout_.owner(i / layout_.tile(), tile_row) << " computed L(" << i
         << ", " << row << ")";
    return text.str();
  }
  text << "row " << row << " of L L^T is not A's, by more than rounding allows";
  return text.str();
}

Judgement Judge::judgement() const {
  Judgement judgement{.right = true};
  double worst = -1;
  std::int64_t first_wrong = -1;
  std::int64_t wrong = 0;
  for (std::int64_t row = 0; row < layout_.n(); ++row) {
    const double error = error_of(row);
    const double bound = bound_of(row);
    const double ratio = error == 0 ? 0 : error / bound;
    if (!(ratio <= worst)) {
      worst = ratio;
      judgement.error = error;
      judgement.bound = bound;
    }
    if (is_right(row)) continue;
    if (wrong == 0) first_wrong = row;
    ++wrong;
  }
  // The vectors are the same bits on every rank or nearly: rank 0 decides.
  std::array<double, 4> decided{judgement.error, judgement.bound, static_cast<double>(first_wrong),
                                static_cast<double>(wrong)};
  if (ranks_ != MPI_COMM_NULL) check(MPI_Bcast(decided.data(), 4, MPI_DOUBLE, 0, ranks_));
  judgement.error = decided[0];
  judgement.bound = decided[1];
  if (decided[3] > 0) {
    judgement.right = false;
    judgement.explanation = first_fault_in(static_cast<std::int64_t>(decided[2]));
    std::ostringstream count;
    count << " (" << decided[3] << (decided[3] == 1 ? " row is wrong)" : " rows are wrong)");
    judgement.explanation += count.str();
    return judgement;
  }
  if (const double row = first_bad_structure(); row != nowhere) {
    judgement.right = false;
    judgement.explanation = "row " + std::to_string(static_cast<std::int64_t>(row)) +
                            " of L has a diagonal that is not positive, or an entry above it";
  }
  return judgement;
}

}  // namespace

Judgement judge_cholesky(const TileMatrix& l, const FillTile& fill_a, MPI_Comm ranks, std::uint64_t seed) {
  return Judge{l, fill_a, ranks, seed}.judgement();
}

}  // namespace duet
