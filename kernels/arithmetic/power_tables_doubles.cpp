// Modulo m < 2^50 in doubles, with one rounding where two are usual: a fused multiply-add gives both halves of a
// product and takes a multiple of m off without an error (J. van der Hoeven, G. Lecerf, G. Quintin, "Modular SIMD
// arithmetic in Mathemagix", 2016).
//
//     h = round(x y)    l = x y - h    q = round(h / m)    r = (h - q m) + l:  x y modulo m, exactly
//
// Entries c, d lie in [-m/2, m/2], so that c + d is within m; a and b stay within 2.3 m. With |x| <= 2.3 m and |y| <= m
// the quotient is off by 1/2 and by rounding: three roundings of 2^-53 relative to 2.3 m^2 / m, which is 0.87 for m =
// 2^50. So |r| <= 1.37 m for a (c + d), 0.94 m for b c, and 2.3 m for both together. All are whole numbers below 2^53.

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/arithmetic/power_tables.hpp"

// Vectors are put together from halves, which vectors of unknown length do not have.
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/arithmetic/power_tables_doubles.cpp"
#include <hwy/foreach_target.h>
//
#include <hwy/highway.h>

#include "kernels/core/simd_target.hpp"

HWY_BEFORE_NAMESPACE();
namespace duet {
namespace HWY_NAMESPACE {
namespace {

bool has_fused_doubles_here() { return HWY_NATIVE_FMA != 0 && HWY_TARGET != HWY_SCALAR; }

#if HWY_NATIVE_FMA && HWY_TARGET != HWY_SCALAR

namespace hn = hwy::HWY_NAMESPACE;

using Doubles = hn::ScalableTag<double>;
using Vector = hn::Vec<Doubles>;
constexpr std::size_t lanes = hn::MaxLanes(Doubles{});

class Field {
 public:
  explicit Field(std::uint64_t m)
      : m_{hn::Set(Doubles{}, static_cast<double>(m))}, reciprocal_{hn::Set(Doubles{}, 1 / static_cast<double>(m))} {}

  /// x y + z w modulo m.
  [[nodiscard]] HWY_INLINE Vector sum_of_products(Vector x, Vector y, Vector z, Vector w) const {
    const Vector high = hn::Mul(x, y);
    const Vector other = hn::Mul(z, w);
    const Vector low = hn::Add(hn::MulSub(x, y, high), hn::MulSub(z, w, other));
    return hn::Add(hn::Add(less_multiple(high), less_multiple(other)), low);
  }
  /// x, which is within 2.3 m, as a whole number in [0, m).
  [[nodiscard]] HWY_INLINE Vector canonical(Vector x) const {
    const Vector nearest = less_multiple(x);
    return hn::IfThenElse(hn::Lt(nearest, hn::Zero(Doubles{})), hn::Add(nearest, m_), nearest);
  }

 private:
  [[nodiscard]] HWY_INLINE Vector less_multiple(Vector x) const {
    return hn::NegMulAdd(hn::Round(hn::Mul(x, reciprocal_)), m_, x);
  }

