#include "kernels/data_decomposition/stencil/verify.hpp"

#include <omp.h>
#include <xxhash.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numeric>
#include <sstream>
#include <stdexcept>
#include <utility>

#include "kernels/core/digest.hpp"
#include "kernels/core/mpi.hpp"
#include "kernels/core/random.hpp"

namespace duet {
namespace {

constexpr std::uint32_t frequency_stream = 101;
constexpr std::uint32_t cone_stream = 103;

/// Points that are summed one after the other before the sum goes to the next larger one.
constexpr std::int64_t summation_block = 256;

/// Cones of a rank: at most so many, and not so many that they take more updates of a point than this.
constexpr std::int64_t most_cones = 32;
constexpr double most_cone_work = 2e7;

constexpr double unit_roundoff = std::numeric_limits<double>::epsilon() / 2;
double gamma(double k) { return k * unit_roundoff / (1 - k * unit_roundoff); }

std::size_t index(std::int64_t i) { return static_cast<std::size_t>(i); }

void combine(MPI_Comm ranks, double* values, std::int64_t count, MPI_Op operation) {
  if (ranks == MPI_COMM_NULL) return;
  pieces_of(count, [&](std::int64_t offset, int piece) {
    check(MPI_Allreduce(MPI_IN_PLACE, values + offset, piece, MPI_DOUBLE, operation, ranks));
  });
}
void combine(MPI_Comm ranks, std::vector<double>& values, MPI_Op operation) {
  combine(ranks, values.data(), std::ssize(values), operation);
}
std::int64_t combined(MPI_Comm ranks, std::int64_t value, MPI_Op operation) {
  if (ranks != MPI_COMM_NULL) check(MPI_Allreduce(MPI_IN_PLACE, &value, 1, MPI_INT64_T, operation, ranks));
  return value;
}

bool same_bits(double one, double other) {
  return std::bit_cast<std::uint64_t>(one) == std::bit_cast<std::uint64_t>(other);
}

/// error / bound, where "nothing" is right and what is not a number is as wrong as can be.
double ratio_of(double error, double bound) {
  if (error == 0) return 0;
  if (!(error < std::numeric_limits<double>::infinity())) return std::numeric_limits<double>::infinity();
  return error / bound;
}

}  // namespace

StencilJudge::StencilJudge(GridShape shape, const Sweeps& sweeps, InitialGrid initial, Region owned, std::uint64_t seed,
                           const Judges& judges)
    : shape_{shape},
      sweeps_{sweeps},
      initial_{std::move(initial)},
      owned_{owned},
      interior_{interior_of(shape.rows, shape.columns, sweeps.star.radius)},
      seed_{seed},
      judges_{judges} {
  rows_ = {.lines = shape.rows, .changing = interior_.rows, .along = interior_.columns.size()};
  columns_ = {.lines = shape.columns, .changing = interior_.columns, .along = interior_.rows.size()};
  if (interior_.empty() || sweeps.count == 0) interior_ = {};
}

void StencilJudge::choose_modes(Direction& direction, std::uint64_t stream) const {
  for (std::size_t m = 0; m < mode_count; ++m) {
    const auto n = static_cast<std::uint64_t>(direction.along);
    std::uint64_t frequency = random_bits(seed_, frequency_stream, stream, m) % n + 1;
    while (std::gcd(frequency, n + 1) != 1) frequency = frequency % n + 1;
    direction.modes[m] = mode_near(direction.along, sweeps_.star, static_cast<std::int64_t>(frequency));
  }
}

// The sums of b_j u(i, j) over each row i, and of a_i u(i, j) over each column j, over all ranks.
template <class RowAt>
StencilJudge::Projections StencilJudge::project(RowAt&& row_at) const {
  Projections all;
  for (std::vector<double>& sums : all.of_rows) sums.assign(index(shape_.rows), 0);
  for (std::vector<double>& sums : all.of_columns) sums.assign(index(shape_.columns), 0);
  const Range changing = common_part(interior_.columns, owned_.columns);
  const std::int64_t width = owned_.columns.size();
  const double* const b0 = rows_.modes[0].values.data() - interior_.columns.begin;
  const double* const b1 = rows_.modes[1].values.data() - interior_.columns.begin;
#pragma omp parallel num_threads(judges_.threads) default(none) shared(row_at, all) \
    firstprivate(changing, width, b0, b1)
  {
    const Range mine =
        shifted(share_of(owned_.rows.size(), omp_get_num_threads(), omp_get_thread_num()), owned_.rows.begin);
    std::vector<double> room(index(width));
    Sums block;
    Sums mine_of_columns;
    for (std::vector<double>& sums : mine_of_columns) sums.assign(index(width), 0);
    double largest = 0;
    for (std::int64_t begin = mine.begin; begin < mine.end && width > 0; begin += summation_block) {
      for (std::vector<double>& sums : block) sums.assign(index(width), 0);
      double* const z0 = block[0].data() - owned_.columns.begin;
      double* const z1 = block[1].data() - owned_.columns.begin;
      for (std::int64_t row = begin; row < std::min(mine.end, begin + summation_block); ++row) {
        const double* const u = row_at(row, room.data()) - owned_.columns.begin;
        for (std::int64_t from = changing.begin; from < changing.end; from += summation_block) {
          const std::int64_t end = std::min(changing.end, from + summation_block);
          double w0 = 0;
          double w1 = 0;
#pragma omp simd reduction(+ : w0, w1)
          for (std::int64_t j = from; j < end; ++j) {
            w0 += b0[j] * u[j];
            w1 += b1[j] * u[j];
          }
          all.of_rows[0][index(row)] += w0;
          all.of_rows[1][index(row)] += w1;
        }
        const bool changes = interior_.rows.contains(row);
        const double a0 = changes ? columns_.modes[0].values[index(row - interior_.rows.begin)] : 0;
        const double a1 = changes ? columns_.modes[1].values[index(row - interior_.rows.begin)] : 0;
        // What is not finite stays so in the sums, and is found there.
        double most = 0;
#pragma omp simd reduction(max : most)
        for (std::int64_t j = owned_.columns.begin; j < owned_.columns.end; ++j) {
          z0[j] += a0 * u[j];
          z1[j] += a1 * u[j];
          most = std::max(most, std::abs(u[j]));
        }
        largest = std::max(largest, most);
      }
      for (std::size_t m = 0; m < mode_count; ++m) {
        for (std::size_t j = 0; j < block[m].size(); ++j) mine_of_columns[m][j] += block[m][j];
      }
    }
#pragma omp critical(duet_stencil_projections)
    {
      for (std::size_t m = 0; m < mode_count; ++m) {
        for (std::size_t j = 0; j < mine_of_columns[m].size(); ++j) {
          all.of_columns[m][index(owned_.columns.begin) + j] += mine_of_columns[m][j];
        }
      }
      all.largest = std::max(all.largest, largest);
    }
  }
  for (std::size_t m = 0; m < mode_count; ++m) {
    combine(judges_.ranks, all.of_rows[m], MPI_SUM);
    combine(judges_.ranks, all.of_columns[m], MPI_SUM);
  }
  combine(judges_.ranks, &all.largest, 1, MPI_MAX);
  return all;
}

// s steps of the recurrence, and the bound for what comes out.
void StencilJudge::recur(Direction& direction, Sums sums, bool rows_run_along) const {
  const std::int64_t r = sweeps_.star.radius;
  const auto s = static_cast<double>(sweeps_.count);
  const std::int64_t behind = r + direction.along;
  for (std::size_t m = 0; m < mode_count; ++m) {
    const Mode& mode = direction.modes[m];
    std::vector<double> g(index(direction.lines), 0);
    for (std::int64_t line = direction.changing.begin; line < direction.changing.end; ++line) {
      const auto point = [&](std::int64_t k) { return rows_run_along ? initial_(line, k) : initial_(k, line); };
      for (std::int64_t k = 0; k < r; ++k) {
        g[index(line)] += mode.before[index(k)] * point(k) + mode.behind[index(k)] * point(behind + k);
      }
    }
    std::vector<double>& w = sums[m];
    std::vector<double> next = w;
    for (std::int64_t sweep = 0; sweep < sweeps_.count; ++sweep) {
      for (std::int64_t i = direction.changing.begin; i < direction.changing.end; ++i) {
        double sum = mode.factor * w[index(i)] + g[index(i)];
        for (std::int64_t d = 1; d <= r; ++d) sum += sweeps_.star.weight(d) * (w[index(i - d)] + w[index(i + d)]);
        next[index(i)] = sum;
      }
      std::swap(w, next);
    }
    direction.expected[m] = std::move(w);
    const double roundings = static_cast<double>(summation_block) + 16 +
                             static_cast<double>(direction.along) / summation_block +
                             static_cast<double>(judges_.threads + size_of(judges_.ranks));
    const double radius = static_cast<double>(r);
    const double magnitude = mode.magnitude + mode.edge_magnitude;
    // What underflows loses up to DBL_MIN u each time; DBL_MIN itself covers that.
    const double underflow = static_cast<double>(direction.along + 1) * (s + 1) * std::numeric_limits<double>::min();
    direction.bounds[m] = 2 * magnitude * largest_ * (3 * s * gamma(2 * radius + 6) + 2 * gamma(roundings)) +
                          2 * s * largest_ * mode.rest + underflow;
  }
}

void StencilJudge::expect() {
  if (is_expecting_) return;
  if (!interior_.empty()) {
    choose_modes(rows_, 0);
    choose_modes(columns_, 1);
    Projections before = project([this](std::int64_t row, double* room) -> const double* {
      for (std::int64_t j = owned_.columns.begin; j < owned_.columns.end; ++j) {
        room[j - owned_.columns.begin] = initial_(row, j);
      }
      return room;
    });
    largest_ = before.largest;
    bool finite = largest_ <= std::numeric_limits<double>::max();
    for (const Sums* sums : {&before.of_rows, &before.of_columns}) {
      for (const std::vector<double>& of_mode : *sums) {
        finite = finite && std::ranges::all_of(of_mode, [](double value) { return std::isfinite(value); });
      }
    }
    if (!finite)
      throw std::invalid_argument("a grid with infinities, NaN or sums beyond the largest double cannot be judged");
    recur(rows_, std::move(before.of_rows), true);
    recur(columns_, std::move(before.of_columns), false);
  }
  is_expecting_ = true;
}

StencilJudge::Comparison StencilJudge::compare(const Direction& direction, const Sums& found) {
  Comparison comparison;
  double worst = -1;
  for (std::int64_t line = direction.changing.begin; line < direction.changing.end; ++line) {
    bool is_right = true;
    for (std::size_t m = 0; m < mode_count; ++m) {
      const double error = std::abs(found[m][index(line)] - direction.expected[m][index(line)]);
      const double ratio = ratio_of(error, direction.bounds[m]);
      if (ratio > worst) {
        worst = ratio;
        comparison.error = error;
        comparison.bound = direction.bounds[m];
      }
      is_right = is_right && ratio <= 1;
    }
    if (is_right) continue;
    if (comparison.wrong == 0) comparison.first_wrong = line;
    comparison.wrong += 1;
  }
  return comparison;
}

StencilJudge::Fault StencilJudge::first_changed_in_frame(ConstView answer) const {
  const auto changed_in = [&](std::int64_t row, const Range& columns) -> Fault {
    for (std::int64_t column = columns.begin; column < columns.end; ++column) {
      const double found = answer(row - owned_.rows.begin, column - owned_.columns.begin);
      const double right = initial_(row, column);
      if (!same_bits(found, right)) return {row, column, found, right};
    }
    return {};
  };
  const Range changing = common_part(interior_.columns, owned_.columns);
  for (std::int64_t row = owned_.rows.begin; row < owned_.rows.end; ++row) {
    const bool is_fixed = changing.empty() || !interior_.rows.contains(row);
    Fault fault = changed_in(row, {owned_.columns.begin, is_fixed ? owned_.columns.end : changing.begin});
    if (fault.row < 0 && !is_fixed) fault = changed_in(row, {changing.end, owned_.columns.end});
    if (fault.row >= 0) return fault;
  }
  return {};
}

double StencilJudge::cone_work() const {
  const double side = 2 * static_cast<double>(sweeps_.star.radius) * static_cast<double>(sweeps_.count) + 1;
  return std::min(side, static_cast<double>(shape_.rows)) * std::min(side, static_cast<double>(shape_.columns)) *
         static_cast<double>(sweeps_.count) * static_cast<double>(sweeps_.star.radius);
}

double StencilJudge::cone_bound() const {
  const auto s = static_cast<double>(sweeps_.count);
  const auto r = static_cast<double>(sweeps_.star.radius);
  return 4 * s * gamma(4 * r + 2) * largest_ + (s + 1) * std::numeric_limits<double>::min();
}

// Level by level by the definition, from the square of all points within reach.
double StencilJudge::cone_of(std::int64_t row, std::int64_t column) const {
  const std::int64_t r = sweeps_.star.radius;
  const Region grid{{0, shape_.rows}, {0, shape_.columns}};
  const auto reach = [&](std::int64_t levels) {
    return common_part(Region{widened({row, row + 1}, r * levels), widened({column, column + 1}, r * levels)}, grid);
  };
  const Region all = reach(sweeps_.count);
  Matrix<double> before(all.rows.size(), all.columns.size());
  for (std::int64_t i = all.rows.begin; i < all.rows.end; ++i) {
    for (std::int64_t j = all.columns.begin; j < all.columns.end; ++j) {
      before.view()(i - all.rows.begin, j - all.columns.begin) = initial_(i, j);
    }
  }
  Matrix<double> after(all.rows.size(), all.columns.size());
  std::copy_n(before.data(), all.points(), after.data());
  for (std::int64_t level = 1; level <= sweeps_.count; ++level) {
    const Region part = common_part(reach(sweeps_.count - level), interior_);
    for (std::int64_t i = part.rows.begin; i < part.rows.end; ++i) {
      for (std::int64_t j = part.columns.begin; j < part.columns.end; ++j) {
        const double* const centre = &before.view()(i - all.rows.begin, j - all.columns.begin);
        double sum = 0;
        for (std::int64_t d = 1; d <= r; ++d) {
          const std::int64_t rows = d * all.columns.size();
          sum += sweeps_.star.weight(d) * (centre[-rows] + centre[rows] + centre[-d] + centre[d]);
        }
        after.view()(i - all.rows.begin, j - all.columns.begin) = sum;
      }
    }
    std::swap(before, after);
  }
  return before.view()(row - all.rows.begin, column - all.columns.begin);
}

StencilJudge::Fault StencilJudge::first_wrong_cone(ConstView answer, Comparison& cones) const {
  const Region mine = common_part(owned_, interior_);
  if (mine.empty()) return {};
  const auto count = static_cast<std::int64_t>(std::min<double>(most_cones, most_cone_work / cone_work()));
  const auto draw = [&](std::int64_t cone, std::uint64_t which) {
    return random_bits(seed_, cone_stream, static_cast<std::uint64_t>(cone),
                       which + 8 * static_cast<std::uint64_t>(rank_in(judges_.ranks)));
  };
  // A position in the range, or within the radius of its ends.
  const auto anywhere = [](const Range& range, std::uint64_t bits) {
    return range.begin + static_cast<std::int64_t>(bits % static_cast<std::uint64_t>(range.size()));
  };
  const auto beside_an_end = [&](const Range& range, std::uint64_t bits) {
    const auto from_end = static_cast<std::int64_t>((bits >> 1U) % static_cast<std::uint64_t>(sweeps_.star.radius));
    const std::int64_t near = std::min(from_end, range.size() - 1);
    return bits % 2 == 0 ? range.begin + near : range.end - 1 - near;
  };
  Fault first;
  for (std::int64_t cone = 0; cone < count; ++cone) {
    const bool rows_at_end = cone % 4 == 1 || cone % 4 == 3;
    const bool columns_at_end = cone % 4 >= 2;
    const std::int64_t row = rows_at_end ? beside_an_end(mine.rows, draw(cone, 0)) : anywhere(mine.rows, draw(cone, 0));
    const std::int64_t column =
        columns_at_end ? beside_an_end(mine.columns, draw(cone, 1)) : anywhere(mine.columns, draw(cone, 1));
    const double found = answer(row - owned_.rows.begin, column - owned_.columns.begin);
    const double right = cone_of(row, column);
    const double error = std::abs(found - right);
    if (!(ratio_of(error, cone_bound()) <= ratio_of(cones.error, cone_bound()))) cones.error = error;
    if (ratio_of(error, cone_bound()) <= 1) continue;
    cones.wrong += 1;
    if (first.row < 0) first = {row, column, found, right, cone_bound()};
  }
  return first;
}

// The first fault of all ranks in the order of rows; empty where there is none. Collective.
std::string StencilJudge::named(const Fault& mine) const {
  constexpr std::int64_t nowhere = std::numeric_limits<std::int64_t>::max();
  const std::int64_t row = combined(judges_.ranks, mine.row < 0 ? nowhere : mine.row, MPI_MIN);
  if (row == nowhere) return {};
  const std::int64_t column = combined(judges_.ranks, mine.row == row ? mine.column : nowhere, MPI_MIN);
  const bool is_finder = mine.row == row && mine.column == column;
  const std::int64_t finder = combined(judges_.ranks, is_finder ? rank_in(judges_.ranks) : -1, MPI_MAX);
  std::array<double, 3> values{mine.found, mine.right, mine.bound};
  if (judges_.ranks != MPI_COMM_NULL) {
    check(MPI_Bcast(values.data(), 3, MPI_DOUBLE, static_cast<int>(finder), judges_.ranks));
  }
  std::ostringstream text;
  text.precision(17);
  text << "point (" << row << ", " << column << ") is " << values[0] << " where " << values[1];
  text.precision(3);
  if (values[2] > 0) text << " +- " << values[2];
  text << " is right; process " << finder << " computed it";
  return text.str();
}

Judgement StencilJudge::judge(ConstView answer) {
  if (answer.rows != owned_.rows.size() || answer.columns != owned_.columns.size()) {
    throw std::invalid_argument("an answer of " + std::to_string(answer.rows) + " x " + std::to_string(answer.columns) +
                                " points where " + std::to_string(owned_.rows.size()) + " x " +
                                std::to_string(owned_.columns.size()) + " are owned");
  }
  expect();
  if (std::string text = named(first_changed_in_frame(answer)); !text.empty()) {
    return {.right = false, .explanation = text + ", of the frame that never changes"};
  }
  if (interior_.empty()) return {.right = true};

  const Projections found = project([&](std::int64_t row, double* /*room*/) -> const double* {
    return answer.data + (row - owned_.rows.begin) * answer.stride;
  });
  const Comparison rows = compare(rows_, found.of_rows);
  const Comparison columns = compare(columns_, found.of_columns);
  const bool rows_are_worse = ratio_of(rows.error, rows.bound) >= ratio_of(columns.error, columns.bound);
  Judgement judgement{.right = rows.wrong == 0 && columns.wrong == 0,
                      .error = rows_are_worse ? rows.error : columns.error,
                      .bound = rows_are_worse ? rows.bound : columns.bound};
  // Where a row and a column are wrong, the point they meet in is the first to be looked at.
  Comparison cones;
  Fault fault;
  if (rows.wrong > 0 && columns.wrong > 0 && cone_work() <= most_cone_work &&
      owned_.contains(rows.first_wrong, columns.first_wrong)) {
    const double value = answer(rows.first_wrong - owned_.rows.begin, columns.first_wrong - owned_.columns.begin);
    const double right = cone_of(rows.first_wrong, columns.first_wrong);
    if (!(std::abs(value - right) <= cone_bound())) {
      fault = {rows.first_wrong, columns.first_wrong, value, right, cone_bound()};
    }
  }
  if (fault.row < 0) fault = first_wrong_cone(answer, cones);
  const std::string text = named(fault);
  if (judgement.right && text.empty()) return judgement;
  judgement.right = false;
  judgement.explanation = text;
  const auto lines = [](const Comparison& of, const char* what) {
    return std::to_string(of.wrong) + " " + what + (of.wrong == 1 ? " is" : "s are") + " wrong";
  };
  if (text.empty()) {
    const bool is_row = rows.wrong > 0;
    judgement.explanation = std::string{is_row ? "row " : "column "} +
                            std::to_string(is_row ? rows.first_wrong : columns.first_wrong) +
                            " is wrong by more than rounding allows";
  }
  judgement.explanation += " (" + lines(rows, "row") + ", " + lines(columns, "column") + " by their modes)";
  return judgement;
}

std::string digest_of_grid(ConstView answer, const Region& owned, const Judges& judges) {
  std::uint64_t sum = 0;
#pragma omp parallel for num_threads(judges.threads) default(none) shared(answer, owned) reduction(+ : sum)
  for (std::int64_t row = 0; row < answer.rows; ++row) {
    for (std::int64_t column = 0; column < answer.columns; ++column) {
      const std::array<std::uint64_t, 3> point{std::bit_cast<std::uint64_t>(answer(row, column)),
                                               static_cast<std::uint64_t>(owned.rows.begin + row),
                                               static_cast<std::uint64_t>(owned.columns.begin + column)};
      sum += XXH3_64bits(point.data(), sizeof point);
    }
  }
  return digest_text(summed(sum, judges.ranks));
}

}  // namespace duet
