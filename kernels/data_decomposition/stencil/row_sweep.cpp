// Compiled without contraction of products and sums into fused operations (see CMakeLists.txt): all instruction sets
// give the same bits.

#include "kernels/data_decomposition/stencil/row_sweep.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

#include <hwy/cache_control.h>

// Weights are held in arrays of vectors, which vectors of unknown length cannot form.
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/data_decomposition/stencil/row_sweep.cpp"
#include <hwy/foreach_target.h>
//
#include <hwy/highway.h>

#include "kernels/core/simd_target.hpp"

HWY_BEFORE_NAMESPACE();
namespace duet {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;
using Lanes = hn::ScalableTag<double>;
using Vector = hn::Vec<Lanes>;

constexpr std::int64_t lanes = static_cast<std::int64_t>(HWY_MAX_BYTES / sizeof(double));

/// What the points of a row are computed from. `fixed` is the radius, or 0 where it is known at run time only.
template <int fixed>
struct Source {
  const double* const* rows;
  const Star& star;

  [[nodiscard]] HWY_INLINE std::int64_t radius() const { return fixed > 0 ? fixed : star.radius; }

  // w_d ((N + S) + (W + E))
  [[nodiscard]] HWY_INLINE Vector share_of_distance(std::int64_t d, std::int64_t x) const {
    const Lanes all;
    const std::int64_t r = radius();
    const Vector column = hn::Add(hn::LoadU(all, rows[r - d] + x), hn::LoadU(all, rows[r + d] + x));
    const Vector row = hn::Add(hn::LoadU(all, rows[r] + x - d), hn::LoadU(all, rows[r] + x + d));
    return hn::Mul(hn::Set(all, star.weights[static_cast<std::size_t>(d - 1)]), hn::Add(column, row));
  }
  [[nodiscard]] HWY_INLINE Vector points(std::int64_t x) const {
    Vector sum = share_of_distance(1, x);
    for (std::int64_t d = 2; d <= radius(); ++d) sum = hn::Add(sum, share_of_distance(d, x));
    return sum;
  }
  [[nodiscard]] HWY_INLINE double point(std::int64_t x) const {
    const std::int64_t r = radius();
    double sum = 0;
    for (std::int64_t d = 1; d <= r; ++d) {
      const double column = rows[r - d][x] + rows[r + d][x];
      const double row = rows[r][x - d] + rows[r][x + d];
      const double share = star.weights[static_cast<std::size_t>(d - 1)] * (column + row);
      sum = d == 1 ? share : sum + share;
    }
    return sum;
  }
};

/// Points before the first that `to` has on a vector's boundary.
HWY_INLINE std::int64_t before_boundary(const double* to, std::int64_t count) {
  const auto past = static_cast<std::int64_t>(reinterpret_cast<std::uintptr_t>(to) / sizeof(double)) & (lanes - 1);
  const std::int64_t before = (lanes - past) & (lanes - 1);
  return before < count ? before : count;
}

/// What whole vectors on boundaries leave of a row: the points before `begin` and from `end` on. With streaming stores
/// point by point, since a line that is stored in two ways is written twice; else as vectors that overlap the others,
/// which is cheaper. They are computed before the others and stored after them, where results may take the place of
/// what they are computed from. count >= lanes.
template <int fixed>
class Ends {
 public:
  HWY_INLINE void compute(const double* const* rows, double* to, std::int64_t begin, std::int64_t end,
                          std::int64_t count, const Star& star, Stores stores) {
    const Source<fixed> source{rows, star};
    if (stores == Stores::streaming) {
      for (std::int64_t x = 0; x < begin; ++x) to[x] = source.point(x);
      for (std::int64_t x = end; x < count; ++x) to[x] = source.point(x);
    } else {
      const Lanes all;
      if (begin > 0) hn::StoreU(source.points(0), all, first_);
      if (end < count) hn::StoreU(source.points(count - lanes), all, last_);
    }
  }
  HWY_INLINE void store(double* to, std::int64_t begin, std::int64_t end, std::int64_t count, Stores stores) const {
    const Lanes all;
    if (stores == Stores::streaming) return;
    if (begin > 0) hn::StoreU(hn::LoadU(all, first_), all, to);
    if (end < count) hn::StoreU(hn::LoadU(all, last_), all, to + count - lanes);
  }

