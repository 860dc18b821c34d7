#include "kernels/product/judge.hpp"

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
constexpr std::uint32_t sample_stream = 17;
constexpr double nowhere =
    std::numeric_limits<double>::max();  // a row or column that does not exist, for minima over ranks

template <class Element>
using PerVector = std::array<Element, vector_count>;

template <class Element>
constexpr double unit_roundoff = std::numeric_limits<Element>::epsilon() / 2;

/// Infinite where so many operations leave no digit.
template <class Element>
double gamma(double operations) {
  const double lost = operations * unit_roundoff<Element>;
  return lost < 1 ? lost / (1 - lost) : std::numeric_limits<double>::infinity();
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

/// One row of C under judgement: w = C x and z = A B x for each vector, s = |A||B||x| with every |x_j| as 1.
struct RowSums {
  PerVector<double> w{};
  PerVector<double> z{};
  double s = 0;
  double kind = finite;
  double forbidden = 0;  ///< entries of C that are finite where they must not be, or the reverse
  double spread = 0;     ///< entries that are not finite without a cause in their row or column

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
template <class Element>
class Judge {
 public:
  Judge(const OwnedProduct<Element>& mine, std::uint64_t seed, const Rounding& rounding)
      : mine_{mine}, seed_{seed}, rounding_{rounding}, rows_(index(mine.rows.size())) {
    measure_operands();
    draw_vectors();
    multiply_b();
    multiply_a();
    multiply_c();
  }

  [[nodiscard]] Judgement judgement() const;

 private:
  static constexpr double largest = std::numeric_limits<Element>::max();
  static constexpr double least_normal = std::numeric_limits<Element>::min();

  void measure_operands();
  void draw_vectors();
  void multiply_b();
  void multiply_a();
  void multiply_c();
  /// What every entry may be wrong by beside the error of a sum of products.
  [[nodiscard]] double normwise() const {
    return rounding_.normwise * (unit_roundoff<Element> * largest_a_ * largest_b_ + least_normal);
  }
  [[nodiscard]] bool may_overflow(const RowSums& row) const {
    return !(row.s < largest / 4) || !(rounding_.normwise * largest_a_ * largest_b_ < largest / 4);
  }
  [[nodiscard]] bool is_allowed(double value, double kind, bool may_overflow) const;
  [[nodiscard]] bool is_compared(const RowSums& row) const {
    return row.kind == finite && row.spread == 0 && !may_overflow(row);
  }
  [[nodiscard]] double bound_of(const RowSums& row) const;
  [[nodiscard]] bool is_right(const RowSums& row) const {
    return row.forbidden == 0 && (!is_compared(row) || row.error() <= bound_of(row));
  }
  [[nodiscard]] Judgement agree_on_largest_error() const;
  [[nodiscard]] Fault first_fault_in(std::int64_t row) const;
  [[nodiscard]] std::string named(const Fault& mine, double row, double column) const;

  const OwnedProduct<Element>& mine_;
  std::uint64_t seed_;
  Rounding rounding_;
  double largest_a_ = 0;  ///< of the finite entries
  double largest_b_ = 0;
  bool may_spread_ = false;           ///< something in A or B is not finite, and that may be anywhere in C
  std::vector<double> column_kinds_;  ///< of my columns of B and C
  PerVector<std::vector<double>> x_;  ///< my columns; 0 where the column is not finite
  PerVector<std::vector<double>> y_;  ///< B x, all of k
  std::vector<double> t_;             ///< |B||x| with every |x_j| as 1, all of k
  std::vector<RowSums> rows_;         ///< my rows of A
};

template <class Element>
void Judge<Element>::measure_operands() {
  column_kinds_.assign(index(mine_.columns.size()), finite);
  double worst = finite;
  const auto measure = [&worst](double entry, double& largest_entry) {
    if (std::isfinite(entry)) {
      largest_entry = std::max(largest_entry, std::abs(entry));
      return finite;
    }
    worst = std::max(worst, kind_of(entry));
    return kind_of(entry);
  };
  for (std::int64_t row = 0; row < mine_.b.rows; ++row) {
    for (std::int64_t column = 0; column < mine_.b.columns; ++column) {
      double& kind = column_kinds_[index(column)];
      kind = std::max(kind, measure(mine_.b(row, column), largest_b_));
    }
  }
  combine(mine_.along_column, column_kinds_, MPI_MAX);
  // Only a normwise bound asks for more than B's columns.
  if (rounding_.normwise == 0 && !rounding_.spreads) return;
  for (std::int64_t row = 0; row < mine_.a.rows; ++row) {
    for (std::int64_t column = 0; column < mine_.a.columns; ++column) measure(mine_.a(row, column), largest_a_);
  }
  std::vector<double> of_all{largest_a_, largest_b_, worst};
  combine(mine_.all, of_all, MPI_MAX);
  largest_a_ = of_all[0];
  largest_b_ = of_all[1];
  may_spread_ = rounding_.spreads && of_all[2] != finite;
}

// Whether an entry of C may be of the kind of `value`, where its row of A and column of B together are of `kind`.
template <class Element>
bool Judge<Element>::is_allowed(double value, double kind, bool may_overflow) const {
  if (kind != finite && rounding_.spreads) return !std::isfinite(value);
  if (kind == not_a_number) return std::isnan(value);
  if (kind == infinite) return !std::isfinite(value);
  return may_overflow || may_spread_ || std::isfinite(value);
}

template <class Element>
void Judge<Element>::draw_vectors() {
  for (std::size_t v = 0; v < vector_count; ++v) {
    x_[v].assign(column_kinds_.size(), 0);
    for (std::size_t column = 0; column < column_kinds_.size(); ++column) {
      if (column_kinds_[column] != finite) continue;
      const double entry = random_entry(seed_, vector_stream, mine_.columns[static_cast<std::int64_t>(column)],
                                        static_cast<std::int64_t>(v));
      x_[v][column] = std::copysign(0.5 + 0.499 * std::abs(entry), entry);
    }
  }
}

// y = B x and t = |B||x|. The ranks of one grid row hold the same rows of B and add up; those of different rows fill
// different parts. Afterwards every rank has all of y and t.
template <class Element>
void Judge<Element>::multiply_b() {
  const auto k = index(mine_.k);
  for (std::vector<double>& y : y_) y.assign(k, 0);
  t_.assign(k, 0);
  const double* const x0 = x_[0].data();
  const double* const x1 = x_[1].data();
  const double* const x2 = x_[2].data();
  const double* const kinds = column_kinds_.data();
  for (std::int64_t row = 0; row < mine_.b.rows; ++row) {
    const Element* const b = mine_.b.data + row * mine_.b.stride;
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
    const std::size_t at = index(mine_.b_rows[row]);
    y_[0][at] = y0;
    y_[1][at] = y1;
    y_[2][at] = y2;
    t_[at] = t;
  }
  for (std::vector<double>& y : y_) combine(mine_.all, y, MPI_SUM);
  combine(mine_.all, t_, MPI_SUM);
}

// z = A y and s = |A| t, summed over the ranks of this grid row, which hold the columns of the same rows.
template <class Element>
void Judge<Element>::multiply_a() {
  const auto mine_of = [&](const std::vector<double>& whole) {
    std::vector<double> mine(index(mine_.a_columns.size()));
    for (std::size_t p = 0; p < mine.size(); ++p) mine[p] = whole[index(mine_.a_columns[static_cast<std::int64_t>(p)])];
    return mine;
  };
  const PerVector<std::vector<double>> y{mine_of(y_[0]), mine_of(y_[1]), mine_of(y_[2])};
  const std::vector<double> my_t = mine_of(t_);
  const double* const y0 = y[0].data();
  const double* const y1 = y[1].data();
  const double* const y2 = y[2].data();
  const double* const t = my_t.data();
  constexpr std::size_t sums = vector_count + 3;
  std::vector<double> partial(rows_.size() * sums);
  for (std::int64_t row = 0; row < mine_.a.rows; ++row) {
    const Element* const a = mine_.a.data + row * mine_.a.stride;
    double z0 = 0;
    double z1 = 0;
    double z2 = 0;
    double s = 0;
    double infinities = 0;
    double nans = 0;
#pragma omp simd reduction(+ : z0, z1, z2, s, infinities, nans)
    for (std::int64_t p = 0; p < mine_.a.columns; ++p) {
      const double entry = a[p];
      z0 += entry * y0[p];
      z1 += entry * y1[p];
      z2 += entry * y2[p];
      s += std::abs(entry) * t[p];
      infinities += std::abs(entry) > largest ? 1.0 : 0.0;
      nans += entry != entry ? 1.0 : 0.0;
    }
    std::ranges::copy(std::array{z0, z1, z2, s, infinities, nans}, partial.begin() + row * std::int64_t{sums});
  }
  combine(mine_.along_row, partial, MPI_SUM);
  for (std::size_t row = 0; row < rows_.size(); ++row) {
    const double* const sum = partial.data() + row * sums;
    rows_[row].z = {sum[0], sum[1], sum[2]};
    rows_[row].s = sum[3];
    rows_[row].kind = sum[5] > 0 ? not_a_number : sum[4] > 0 ? infinite : finite;
  }
}

// w = C x, summed over the ranks of this grid row.
template <class Element>
void Judge<Element>::multiply_c() {
  constexpr std::size_t sums = vector_count + 2;
  std::vector<double> partial(rows_.size() * sums);
  for (std::int64_t row = 0; row < mine_.c.rows; ++row) {
    const RowSums& of_row = rows_[index(mine_.c_begin + row)];
    const bool overflows = may_overflow(of_row);
    double* const sum = partial.data() + (mine_.c_begin + row) * std::int64_t{sums};
    for (std::int64_t column = 0; column < mine_.c.columns; ++column) {
      const double entry = mine_.c(row, column);
      const double kind = std::max(of_row.kind, column_kinds_[index(column)]);
      if (!is_allowed(entry, kind, overflows)) sum[vector_count] += 1;
      if (kind != finite) continue;
      if (may_spread_ && !std::isfinite(entry)) sum[vector_count + 1] += 1;
      for (std::size_t v = 0; v < vector_count; ++v) sum[v] += entry * x_[v][index(column)];
    }
  }
  combine(mine_.along_row, partial, MPI_SUM);
  for (std::size_t row = 0; row < rows_.size(); ++row) {
    const double* const sum = partial.data() + row * sums;
    rows_[row].w = {sum[0], sum[1], sum[2]};
    rows_[row].forbidden = sum[vector_count];
    rows_[row].spread = sum[vector_count + 1];
  }
}

template <class Element>
double Judge<Element>::bound_of(const RowSums& row) const {
  const auto n = static_cast<double>(mine_.n);
  const auto k = static_cast<double>(mine_.k);
  if (k == 0 || n == 0) return 0;
  // Each of the nk + n + k products may lose up to 2^-1075 more where it underflows; DBL_MIN times gamma covers that,
  // and so it is with floats.
  const double evaluation = gamma<double>(n + k);
  return (gamma<Element>(n + k) + evaluation) * (row.s + (n * k + n + k) * least_normal) +
         (1 + evaluation) * n * normwise();
}

// The largest error relative to its bound over all ranks.
template <class Element>
Judgement Judge<Element>::agree_on_largest_error() const {
  Judgement judgement{.right = true};
  struct {
    double ratio = -1;
    int rank = 0;
  } worst;
  worst.rank = rank_in(mine_.all);
  for (const RowSums& row : rows_) {
    if (!is_compared(row)) continue;
    const double bound = bound_of(row);
    const double error = row.error();
    const double ratio = error == 0 ? 0 : error / bound;
    if (ratio > worst.ratio) {
      worst.ratio = ratio;
      judgement.error = error;
      judgement.bound = bound;
    }
  }
  if (const MPI_Comm all = mine_.all; all != MPI_COMM_NULL) {
    check(MPI_Allreduce(MPI_IN_PLACE, &worst, 1, MPI_DOUBLE_INT, MPI_MAXLOC, all));
    std::array<double, 2> both{judgement.error, judgement.bound};
    check(MPI_Bcast(both.data(), 2, MPI_DOUBLE, worst.rank, all));
    judgement.error = both[0];
    judgement.bound = both[1];
  }
  return judgement;
}

// Computes row `row` of A B anew, distributed like B, and compares entry by entry on the ranks that own that row of C.
template <class Element>
Fault Judge<Element>::first_fault_in(std::int64_t row) const {
  const std::int64_t local = mine_.rows.find(row);
  const std::int64_t local_in_c = local - mine_.c_begin;
  std::vector<double> a_row(index(mine_.k), 0);
  if (local >= 0) {
    for (std::int64_t p = 0; p < mine_.a.columns; ++p) a_row[index(mine_.a_columns[p])] = mine_.a(local, p);
  }
  combine(mine_.all, a_row, MPI_SUM);
  std::vector<double> exact(column_kinds_.size(), 0);
  std::vector<double> magnitude(column_kinds_.size(), 0);
  for (std::int64_t p = 0; p < mine_.b.rows; ++p) {
    const double factor = a_row[index(mine_.b_rows[p])];
    for (std::int64_t column = 0; column < mine_.b.columns; ++column) {
      const double product = factor * mine_.b(p, column);
      exact[index(column)] += product;
      magnitude[index(column)] += std::abs(product);
    }
  }
  combine(mine_.along_column, exact, MPI_SUM);
  combine(mine_.along_column, magnitude, MPI_SUM);
  if (local < 0 || local_in_c < 0 || local_in_c >= mine_.c.rows) return {};
  const auto k = static_cast<double>(mine_.k);
  const RowSums& of_row = rows_[index(local)];
  const bool overflows = may_overflow(of_row);
  Fault fault;
  for (std::int64_t column = 0; column < mine_.c.columns; ++column) {
    const double found = mine_.c(local_in_c, column);
    const double kind = std::max(of_row.kind, column_kinds_[index(column)]);
    const double bound =
        (gamma<Element>(k) + gamma<double>(k)) * (magnitude[index(column)] + k * least_normal) + normwise();
    const bool is_close = std::abs(found - exact[index(column)]) <= bound || (may_spread_ && !std::isfinite(found));
    const bool is_right = is_allowed(found, kind, overflows) && (kind != finite || overflows || is_close);
    const auto at = static_cast<double>(mine_.columns[column]);
    if (!is_right && at < fault.column) fault = {at, found, exact[index(column)], bound};
  }
  return fault;
}

// "C(1, 2) is 3 where 4 +- 5 is right; process 6 computed it", or less where no entry is known. `mine` is this rank's
// fault in the row, `column` the first of all ranks.
template <class Element>
std::string Judge<Element>::named(const Fault& mine, double row, double column) const {
  std::ostringstream text;
  text.precision(17);
  if (column == nowhere) {
    text << "row " << row << " of C is wrong by more than rounding allows";
    return text.str();
  }
  const int finder = static_cast<int>(combined(mine_.all, mine.column == column ? rank_in(mine_.all) : -1, MPI_MAX));
  std::array<double, 3> values{mine.found, mine.right, mine.bound};
  if (mine_.all != MPI_COMM_NULL) check(MPI_Bcast(values.data(), 3, MPI_DOUBLE, finder, mine_.all));
  text << "C(" << row << ", " << column << ") is " << values[0] << " where " << values[1];
  text.precision(3);
  text << " +- " << values[2] << " is right; process " << finder << " computed it";
  return text.str();
}

template <class Element>
Judgement Judge<Element>::judgement() const {
  Judgement judgement = agree_on_largest_error();
  double wrong_rows = 0;
  double first_wrong = nowhere;
  for (std::size_t row = 0; row < rows_.size(); ++row) {
    if (is_right(rows_[row])) continue;
    wrong_rows += 1;
    first_wrong = std::min(first_wrong, static_cast<double>(mine_.rows[static_cast<std::int64_t>(row)]));
  }
  // The ranks of a grid row all found the same.
  wrong_rows = combined(mine_.all, rank_in(mine_.along_row) == 0 ? wrong_rows : 0, MPI_SUM);
  if (wrong_rows > 0) {
    first_wrong = combined(mine_.all, first_wrong, MPI_MIN);
    const Fault mine = first_fault_in(static_cast<std::int64_t>(first_wrong));
    const double column = combined(mine_.all, mine.column, MPI_MIN);
    judgement.right = false;
    judgement.explanation = named(mine, first_wrong, column) + " (" +
                            std::to_string(static_cast<std::int64_t>(wrong_rows)) +
                            (wrong_rows == 1 ? " row is wrong)" : " rows are wrong)");
    return judgement;
  }
  for (int sample = 0; sample < rounding_.sampled_rows && mine_.m > 0; ++sample) {
    const std::uint64_t bits = random_bits(seed_, sample_stream, static_cast<std::uint64_t>(sample));
    const auto row = static_cast<std::int64_t>(bits % static_cast<std::uint64_t>(mine_.m));
    const Fault mine = first_fault_in(row);
    const double column = combined(mine_.all, mine.column, MPI_MIN);
    if (column == nowhere) continue;
    judgement.right = false;
    judgement.explanation = named(mine, static_cast<double>(row), column) + " (found in a sample of rows)";
    return judgement;
  }
  return judgement;
}

}  // namespace

template <class Element>
Judgement judge(const OwnedProduct<Element>& mine, std::uint64_t seed, const Rounding& rounding) {
  return Judge<Element>{mine, seed, rounding}.judgement();
}

template Judgement judge(const OwnedProduct<double>&, std::uint64_t, const Rounding&);
template Judgement judge(const OwnedProduct<float>&, std::uint64_t, const Rounding&);

}  // namespace duet
