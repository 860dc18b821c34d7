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

HWY_BEFORE_NAMESPACE();
namespace duet {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;
using Lanes = hn::ScalableTag<double>;
using Vector = hn::Vec<Lanes>;

constexpr std::int64_t lanes = static_cast<std::int64_t>(HWY_MAX_BYTES / sizeof(double));

/// Radii up to this have a loop of their own, unrolled; larger ones share one.
constexpr int largest_unrolled = 4;

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
  std::int64_t x = 0;
  if (stores == Stores::streaming) {
    // A line that is stored in two ways is written twice: single points up to the first whole vector.
    for (const std::int64_t end = before_boundary(to, count); x < end; ++x) to[x] = source.point(x);
    for (; x + lanes <= count; x += lanes) hn::Stream(source.points(x), all, to + x);
    for (; x < count; ++x) to[x] = source.point(x);
    return;
  }
  if (count < lanes) {
    for (; x < count; ++x) to[x] = source.point(x);
    return;
  }
  // The first and the last vector overlap their neighbours, which is cheaper than single points.
  if (const std::int64_t before = before_boundary(to, count); before > 0) {
    hn::StoreU(source.points(0), all, to);
    x = before;
  }
#pragma GCC unroll 2
  for (; x + lanes <= count; x += lanes) hn::Store(source.points(x), all, to + x);
  if (x < count) hn::StoreU(source.points(count - lanes), all, to + count - lanes);
}

RowSweep row_sweep_here(std::int64_t radius) {
  static_assert(largest_unrolled == 4);
  switch (radius) {
    case 1:
      return &sweep_row<1>;
    case 2:
      return &sweep_row<2>;
    case 3:
      return &sweep_row<3>;
    case 4:
      return &sweep_row<4>;
    default:
      return &sweep_row<0>;
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

/// Asks the processor once: in a virtual machine each question takes 10 us.
void choose_target() {
  static const bool chosen = [] {
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
    return true;
  }();
  static_cast<void>(chosen);
}

}  // namespace

RowSweep row_sweep_for(std::int64_t radius) {
  choose_target();
  return HWY_DYNAMIC_DISPATCH(row_sweep_here)(radius);
}

void finish_streaming() { hwy::FlushStream(); }

const char* row_sweep_code_path() {
  choose_target();
  return HWY_DYNAMIC_DISPATCH(row_sweep_name_here)();
}

}  // namespace duet
#endif