 private:
  double first_[lanes];
  double last_[lanes];
};

template <int fixed>
void sweep_row(const double* const* given_rows, double* to, std::int64_t count, const Star& given_star, Stores stores) {
  // Copies that nobody else can reach stay in registers.
  std::array<const double*, 2 * (fixed > 0 ? static_cast<std::size_t>(fixed) : 0) + 1> rows{};
  if constexpr (fixed > 0) {
    for (std::size_t row = 0; row < rows.size(); ++row) rows[row] = given_rows[row];
  }
  const Star star = given_star;
  const Source<fixed> source{fixed > 0 ? rows.data() : given_rows, star};
  const Lanes all;
  if (count < lanes) {
    for (std::int64_t x = 0; x < count; ++x) to[x] = source.point(x);
    return;
  }
  const std::int64_t begin = before_boundary(to, count);
  const std::int64_t end = begin + (count - begin) / lanes * lanes;
  Ends<fixed> ends;
  ends.compute(source.rows, to, begin, end, count, star, stores);
  if (stores == Stores::streaming) {
    for (std::int64_t x = begin; x < end; x += lanes) hn::Stream(source.points(x), all, to + x);
  } else {
#pragma GCC unroll 2
    for (std::int64_t x = begin; x < end; x += lanes) hn::Store(source.points(x), all, to + x);
  }
  ends.store(to, begin, end, count, stores);
}

/// `centre` moved by one lane, the first from the last of `before`, and the other way round.
template <class D>
HWY_INLINE Vector shifted_in(D all, Vector before, Vector centre) {
#if HWY_TARGET <= HWY_AVX3 && HWY_ARCH_X86
  static_cast<void>(all);
  return Vector{
      _mm512_castsi512_pd(_mm512_alignr_epi64(_mm512_castpd_si512(centre.raw), _mm512_castpd_si512(before.raw), 7))};
#elif HWY_TARGET == HWY_SCALAR
  static_cast<void>(all);
  static_cast<void>(centre);
  return before;
#else
  if constexpr (lanes == 2) return hn::CombineShiftRightBytes<8>(all, centre, before);
  if constexpr (lanes == 4)
    return hn::CombineShiftRightBytes<8>(all, centre, hn::ConcatLowerUpper(all, centre, before));
#endif
}
template <class D>
HWY_INLINE Vector shifted_out(D all, Vector centre, Vector behind) {
#if HWY_TARGET <= HWY_AVX3 && HWY_ARCH_X86
  static_cast<void>(all);
  return Vector{
      _mm512_castsi512_pd(_mm512_alignr_epi64(_mm512_castpd_si512(behind.raw), _mm512_castpd_si512(centre.raw), 1))};
#elif HWY_TARGET == HWY_SCALAR
  static_cast<void>(all);
  static_cast<void>(centre);
  return behind;
#else
  if constexpr (lanes == 2) return hn::CombineShiftRightBytes<8>(all, behind, centre);
  if constexpr (lanes == 4)
    return hn::CombineShiftRightBytes<8>(all, hn::ConcatLowerUpper(all, behind, centre), centre);
#endif
}
constexpr std::int64_t most_lanes = 8;
static_assert(lanes <= most_lanes);

/// Several neighbouring rows of the 5-point stencil at once. Each vector is loaded once for all that need it, as the
/// point above, the one below and the centre; what stands left and right of a centre is shifted in from the vectors
/// beside it: 1.5 loads a vector of results in place of 4, two of which would straddle cache lines (0.13 in place of
/// 0.20 ns a point from the first-level cache). And four rows are four streams from memory: sweep by sweep, one row at
/// a time reaches 0.55 of the bandwidth of the triad, two 0.75, four 0.95.
///
///     |      N      |
///     |  B   C   A  |     W = the last lane of B, all but the last of C;  E = all but the first of C, the first of A
///     |      S      |
template <std::size_t height>
HWY_INLINE void sweep_vectors(const double* const (&rows)[height + 2], std::int64_t x, Vector above, Vector below,
                              Vector weight, Vector (&before)[height], Vector (&centre)[height],
                              Vector (&result)[height]) {
  const Lanes all;
  Vector behind[height];
#pragma GCC unroll 4
  for (std::size_t i = 0; i < height; ++i) behind[i] = hn::LoadU(all, rows[i + 1] + x + lanes);
#pragma GCC unroll 4
  for (std::size_t i = 0; i < height; ++i) {
    const Vector north = i == 0 ? above : centre[i - (i > 0 ? 1 : 0)];
    const Vector south = i == height - 1 ? below : centre[i + (i < height - 1 ? 1 : 0)];
    const Vector sides = hn::Add(shifted_in(all, before[i], centre[i]), shifted_out(all, centre[i], behind[i]));
    result[i] = hn::Mul(weight, hn::Add(hn::Add(north, south), sides));
  }
#pragma GCC unroll 4
  for (std::size_t i = 0; i < height; ++i) {
    before[i] = centre[i];
    centre[i] = behind[i];
  }
}

/// Reads those lanes that `mask` has, and no others; lane 0 stands at `from`, and `one` is a lane that is read.
HWY_INLINE Vector load_part(hn::Mask<Lanes> mask, const double* from, std::int64_t one) {
  if constexpr (lanes > 2) return hn::MaskedLoad(mask, Lanes{}, from);
  return hn::Set(Lanes{}, from[one]);
}

/// Writes those lanes of `value` and no others.
HWY_INLINE void store_part(Vector value, hn::Mask<Lanes> mask, double* to, std::int64_t one) {
  if constexpr (lanes > 2) {
    hn::BlendedStore(value, mask, Lanes{}, to);
  } else {
    double both[lanes];
    hn::StoreU(value, Lanes{}, both);
    to[one] = both[one];
  }
}

// Every vector stands on a boundary, the first and the last of a row are stored in part: a level is read while the last
// stores of the level below are still under way, and vectors across their boundaries would have to wait for them.
template <std::size_t height>
void sweep_5_point(const double* const* given_rows, double* const* given_to, std::int64_t count, const Star& star,
                   Stores stores) {
  const Lanes all;
  const double* rows[height + 2];
  double* to[height];
  for (std::size_t i = 0; i < height + 2; ++i) rows[i] = given_rows[i];
  for (std::size_t i = 0; i < height; ++i) to[i] = given_to[i];
  const std::int64_t begin = before_boundary(to[0], count);
  bool are_alike = count >= 2 * most_lanes;
  for (std::size_t i = 1; i < height; ++i) are_alike = are_alike && before_boundary(to[i], count) == begin;
  if (!are_alike) {
    for (std::size_t i = 0; i < height; ++i) sweep_row<1>(given_rows + i, to[i], count, star, stores);
    return;
  }
  const std::int64_t end = begin + (count - begin) / lanes * lanes;
  const Vector weight = hn::Set(all, star.weights[0]);
  Vector before[height];
  Vector centre[height];
  Vector result[height];
  std::int64_t x = begin > 0 ? begin - lanes : 0;
#pragma GCC unroll 4
  for (std::size_t i = 0; i < height; ++i) {
    before[i] = hn::LoadU(all, rows[i + 1] + x - lanes);
    centre[i] = hn::LoadU(all, rows[i + 1] + x);
  }
  if (x < 0) {
    const std::int64_t one = lanes - 1;
    const auto mask = hn::Not(hn::FirstN(all, static_cast<std::size_t>(lanes - begin)));
    sweep_vectors<height>(rows, x, load_part(mask, rows[0] + x, one), load_part(mask, rows[height + 1] + x, one),
                          weight, before, centre, result);
#pragma GCC unroll 4
    for (std::size_t i = 0; i < height; ++i) store_part(result[i], mask, to[i] + x, one);
    x = begin;
  }
  if (stores == Stores::streaming) {
    for (; x < end; x += lanes) {
      sweep_vectors<height>(rows, x, hn::LoadU(all, rows[0] + x), hn::LoadU(all, rows[height + 1] + x), weight, before,
                            centre, result);
#pragma GCC unroll 4
      for (std::size_t i = 0; i < height; ++i) hn::Stream(result[i], all, to[i] + x);
    }
  } else {
    for (; x < end; x += lanes) {
      sweep_vectors<height>(rows, x, hn::LoadU(all, rows[0] + x), hn::LoadU(all, rows[height + 1] + x), weight, before,
                            centre, result);
#pragma GCC unroll 4
      for (std::size_t i = 0; i < height; ++i) hn::Store(result[i], all, to[i] + x);
    }
  }
  if (end < count) {
    const auto mask = hn::FirstN(all, static_cast<std::size_t>(count - end));
    sweep_vectors<height>(rows, x, load_part(mask, rows[0] + x, 0), load_part(mask, rows[height + 1] + x, 0), weight,
                          before, centre, result);
#pragma GCC unroll 4
    for (std::size_t i = 0; i < height; ++i) store_part(result[i], mask, to[i] + x, 0);
  }
}

template <int fixed>
void sweep_one_by_one(const double* const* rows, double* const* to, std::int64_t count, const Star& star,
                      Stores stores) {
  sweep_row<fixed>(rows, to[0], count, star, stores);
}

RowSweep row_sweep_here(std::int64_t radius) {
  static_assert(most_rows_at_once == 4);
  switch (radius) {
    case 1:
      return {4, {&sweep_5_point<1>, &sweep_5_point<2>, &sweep_5_point<3>, &sweep_5_point<4>}};
    case 2:
      return {1, {&sweep_one_by_one<2>}};
    case 3:
      return {1, {&sweep_one_by_one<3>}};
    case 4:
      return {1, {&sweep_one_by_one<4>}};
    default:
      return {1, {&sweep_one_by_one<0>}};
  }
}

const char* row_sweep_name_here() { return hwy::TargetName(HWY_TARGET); }

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace duet
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace duet {
namespace {
HWY_EXPORT(row_sweep_here);
HWY_EXPORT(row_sweep_name_here);

}  // namespace

RowSweep row_sweep_for(std::int64_t radius) {
  choose_simd_target();
  return HWY_DYNAMIC_DISPATCH(row_sweep_here)(radius);
}

void finish_streaming() { hwy::FlushStream(); }

const char* row_sweep_code_path() {
  choose_simd_target();
  return HWY_DYNAMIC_DISPATCH(row_sweep_name_here)();
}

}  // namespace duet
#endif
