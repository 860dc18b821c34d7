#include "kernels/data_decomposition/matmul/verify.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <sstream>
#include <string>
#include <vector>

#include "kernels/core/mpi.hpp"
#include "kernels/core/random.hpp"

namespace duet {
namespace {

constexpr std::size_t vector_count = 3;
constexpr std::uint32_t vector_stream = 16;  // streams 0 and 1 are the operands of "matmul"
constexpr double largest = std::numeric_limits<double>::max();
constexpr double nowhere = largest;  // a row or column that does not exist, for minima over ranks

template <class Element>
using PerVector = std::array<Element, vector_count>;

double gamma(double operations) {
  constexpr double unit_roundoff = 0x1p-53;
  return operations * unit_roundoff / (1 - operations * unit_roundoff);
}

std::size_t index(std::int64_t i) { return static_cast<std::size_t>(i); }

void combine(MPI_Comm ranks, std::vector<double>& values, MPI_Op operation) {
  if (ranks == MPI_COMM_NULL) return;
  pieces_of(static_cast<std::int64_t>(values.size()), [&](std::int64_t offset, int count) {
    check(MPI_Allreduce(MPI_IN_PLACE, values.data() + offset, count, MPI_DOUBLE, operation, ranks));
  });
}

double combined(MPI_Comm ranks, double value, MPI_Op operation) {
  if (ranks != MPI_COMM_NULL) check(MPI_Allreduce(MPI_IN_PLACE, &value, 1, MPI_DOUBLE, operation, ranks));
  return value;
}

/// What a row of A or a column of B has that is not finite; the larger value decides.
constexpr double finite = 0;
constexpr double infinite = 1;
constexpr double not_a_number = 2;

double kind_of(double value) { return std::isfinite(value) ? finite : std::isnan(value) ? not_a_number : infinite; }

/// Whether IEEE 754 allows an entry of C to be of the kind of `value`, where row and column together are of `kind`.
bool is_allowed(double value, double kind, bool may_overflow) {
  if (kind == not_a_number) return std::isnan(value);
  if (kind == infinite) return !std::isfinite(value);
  return may_overflow || std::isfinite(value);
}

/// One row of C under judgement: w = C x and z = A B x for each vector, s = |A||B||x| with every |x_j| as 1.
struct RowSums {
  PerVector<double> w{};
  PerVector<double> z{};
  double s = 0;
  double kind = finite;
  double forbidden = 0;  ///< entries of C that are finite where they must not be, or the reverse

  [[nodiscard]] bool may_overflow() const { return !(s < largest / 4); }
  [[nodiscard]] bool is_compared() const { return kind == finite && !may_overflow(); }
  [[nodiscard]] double error() const {
    double error = 0;
    for (std::size_t v = 0; v < vector_count; ++v) error = std::max(error, std::abs(w[v] - z[v]));
    return error;
  }
};

/// An entry of C that is wrong, or the first sign of it.
struct Fault {
  double column = nowhere;
  double found = 0;
  double right = 0;
  double bound = 0;
};

/// A judgement in the making, on one rank.
class Judge {
 public:
  Judge(const OwnedBlocks& mine, std::uint64_t seed)
      : mine_{mine},
        a_block_{mine.layout.a_of(mine.ranks.rank())},
        b_block_{mine.layout.b_of(mine.ranks.rank())},
        c_block_{mine.layout.c_of(mine.ranks.rank())},
        rows_(index(c_block_.rows.size())) {
    classify_columns();
    draw_vectors(seed);
    multiply_b();
    multiply_a();
    multiply_c();
  }

  [[nodiscard]] Judgement judgement() const;

 private:
  void classify_columns();
  void draw_vectors(std::uint64_t seed);
  void multiply_b();
  void multiply_a();
  void multiply_c();
  [[nodiscard]] double bound_of(const RowSums& row) const;
  [[nodiscard]] bool is_right(const RowSums& row) const {
    return row.forbidden == 0 && (!row.is_compared() || row.error() <= bound_of(row));
  }
  [[nodiscard]] Judgement agree_on_largest_error() const;
  [[nodiscard]] Fault first_fault_in(std::int64_t row) const;

