#include "kernels/mapping/matrix_batch/verify.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <mutex>
#include <sstream>
#include <type_traits>
#include <vector>

#include "kernels/core/digest.hpp"
#include "kernels/core/mpi.hpp"
#include "kernels/core/random.hpp"
#include "kernels/mapping/schedule/findings.hpp"

namespace duet {
namespace {

constexpr std::uint32_t vector_stream = 16;  // 0, 1 and 2 are operands and shapes
constexpr std::int64_t most_plain_multiplications = 1 << 17;

double gamma(double operations, double unit_roundoff) {
  return operations * unit_roundoff / (1 - operations * unit_roundoff);
}

template <class Element>
constexpr double unit_roundoff = std::numeric_limits<Element>::epsilon() / 2;

std::size_t index(std::int64_t i) { return static_cast<std::size_t>(i); }

template <class Element>
class ProductJudge {
 public:
  using Operator = MatrixView<const Element>;

  ProductJudge(Operator a, Operator b, Operator c, Deviation& worst) : a_{a}, b_{b}, c_{c}, worst_{worst} {}

  [[nodiscard]] std::optional<std::string> objection(std::uint64_t seed, std::int64_t item) {
    if (a_.rows * b_.columns * a_.columns <= most_plain_multiplications || !is_finite(a_) || !is_finite(b_)) {
      return plain_objection({0, c_.rows});
    }
    return row_objection(seed, item);
  }

 private:
  static bool is_finite(Operator view) {
    for (std::int64_t i = 0; i < view.rows; ++i) {
      const Element* const row = &view(i, 0);
      // x - x is 0 but where x is not finite.
      Element sum = 0;
#pragma omp simd reduction(+ : sum)
      for (std::int64_t j = 0; j < view.columns; ++j) sum += row[j] - row[j];
      if (!(sum == 0)) return false;
    }
    return true;
  }

  // Each of so many products may lose half the smallest subnormal where it underflows; the smallest normal number times
  // the unit roundoff is as much.
  [[nodiscard]] static double underflow(double products) {
    return products * static_cast<double>(std::numeric_limits<Element>::min());
  }

  /// Every entry of `rows` against a plain sum.
  [[nodiscard]] std::optional<std::string> plain_objection(Range rows) {
    const auto k = static_cast<double>(a_.columns);
    const double factor = gamma(k, unit_roundoff<Element>) + gamma(k + 2, unit_roundoff<double>);
    std::vector<double> sums(index(c_.columns));
    std::vector<double> magnitudes(index(c_.columns));
    for (std::int64_t i = rows.begin; i < rows.end; ++i) {
      std::ranges::fill(sums, 0);
      std::ranges::fill(magnitudes, 0);
      for (std::int64_t p = 0; p < a_.columns; ++p) {
        const double entry = a_(i, p);
        for (std::int64_t j = 0; j < c_.columns; ++j) {
          sums[index(j)] += entry * b_(p, j);
          magnitudes[index(j)] += std::abs(entry * b_(p, j));
        }
      }
      for (std::int64_t j = 0; j < c_.columns; ++j) {
        const double right = sums[index(j)];
        const double found = c_(i, j);
        const double bound = factor * (magnitudes[index(j)] + underflow(k));
        if (!is_like(found, right, magnitudes[index(j)], bound)) return said(i, j, found, right, bound);
        if (std::isfinite(right) && std::isfinite(found)) see({std::abs(found - right), bound});
      }
    }
    return std::nullopt;
  }

  /// `magnitude`: of the products that were summed up, beyond the largest number where the sum may overflow on its way.
  [[nodiscard]] static bool is_like(double found, double right, double magnitude, double bound) {
    if (std::isnan(right)) return std::isnan(found);
    const bool may_overflow = !(magnitude < static_cast<double>(std::numeric_limits<Element>::max()) / 4);
    if (std::isinf(right)) return found == right;
    return may_overflow || std::abs(found - right) <= bound;
  }