  Vector m_;
  Vector reciprocal_;
};

/// Every other of `count` consecutive entries, a and b beside each other.
template <std::size_t count>
HWY_INLINE hn::Vec<hn::FixedTag<double, count>> every_other(const Power* const* entries) {
  const hn::FixedTag<double, count> whole;
  if constexpr (count == 2) {
    const hn::FixedTag<std::uint64_t, 2> words;
    return hn::BitCast(whole, hn::Load(words, &(*entries)->a));
  } else {
    return hn::Combine(whole, every_other<count / 2>(entries + count / 2), every_other<count / 2>(entries));
  }
}

struct Powers {
  Vector a;
  Vector b;
};

/// The entries of `lanes` inputs: a of all, b of all.
HWY_INLINE Powers entries_at(const PowerTables& tables, std::size_t place, const std::uint64_t* inputs) {
  const Digits digits = tables.digits();
  const Power* const table = tables.place(place);
  const Power* entries[lanes];
#pragma GCC unroll 8
  for (std::size_t lane = 0; lane < lanes; ++lane) entries[lane] = table + digits.digit(inputs[lane], place);
  const Vector even = every_other<lanes>(entries);
  const Vector odd = every_other<lanes>(entries + 1);
  return {hn::InterleaveLower(Doubles{}, even, odd), hn::InterleaveUpper(Doubles{}, even, odd)};
}

/// residues of `vectors` vectors of inputs.
template <std::size_t vectors>
HWY_INLINE void look_up_vectors(const Field& field, const PowerTables& tables, const std::uint64_t* inputs,
                                std::uint64_t* residues) {
  Powers power[vectors];
  std::size_t place = tables.digits().places - 1;
#pragma GCC unroll 2
  for (std::size_t v = 0; v < vectors; ++v) power[v] = entries_at(tables, place, inputs + v * lanes);
  while (place-- > 0) {
#pragma GCC unroll 2
    for (std::size_t v = 0; v < vectors; ++v) {
      const auto [a, b] = power[v];
      const auto [c, d] = entries_at(tables, place, inputs + v * lanes);
      power[v] = {field.sum_of_products(a, hn::Add(c, d), b, c), field.sum_of_products(a, c, b, d)};
    }
  }
  const hn::RebindToUnsigned<Doubles> words;
  const Vector fraction_ends_at_one = hn::Set(Doubles{}, 0x1p52);
  const auto fraction = hn::Set(words, (std::uint64_t{1} << 52U) - 1);
#pragma GCC unroll 2
  for (std::size_t v = 0; v < vectors; ++v) {
    const Vector shifted = hn::Add(field.canonical(power[v].a), fraction_ends_at_one);
    hn::StoreU(hn::And(hn::BitCast(words, shifted), fraction), words, residues + v * lanes);
  }
}

void look_up_by_doubles_here(const PowerTables& tables, std::uint64_t m, std::span<const std::uint64_t> inputs,
                             std::span<std::uint64_t> residues) {
  // A second vector fills the time in which the products of the first wait for each other.
  constexpr std::size_t vectors = 2;
  constexpr std::size_t together = vectors * lanes;
  const Field field{m};
  std::size_t i = 0;
  for (; i + together <= inputs.size(); i += together) {
    look_up_vectors<vectors>(field, tables, inputs.data() + i, residues.data() + i);
  }
  if (i == inputs.size()) return;
  std::array<std::uint64_t, together> rest{};
  std::ranges::copy(inputs.subspan(i), rest.begin());
  look_up_vectors<vectors>(field, tables, rest.data(), rest.data());
  std::copy_n(rest.begin(), inputs.size() - i, residues.begin() + static_cast<std::ptrdiff_t>(i));
}

#else

void look_up_by_doubles_here(const PowerTables& tables, std::uint64_t m, std::span<const std::uint64_t> inputs,
                             std::span<std::uint64_t> residues) {
  look_up_by_words(tables, m, inputs, residues);
}

#endif

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace duet
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace duet {
namespace {

HWY_EXPORT(has_fused_doubles_here);
HWY_EXPORT(look_up_by_doubles_here);

}  // namespace

bool has_fused_doubles() {
  choose_simd_target();
  return HWY_DYNAMIC_DISPATCH(has_fused_doubles_here)();
}

void store_as_doubles(PowerTables& tables, std::uint64_t m) {
  const auto nearest = [m](std::uint64_t residue) {
    const auto value = static_cast<double>(residue);
    return std::bit_cast<std::uint64_t>(residue > m / 2 ? value - static_cast<double>(m) : value);
  };
  for (Power& power : tables.entries()) power = {nearest(power.a), nearest(power.b)};
}

void look_up_by_doubles(const PowerTables& tables, std::uint64_t m, std::span<const std::uint64_t> inputs,
                        std::span<std::uint64_t> residues) {
  choose_simd_target();
  HWY_DYNAMIC_DISPATCH(look_up_by_doubles_here)(tables, m, inputs, residues);
}

}  // namespace duet
#endif