  const OwnedBlocks& mine_;
  Block a_block_;
  Block b_block_;
  Block c_block_;
  std::vector<double> column_kinds_;  ///< of my columns of B and C
  PerVector<std::vector<double>> x_;  ///< my columns; 0 where the column is not finite
  PerVector<std::vector<double>> y_;  ///< B x, all of k
  std::vector<double> t_;             ///< |B||x| with every |x_j| as 1, all of k
  std::vector<RowSums> rows_;         ///< my rows of C
};

void Judge::classify_columns() {
  column_kinds_.assign(index(b_block_.columns.size()), finite);
  for (std::int64_t row = 0; row < mine_.b.rows; ++row) {
    for (std::int64_t column = 0; column < mine_.b.columns; ++column) {
      const double entry = mine_.b(row, column);
      if (!std::isfinite(entry)) {
        column_kinds_[index(column)] = std::max(column_kinds_[index(column)], kind_of(entry));
      }
    }
  }
  combine(mine_.ranks.along_column(), column_kinds_, MPI_MAX);
}

void Judge::draw_vectors(std::uint64_t seed) {
  for (std::size_t v = 0; v < vector_count; ++v) {
    x_[v].assign(column_kinds_.size(), 0);
    for (std::size_t column = 0; column < column_kinds_.size(); ++column) {
      if (column_kinds_[column] != finite) continue;
      const double entry = random_entry(seed, vector_stream, b_block_.columns.begin + static_cast<std::int64_t>(column),
                                        static_cast<std::int64_t>(v));
      x_[v][column] = std::copysign(0.5 + 0.499 * std::abs(entry), entry);
    }
  }
}

// y = B x and t = |B||x|. The ranks of one grid row hold the same rows of B and add up; those of different rows fill
// different parts. Afterwards every rank has all of y and t.
void Judge::multiply_b() {
  const auto k = index(mine_.layout.shape().k);
  for (std::vector<double>& y : y_) y.assign(k, 0);
  t_.assign(k, 0);
  const double* const x0 = x_[0].data();
  const double* const x1 = x_[1].data();
  const double* const x2 = x_[2].data();
  const double* const kinds = column_kinds_.data();
  for (std::int64_t row = 0; row < mine_.b.rows; ++row) {
    const double* const b = mine_.b.data + row * mine_.b.stride;
    double y0 = 0;
    double y1 = 0;
    double y2 = 0;
    double t = 0;
#pragma omp simd reduction(+ : y0, y1, y2, t)
    for (std::int64_t j = 0; j < mine_.b.columns; ++j) {
      const double entry = kinds[j] == finite ? b[j] : 0;
      y0 += entry * x0[j];
      y1 += entry * x1[j];
      y2 += entry * x2[j];
      t += std::abs(entry);
    }
    const std::size_t at = index(b_block_.rows.begin + row);
    y_[0][at] = y0;
    y_[1][at] = y1;
    y_[2][at] = y2;
    t_[at] = t;
  }
  for (std::vector<double>& y : y_) combine(mine_.ranks.all(), y, MPI_SUM);
  combine(mine_.ranks.all(), t_, MPI_SUM);
}

// z = A y and s = |A| t, summed over the ranks of this grid row, which hold the columns of the same rows.
void Judge::multiply_a() {
  const std::size_t first = index(a_block_.columns.begin);
  const double* const y0 = y_[0].data() + first;
  const double* const y1 = y_[1].data() + first;
  const double* const y2 = y_[2].data() + first;
  const double* const t = t_.data() + first;
  constexpr std::size_t sums = vector_count + 3;
  std::vector<double> partial(rows_.size() * sums);
  for (std::int64_t row = 0; row < mine_.a.rows; ++row) {
    const double* const a = mine_.a.data + row * mine_.a.stride;
    double z0 = 0;
    double z1 = 0;
    double z2 = 0;
    double s = 0;
    double infinities = 0;
    double nans = 0;
#pragma omp simd reduction(+ : z0, z1, z2, s, infinities, nans)
    for (std::int64_t p = 0; p < mine_.a.columns; ++p) {
      z0 += a[p] * y0[p];
      z1 += a[p] * y1[p];
      z2 += a[p] * y2[p];
      s += std::abs(a[p]) * t[p];
      infinities += std::abs(a[p]) > largest ? 1.0 : 0.0;
      nans += a[p] != a[p] ? 1.0 : 0.0;
    }
    std::ranges::copy(std::array{z0, z1, z2, s, infinities, nans}, partial.begin() + row * std::int64_t{sums});
  }
  combine(mine_.ranks.along_row(), partial, MPI_SUM);
  for (std::size_t row = 0; row < rows_.size(); ++row) {
    const double* const sum = partial.data() + row * sums;
    rows_[row].z = {sum[0], sum[1], sum[2]};
    rows_[row].s = sum[3];
    rows_[row].kind = sum[5] > 0 ? not_a_number : sum[4] > 0 ? infinite : finite;
  }
}

// w = C x, summed over the ranks of this grid row.
void Judge::multiply_c() {
  constexpr std::size_t sums = vector_count + 1;
  std::vector<double> partial(rows_.size() * sums);
  for (std::int64_t row = 0; row < mine_.c.rows; ++row) {
    const RowSums& of_row = rows_[index(row)];
    const bool may_overflow = of_row.may_overflow();
    double* const sum = partial.data() + row * std::int64_t{sums};
    for (std::int64_t column = 0; column < mine_.c.columns; ++column) {
      const double entry = mine_.c(row, column);
      const double kind = std::max(of_row.kind, column_kinds_[index(column)]);
      if (!is_allowed(entry, kind, may_overflow)) sum[vector_count] += 1;
      if (kind != finite) continue;
      for (std::size_t v = 0; v < vector_count; ++v) sum[v] += entry * x_[v][index(column)];
    }
  }
  combine(mine_.ranks.along_row(), partial, MPI_SUM);
  for (std::size_t row = 0; row < rows_.size(); ++row) {
    const double* const sum = partial.data() + row * sums;
    rows_[row].w = {sum[0], sum[1], sum[2]};
    rows_[row].forbidden = sum[vector_count];
  }
}

double Judge::bound_of(const RowSums& row) const {
  const auto n = static_cast<double>(mine_.layout.shape().n);
  const auto k = static_cast<double>(mine_.layout.shape().k);
  if (k == 0 || n == 0) return 0;
  // Each of the nk + n + k products may lose up to 2^-1075 more where it underflows; DBL_MIN times gamma covers that.
  return 2 * gamma(n + k) * (row.s + (n * k + n + k) * std::numeric_limits<double>::min());
}

// The largest error relative to its bound over all ranks.
Judgement Judge::agree_on_largest_error() const {
  Judgement judgement{.right = true};
  struct {
    double ratio = -1;
    int rank = 0;
  } worst;
  worst.rank = mine_.ranks.rank();
  for (const RowSums& row : rows_) {
    if (!row.is_compared()) continue;
    const double bound = bound_of(row);
    const double error = row.error();
    const double ratio = error == 0 ? 0 : error / bound;
    if (ratio > worst.ratio) {
      worst.ratio = ratio;
      judgement.error = error;
      judgement.bound = bound;
    }
  }
  if (const MPI_Comm all = mine_.ranks.all(); all != MPI_COMM_NULL) {
    check(MPI_Allreduce(MPI_IN_PLACE, &worst, 1, MPI_DOUBLE_INT, MPI_MAXLOC, all));
    std::array<double, 2> both{judgement.error, judgement.bound};
    check(MPI_Bcast(both.data(), 2, MPI_DOUBLE, worst.rank, all));
    judgement.error = both[0];
    judgement.bound = both[1];
  }
  return judgement;
}

// Computes row `row` of A B anew, distributed like B, and compares entry by entry on the ranks that own that row of C.
Fault Judge::first_fault_in(std::int64_t row) const {
  const bool is_mine = c_block_.rows.contains(row);
  std::vector<double> a_row(index(mine_.layout.shape().k), 0);
  if (is_mine) {
    std::copy_n(mine_.a.data + (row - a_block_.rows.begin) * mine_.a.stride, mine_.a.columns,
                a_row.begin() + a_block_.columns.begin);
  }
  combine(mine_.ranks.all(), a_row, MPI_SUM);
  std::vector<double> exact(column_kinds_.size(), 0);
  std::vector<double> magnitude(column_kinds_.size(), 0);
  for (std::int64_t p = 0; p < mine_.b.rows; ++p) {
    const double factor = a_row[index(b_block_.rows.begin + p)];
    for (std::int64_t column = 0; column < mine_.b.columns; ++column) {
      exact[index(column)] += factor * mine_.b(p, column);
      magnitude[index(column)] += std::abs(factor * mine_.b(p, column));
    }
  }
  combine(mine_.ranks.along_column(), exact, MPI_SUM);
  combine(mine_.ranks.along_column(), magnitude, MPI_SUM);
  if (!is_mine) return {};
  const auto k = static_cast<double>(mine_.layout.shape().k);
  const RowSums& of_row = rows_[index(row - c_block_.rows.begin)];
  for (std::int64_t column = 0; column < mine_.c.columns; ++column) {
    const double found = mine_.c(row - c_block_.rows.begin, column);
    const double kind = std::max(of_row.kind, column_kinds_[index(column)]);
    const double bound = 2 * gamma(k) * (magnitude[index(column)] + k * std::numeric_limits<double>::min());
    const bool is_close = std::abs(found - exact[index(column)]) <= bound;
    if (!is_allowed(found, kind, of_row.may_overflow()) || (kind == finite && !of_row.may_overflow() && !is_close)) {
      return {static_cast<double>(c_block_.columns.begin + column), found, exact[index(column)], bound};
    }
  }
  return {};
}

Judgement Judge::judgement() const {
  Judgement judgement = agree_on_largest_error();
  double wrong_rows = 0;
  double first_wrong = nowhere;
  for (std::size_t row = rows_.size(); row-- > 0;) {
    if (is_right(rows_[row])) continue;
    wrong_rows += 1;
    first_wrong = static_cast<double>(c_block_.rows.begin + static_cast<std::int64_t>(row));
  }
  const MPI_Comm all = mine_.ranks.all();
  // The ranks of a grid row all found the same.
  wrong_rows = combined(all, mine_.ranks.column() == 0 ? wrong_rows : 0, MPI_SUM);
  if (wrong_rows == 0) return judgement;
  first_wrong = combined(all, first_wrong, MPI_MIN);

  const Fault mine = first_fault_in(static_cast<std::int64_t>(first_wrong));
  const double column = combined(all, mine.column, MPI_MIN);
  std::ostringstream text;
  text.precision(17);
  if (column == nowhere) {
    text << "row " << first_wrong << " of C is wrong by more than rounding allows";
  } else {
    const bool is_finder = mine.column == column;
    const int finder = static_cast<int>(combined(all, is_finder ? mine_.ranks.rank() : -1, MPI_MAX));
    std::array<double, 3> values{mine.found, mine.right, mine.bound};
    if (all != MPI_COMM_NULL) check(MPI_Bcast(values.data(), 3, MPI_DOUBLE, finder, all));
    text << "C(" << first_wrong << ", " << column << ") is " << values[0] << " where " << values[1];
    text.precision(3);
    text << " +- " << values[2] << " is right; process " << finder << " computed it";
  }
  text << " (" << wrong_rows << (wrong_rows == 1 ? " row is wrong)" : " rows are wrong)");
  judgement.right = false;
  judgement.explanation = text.str();
  return judgement;
}

}  // namespace

Judgement judge_product(const OwnedBlocks& mine, std::uint64_t seed) { return Judge{mine, seed}.judgement(); }

}  // namespace duet