  [[nodiscard]] std::optional<std::string> row_objection(std::uint64_t seed, std::int64_t item) {
    constexpr int vectors = 2;
    const std::int64_t n = c_.columns;
    const std::int64_t k = a_.columns;
    std::array<std::vector<double>, vectors> x;
    for (int v = 0; v < vectors; ++v) {
      x[index(v)].resize(index(n));
      for (std::int64_t j = 0; j < n; ++j) {
        const double entry = random_entry(seed, vector_stream + static_cast<std::uint32_t>(v), item, j);
        x[index(v)][index(j)] = std::copysign(0.5 + 0.499 * std::abs(entry), entry);
      }
    }
    // y = B x, t = |B||x|; then z = A y, s = |A| t and w = C x, row by row.
    std::vector<double> y0(index(k));
    std::vector<double> y1(index(k));
    std::vector<double> t(index(k));
    for (std::int64_t p = 0; p < k; ++p) {
      const Sums sums = row_sums(&b_(p, 0), x[0].data(), x[1].data(), nullptr, n);
      y0[index(p)] = sums.first;
      y1[index(p)] = sums.second;
      t[index(p)] = sums.magnitude;
    }
    const auto terms = static_cast<double>(n + k);
    const double factor =
        gamma(static_cast<double>(k), unit_roundoff<Element>) + 2 * gamma(terms + 2, unit_roundoff<double>);
    const double lost = underflow(static_cast<double>(n) * static_cast<double>(k) + terms);
    for (std::int64_t i = 0; i < c_.rows; ++i) {
      const Sums z = row_sums(&a_(i, 0), y0.data(), y1.data(), t.data(), k);
      const Sums w = row_sums(&c_(i, 0), x[0].data(), x[1].data(), nullptr, n);
      const Deviation off{std::max(std::abs(w.first - z.first), std::abs(w.second - z.second)),
                          factor * (z.magnitude + lost)};
      const bool may_overflow = !(z.magnitude < static_cast<double>(std::numeric_limits<Element>::max()) / 4);
      if (may_overflow || off.error <= off.bound) {
        if (std::isfinite(off.error)) see(off);
        continue;
      }
      if (auto objection = plain_objection({i, i + 1})) return objection;
      return "row " + std::to_string(i) + " of C is wrong by more than rounding allows";
    }
    return std::nullopt;
  }

  struct Sums {
    double first = 0;
    double second = 0;
    double magnitude = 0;
  };
  /// A row times two vectors, and its magnitudes times `weights`, or 1 where there are none.
  static Sums row_sums(const Element* row, const double* x0, const double* x1, const double* weights,
                       std::int64_t count) {
    double first = 0;
    double second = 0;
    double magnitude = 0;
    if (weights == nullptr) {
#pragma omp simd reduction(+ : first, second, magnitude)
      for (std::int64_t j = 0; j < count; ++j) {
        const double entry = row[j];
        first += entry * x0[j];
        second += entry * x1[j];
        magnitude += std::abs(entry);
      }
    } else {
#pragma omp simd reduction(+ : first, second, magnitude)
      for (std::int64_t j = 0; j < count; ++j) {
        const double entry = row[j];
        first += entry * x0[j];
        second += entry * x1[j];
        magnitude += std::abs(entry) * weights[j];
      }
    }
    return {first, second, magnitude};
  }

  void see(const Deviation& off) {
    if (off.exceeds(worst_) || (worst_.bound == 0 && worst_.error == 0)) worst_ = off;
  }

  static std::string said(std::int64_t row, std::int64_t column, double found, double right, double bound) {
    std::ostringstream text;
    text.precision(17);
    text << "C(" << row << ", " << column << ") is " << found << " where " << right;
    text.precision(3);
    text << " +- " << bound << " is right";
    return text.str();
  }

