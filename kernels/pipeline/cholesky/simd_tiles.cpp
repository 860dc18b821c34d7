// All three operations are one inner loop: 8 columns of a strip of C take the products of 24 rows of A with 8 rows of
// B, index by index,
//
//                  A(0..7, p)    A(8..15, p)   A(16..23, p)         three vectors, contiguous
//       B(0, p)      C(., 0)       C(., 0)        C(., 0)
//        ...                                                        24 sums in registers
//       B(7, p)      C(., 7)       C(., 7)        C(., 7)
//
// which is 11 loads for 24 multiply-adds: the arithmetic units are the limit. B's eight entries are a third of a column
// of its own strip, one cache line of every three, so both operands are read where they are. With narrower vectors a
// strip is cut along its rows into parts of three vectors, and 4 columns fit the registers (3 with two lanes).
//
// An update keeps B's 8 rows in the first-level cache (15 KiB of 240 indices) while A's strips flow past from the
// second level. A solve is the same loop with as many indices as columns are solved already, and then a triangle of
// 8 x 8 in registers; a factorisation is a solve that makes its triangles on the way.

#include <hwy/cache_control.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

#include "kernels/pipeline/cholesky/tile_kernels.hpp"

// Sums are arrays of vectors, which vectors of unknown length cannot form.
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/pipeline/cholesky/simd_tiles.cpp"
#include <hwy/foreach_target.h>
//
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace duet {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;
using Lanes = hn::ScalableTag<double>;
using Vector = hn::Vec<Lanes>;

constexpr std::int64_t lanes = HWY_MAX_BYTES / sizeof(double);
constexpr std::int64_t vectors = 3;
constexpr std::int64_t part = vectors * lanes;
// 8 x 3 sums, 3 vectors of A and a broadcast fill 28 of 32 registers; 4 x 3, 3 and 1 all of 16.
constexpr std::int64_t group = HWY_TARGET <= HWY_AVX3 ? 8 : lanes == 4 ? 4 : 3;
static_assert(strip % part == 0 && strip % group == 0);

/// The sums of one group of columns and one part of a strip.
using Sums = Vector[group][vectors];

/// Lines of C are fetched while products are summed, one each so many indices.
constexpr std::int64_t steps_for_line = 8;

/// sum = A B^T over `depth` indices.
HWY_INLINE void add_steps(const double*& a, const double*& b, std::int64_t depth, Sums& sum) {
  const Lanes d;
#pragma GCC unroll 2
  for (std::int64_t p = 0; p < depth; ++p) {
    Vector row[vectors];
#pragma GCC unroll 3
    for (std::int64_t v = 0; v < vectors; ++v) row[v] = hn::Load(d, a + v * lanes);
#pragma GCC unroll 8
    for (std::int64_t i = 0; i < group; ++i) {
      const Vector entry = hn::Set(d, b[i]);
#pragma GCC unroll 3
      for (std::int64_t v = 0; v < vectors; ++v) sum[i][v] = hn::MulAdd(entry, row[v], sum[i][v]);
    }
    a += strip;
    b += strip;
  }
}

/// sum = A B^T over `depth` indices, while the lines of C are fetched.
HWY_INLINE void sum_products(const double* a, const double* b, std::int64_t depth, const double* c, Sums& sum) {
  const Lanes d;
#pragma GCC unroll 8
  for (std::int64_t i = 0; i < group; ++i) {
#pragma GCC unroll 3
    for (std::int64_t v = 0; v < vectors; ++v) sum[i][v] = hn::Zero(d);
  }
  const std::int64_t fetches = std::min(depth / steps_for_line, group);
  for (std::int64_t fetch = 0; fetch < fetches; ++fetch) {
    for (std::int64_t v = 0; v < vectors; ++v) hwy::Prefetch(c + fetch * strip + v * lanes);
    add_steps(a, b, steps_for_line, sum);
  }
  add_steps(a, b, depth - fetches * steps_for_line, sum);
}

/// C -= sum.
HWY_INLINE void subtract(const Sums& sum, double* c) {
  const Lanes d;
#pragma GCC unroll 8
  for (std::int64_t i = 0; i < group; ++i) {
#pragma GCC unroll 3
    for (std::int64_t v = 0; v < vectors; ++v) {
      double* const at = c + i * strip + v * lanes;
      hn::Store(hn::Sub(hn::Load(d, at), sum[i][v]), d, at);
    }
  }
}

/// X = (X - sum) T^-T for the lower triangle T of a group, whose entry (i, t) stands at triangle[24 t + i], with
/// 1 / T(i, i) at inverse[i].
HWY_INLINE void subtract_and_solve(Sums& sum, const double* triangle, const double* inverse, double* x) {
  const Lanes d;
#pragma GCC unroll 8
  for (std::int64_t i = 0; i < group; ++i) {
#pragma GCC unroll 3
    for (std::int64_t v = 0; v < vectors; ++v) {
      sum[i][v] = hn::Sub(hn::Load(d, x + i * strip + v * lanes), sum[i][v]);
    }
  }
#pragma GCC unroll 8
  for (std::int64_t t = 0; t < group; ++t) {
    const Vector scale = hn::Set(d, inverse[t]);
#pragma GCC unroll 3
    for (std::int64_t v = 0; v < vectors; ++v) {
      sum[t][v] = hn::Mul(sum[t][v], scale);
      hn::Store(sum[t][v], d, x + t * strip + v * lanes);
    }
#pragma GCC unroll 8
    for (std::int64_t i = t + 1; i < group; ++i) {
      const Vector entry = hn::Set(d, triangle[t * strip + i]);
#pragma GCC unroll 3
      for (std::int64_t v = 0; v < vectors; ++v) sum[i][v] = hn::NegMulAdd(entry, sum[t][v], sum[i][v]);
    }
  }
}

/// C -= A B^T for the strips of C from `first` to `last` and the group of columns at `column`.
HWY_INLINE void update_group(const double* a, const double* b, std::int64_t depth, double* c, std::int64_t columns,
                             std::int64_t column, std::int64_t first, std::int64_t last) {
  const double* const rows_of_b = b + column / strip * strip * depth + column % strip;
  for (std::int64_t s = first; s < last; ++s) {
    for (std::int64_t from = 0; from < strip; from += part) {
      double* const at = c + (s * columns + column) * strip + from;
      Sums sum;
      sum_products(a + s * strip * depth + from, rows_of_b, depth, at, sum);
      subtract(sum, at);
    }
  }
}

void update_here(const double* a, const double* b, std::int64_t depth, double* c, std::int64_t rows,
                 std::int64_t columns) {
  for (std::int64_t column = 0; column < columns; column += group) {
    update_group(a, b, depth, c, columns, column, 0, rows / strip);
  }
}

void update_diagonal_here(const double* a, std::int64_t depth, double* c, std::int64_t extent) {
  for (std::int64_t column = 0; column < extent; column += group) {
    update_group(a, a, depth, c, extent, column, column / strip, extent / strip);
  }
}

/// Strips `first` to `last` of X, columns of the group at `column`: the columns before are solved already.
HWY_INLINE void solve_group(const double* l, std::int64_t extent, double* x, std::int64_t column, const double* inverse,
                            std::int64_t first, std::int64_t last) {
  const double* const rows_of_l = l + column / strip * strip * extent + column % strip;
  for (std::int64_t s = first; s < last; ++s) {
    for (std::int64_t from = 0; from < strip; from += part) {
      double* const of_x = x + s * strip * extent + from;
      Sums sum;
      sum_products(of_x, rows_of_l, column, of_x + column * strip, sum);
      subtract_and_solve(sum, rows_of_l + column * strip, inverse, of_x + column * strip);
    }
  }
}

void solve_here(const double* diagonal, std::int64_t extent, double* x, std::int64_t rows) {
  for (std::int64_t column = 0; column < extent; column += group) {
    const double* const triangle = diagonal + (column / strip * extent + column) * strip + column % strip;
    double inverse[group];
    for (std::int64_t i = 0; i < group; ++i) inverse[i] = 1 / triangle[i * strip + i];
    solve_group(diagonal, extent, x, column, inverse, 0, rows / strip);
  }
}

/// The factor of the group whose entry (i, t) stands at triangle[24 t + i], in place. Returns the first bad pivot, or
/// `group`.
std::int64_t factor_triangle(double* triangle, double* inverse) {
  for (std::int64_t t = 0; t < group; ++t) {
    double* const column = triangle + t * strip;
    if (!(column[t] > 0 && column[t] <= std::numeric_limits<double>::max())) return t;
    column[t] = std::sqrt(column[t]);
    inverse[t] = 1 / column[t];
    for (std::int64_t i = t + 1; i < group; ++i) column[i] *= inverse[t];
    for (std::int64_t j = t + 1; j < group; ++j) {
      for (std::int64_t i = j; i < group; ++i) triangle[j * strip + i] -= column[i] * column[j];
    }
  }
  return group;
}

std::int64_t factor_here(double* l, std::int64_t extent) {
  const Lanes d;
  for (std::int64_t column = 0; column < extent; column += group) {
    const std::int64_t s = column / strip;
    const std::int64_t above = column % strip;
    double* const diagonal_strip = l + s * strip * extent;
    double* const columns = diagonal_strip + column * strip;
    for (std::int64_t from = 0; from < strip; from += part) {
      Sums sum;
      sum_products(diagonal_strip + from, diagonal_strip + above, column, columns + from, sum);
      subtract(sum, columns + from);
    }
    // The triangle is factored aside: the rows below it in this strip are still to be solved with it.
    double triangle[group * strip];
    double inverse[group];
    for (std::int64_t t = 0; t < group; ++t) std::copy_n(columns + t * strip + above, group, triangle + t * strip);
    const std::int64_t good = factor_triangle(triangle, inverse);
    if (good < group) return column + good;
    for (std::int64_t from = 0; from < strip; from += part) {
      Sums none;
      for (std::int64_t i = 0; i < group; ++i) {
        for (std::int64_t v = 0; v < vectors; ++v) none[i][v] = hn::Zero(d);
      }
      subtract_and_solve(none, triangle, inverse, columns + from);
    }
    for (std::int64_t t = 0; t < group; ++t) {
      std::fill_n(columns + t * strip, above + t, 0.0);
      std::copy_n(triangle + t * strip + t, group - t, columns + t * strip + above + t);
    }
    solve_group(l, extent, l, column, inverse, s + 1, extent / strip);
  }
  return extent;
}

const char* name_here() { return hwy::TargetName(HWY_TARGET); }

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace duet
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace duet {
namespace {
HWY_EXPORT(factor_here);
HWY_EXPORT(solve_here);
HWY_EXPORT(update_here);
HWY_EXPORT(update_diagonal_here);
HWY_EXPORT(name_here);
}  // namespace

TileKernels simd_tile_kernels() {
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
  return {HWY_DYNAMIC_DISPATCH(name_here)(), &HWY_DYNAMIC_DISPATCH(factor_here), &HWY_DYNAMIC_DISPATCH(solve_here),
          &HWY_DYNAMIC_DISPATCH(update_here), &HWY_DYNAMIC_DISPATCH(update_diagonal_here)};
}

const TileKernels& tile_kernels() {
  static const TileKernels kernels = simd_tile_kernels();
  return kernels;
}

}  // namespace duet
#endif