  Operator a_;
  Operator b_;
  Operator c_;
  Deviation& worst_;
};

std::string shape_text(std::int64_t rows, std::int64_t columns) {
  return std::to_string(rows) + " x " + std::to_string(columns);
}

/// The relatively largest deviation of all ranks, on all ranks.
Deviation largest_of_ranks(Deviation mine, MPI_Comm communicator) {
  if (communicator == MPI_COMM_NULL) return mine;
  struct {
    double ratio = 0;
    int rank = 0;
  } worst;
  worst.ratio = mine.bound > 0 ? mine.error / mine.bound : 0;
  worst.rank = rank_in(communicator);
  check(MPI_Allreduce(MPI_IN_PLACE, &worst, 1, MPI_DOUBLE_INT, MPI_MAXLOC, communicator));
  std::array<double, 2> both{mine.error, mine.bound};
  check(MPI_Bcast(both.data(), 2, MPI_DOUBLE, worst.rank, communicator));
  return {both[0], both[1]};
}

}  // namespace

template <class Element>
std::optional<std::string> objection_to_product(MatrixView<const Element> a, MatrixView<const Element> b,
                                                MatrixView<const Element> c, std::uint64_t seed, std::int64_t item,
                                                Deviation& worst) {
  if (c.rows != a.rows || c.columns != b.columns) {
    return "C is " + shape_text(c.rows, c.columns) + "; " + shape_text(a.rows, b.columns) + " is right";
  }
  return ProductJudge<Element>{a, b, c, worst}.objection(seed, item);
}

template <class Element>
Judgement judge_matrix_batch(const MatrixBatch& batch, std::span<const BatchTask> tasks,
                             std::span<const ComputedTask<Element>> computed, std::uint64_t seed,
                             const Execution& execution) {
  const MPI_Comm communicator = execution.communicator;
  std::vector<Range> found;
  for (const ComputedTask<Element>& each : computed) found.push_back({each.task, each.task + 1});
  Finding not_once = first_not_once(std::ssize(tasks), found, communicator);
  if (!not_once.none()) {
    const BatchTask& its = tasks[index(not_once.item)];
    not_once = {its.items.begin, "its block at (" + std::to_string(its.rows.begin) + ", " +
                                     std::to_string(its.columns.begin) + ") " + not_once.explanation};
  }

  Deviation worst;
  std::mutex mutex;
  const auto look = [&](std::size_t at, Finding& mine) {
    const auto& [task, run] = computed[at];
    if (task < 0 || task >= std::ssize(tasks)) {
      mine = {batch.count(), "task " + std::to_string(task) + " is not in the batch"};
      return;
    }
    const BatchTask& its = tasks[index(task)];
    const std::int64_t m = its.rows.size();
    const std::int64_t n = its.columns.size();
    const std::int64_t k = batch[its.items.begin].k;
    if (run.count != its.items.size()) {
      mine = {its.items.begin,
              "is one of " + std::to_string(run.count) + " products in place of " + std::to_string(its.items.size())};
      return;
    }
    Matrix<Element> a{m, k};
    Matrix<Element> b{k, n};
    Deviation worst_here;
    for (std::int64_t item = its.items.begin; item < its.items.end && item < mine.item; ++item) {
      fill_operand(batch, item, Factor::a, its.rows.begin, 0, a.view());
      fill_operand(batch, item, Factor::b, 0, its.columns.begin, b.view());
      const MatrixView<const Element> c = run.products(item - its.items.begin, 1).c;
      auto objection = objection_to_product<Element>(a.view(), b.view(), c, seed, item, worst_here);
      if (!objection) continue;
      if (its.is_part_of(batch[item])) {
        *objection += " (block at " + std::to_string(its.rows.begin) + ", " + std::to_string(its.columns.begin) + ")";
      }
      mine = {item, *std::move(objection)};
    }
    const std::scoped_lock lock{mutex};
    if (worst_here.exceeds(worst) || worst.bound == 0) worst = worst_here;
  };
  Finding wrong = least_of_ranks(first_wrong_of(computed.size(), look, execution), communicator);
  if (not_once.item < wrong.item) wrong = not_once;
  worst = largest_of_ranks(worst, communicator);
  Judgement judgement{.right = wrong.none(), .error = worst.error, .bound = worst.bound};
  if (!wrong.none()) judgement.explanation = "item " + std::to_string(wrong.item) + ": " + wrong.explanation;
  return judgement;
}

template <class Element>
std::string digest_of_matrix_batch(std::span<const BatchTask> tasks, std::span<const ComputedTask<Element>> computed,
                                   MPI_Comm communicator) {
  using Bits = std::conditional_t<sizeof(Element) == 8, std::uint64_t, std::uint32_t>;
  std::uint64_t sum = 0;
  for (const auto& [task, run] : computed) {
    const BatchTask& its = tasks[index(task)];
    for (std::int64_t product = 0; product < run.count; ++product) {
      const MatrixView<const Element> c = run.products(product, 1).c;
      const std::uint64_t of_item = hash_of(static_cast<std::uint64_t>(its.items.begin + product));
      for (std::int64_t i = 0; i < c.rows; ++i) {
        const std::uint64_t of_row = hash_of(of_item + static_cast<std::uint64_t>(its.rows.begin + i));
        for (std::int64_t j = 0; j < c.columns; ++j) {
          const std::uint64_t place = hash_of(of_row + static_cast<std::uint64_t>(its.columns.begin + j));
          sum += hash_of(place ^ std::bit_cast<Bits>(c(i, j)));
        }
      }
    }
  }
  return digest_text(summed(sum, communicator));
}

template std::optional<std::string> objection_to_product(MatrixView<const double>, MatrixView<const double>,
                                                         MatrixView<const double>, std::uint64_t, std::int64_t,
                                                         Deviation&);
template std::optional<std::string> objection_to_product(MatrixView<const float>, MatrixView<const float>,
                                                         MatrixView<const float>, std::uint64_t, std::int64_t,
                                                         Deviation&);
template Judgement judge_matrix_batch(const MatrixBatch&, std::span<const BatchTask>,
                                      std::span<const ComputedTask<double>>, std::uint64_t, const Execution&);
template Judgement judge_matrix_batch(const MatrixBatch&, std::span<const BatchTask>,
                                      std::span<const ComputedTask<float>>, std::uint64_t, const Execution&);
template std::string digest_of_matrix_batch(std::span<const BatchTask>, std::span<const ComputedTask<double>>,
                                            MPI_Comm);
template std::string digest_of_matrix_batch(std::span<const BatchTask>, std::span<const ComputedTask<float>>, MPI_Comm);

}  // namespace duet
