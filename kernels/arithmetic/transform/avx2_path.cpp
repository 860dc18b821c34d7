// The transform on four words at a time, in doubles, by the fused multiply-adds of AVX2.
//
// A product with a factor w modulo p, with w / p at hand:
//
//     h = x w,   q = round(x (w / p)),   r = (h - q p) + (x w - h)
//
// where h - q p and x w - h are exact as fused multiply-adds: what h lost in rounding is in the second. |x| < 2^52 and
// |w| <= p / 2 give |q| < 2^51, off by less than a half from rounding w / p and the product, so that r is in (-p, p).
// (Dekker, "A floating-point technique for extending the available precision", 1971.)

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "kernels/arithmetic/transform/path.hpp"
#include "kernels/arithmetic/transform/paths.hpp"
#include "kernels/arithmetic/transform/recombination.hpp"

#if defined(__x86_64__)
#include <immintrin.h>

#define DUET_INLINE inline __attribute__((always_inline))
// Passes fill all registers; what they are called from does not take part in that.
#define DUET_NOINLINE __attribute__((noinline))

#pragma GCC push_options
#pragma GCC target("avx2,fma")

namespace duet {
namespace {

class Avx2 {
 public:
  using Vector = __m256d;
  struct Factor {
    Vector w;
    Vector over_p;
  };
  static constexpr std::size_t lanes = 4;

  DUET_INLINE explicit Avx2(const TransformPrime& prime)
      : p_{_mm256_set1_pd(static_cast<double>(prime.value()))},
        reciprocal_{_mm256_set1_pd(1 / static_cast<double>(prime.value()))} {}

  static std::uint64_t entry(const TransformPrime& prime, std::uint64_t residue) {
    return std::bit_cast<std::uint64_t>(prime.centred(residue));
  }
  DUET_INLINE std::uint64_t minus_one() const { return std::bit_cast<std::uint64_t>(-1.0); }
  DUET_INLINE Vector zero() const { return _mm256_setzero_pd(); }
  DUET_INLINE Vector p2() const { return _mm256_add_pd(p_, p_); }
  DUET_INLINE Vector p4() const { return _mm256_mul_pd(p_, _mm256_set1_pd(4)); }
  DUET_INLINE Vector p8() const { return _mm256_mul_pd(p_, _mm256_set1_pd(8)); }
  DUET_INLINE Vector load(const std::uint64_t* from) const {
    return _mm256_loadu_pd(reinterpret_cast<const double*>(from));
  }
  DUET_INLINE void store(Vector x, std::uint64_t* to) const { _mm256_storeu_pd(reinterpret_cast<double*>(to), x); }
  DUET_INLINE void stream(Vector x, std::uint64_t* to) const { _mm256_stream_pd(reinterpret_cast<double*>(to), x); }
  DUET_INLINE void finish_streams() const { _mm_sfence(); }

  DUET_INLINE void clearings(const std::uint64_t* w, std::size_t count, std::uint64_t* to) const {
    const double p = _mm256_cvtsd_f64(p_);
    for (std::size_t i = 0; i < count; ++i) to[i] = std::bit_cast<std::uint64_t>(std::bit_cast<double>(w[i]) / p);
  }
  DUET_INLINE Factor factor(std::uint64_t w) const { return with_quotient(broadcast(w)); }
  DUET_INLINE Factor factor(std::uint64_t w, std::uint64_t over_p) const { return {broadcast(w), broadcast(over_p)}; }
  DUET_INLINE std::uint64_t clearing(std::uint64_t w) const {
    std::uint64_t over_p = 0;
    clearings(&w, 1, &over_p);
    return over_p;
  }
  DUET_INLINE Factor factors(const std::uint64_t* w) const { return with_quotient(load(w)); }
  DUET_INLINE Factor backward_factors(const std::uint64_t* w) const {
    return with_quotient(_mm256_permute4x64_pd(load(w), 0x1b));
  }

  DUET_INLINE Vector plus(Vector x, Vector y) const { return _mm256_add_pd(x, y); }
  DUET_INLINE Vector minus(Vector x, Vector y) const { return _mm256_sub_pd(x, y); }
  DUET_INLINE Vector less(Vector x, Vector bound) const {
    return _mm256_sub_pd(x, _mm256_and_pd(bound, _mm256_cmp_pd(x, bound, _CMP_GE_OQ)));
  }
  DUET_INLINE Vector centred(Vector x, const Factor& f) const { return remainder(x, f.w, _mm256_mul_pd(x, f.over_p)); }
  DUET_INLINE Vector product_and(Vector x, const Factor& f, Vector more) const { return plus(centred(x, f), more); }
  DUET_INLINE Vector times(Vector x, const Factor& f) const { return product_and(x, f, p_); }
  // Of two entries, the product as an entry.
  DUET_INLINE Vector turned(Vector entry, const Factor& f) const {
    const Vector r = centred(entry, f);
    const Vector half = _mm256_mul_pd(p_, _mm256_set1_pd(0.5));
    const Vector above = _mm256_and_pd(p_, _mm256_cmp_pd(r, half, _CMP_GT_OQ));
    const Vector below = _mm256_and_pd(p_, _mm256_cmp_pd(r, minus(zero(), half), _CMP_LT_OQ));
    return plus(minus(r, above), below);
  }

  // As many as four products in (-p, p), raised to (0, 8 p) and reduced to [0, 4 p).
  template <class... More>
  DUET_INLINE Vector dot(Vector a, Vector b, More... more) const {
    return less(plus(sum_of(a, b, more...), p4()), p4());
  }

  // The upper thirty bits of a digit are reduced, the lower ones added: to (3 p, 5 p).
  DUET_INLINE Vector from_digits(Vector digit) const {
    const __m256i bits = _mm256_castpd_si256(digit);
    const __m256i exponent = _mm256_castpd_si256(_mm256_set1_pd(0x1p52));
    const __m256i mask = _mm256_set1_epi64x((std::int64_t{1} << 30) - 1);
    const Vector low =
        minus(_mm256_castsi256_pd(_mm256_or_si256(_mm256_and_si256(bits, mask), exponent)), _mm256_set1_pd(0x1p52));
    const Vector upper =
        minus(_mm256_castsi256_pd(_mm256_or_si256(_mm256_srli_epi64(bits, 30), exponent)), _mm256_set1_pd(0x1p52));
    const Vector high = _mm256_mul_pd(upper, _mm256_set1_pd(0x1p30));
    const Vector quotient = rounded(_mm256_mul_pd(high, reciprocal_));
    return plus(plus(_mm256_fnmadd_pd(quotient, p_, high), low), p4());
  }

  DUET_INLINE void load_transposed(const std::uint64_t* from, Vector (&v)[8]) const {
    for (std::size_t half = 0; half < 8; half += 4) {
      for (std::size_t i = 0; i < 4; ++i) v[half + i] = load(from + 8 * i + half);
      transpose(v[half], v[half + 1], v[half + 2], v[half + 3]);
    }
  }
  DUET_INLINE void store_transposed(const Vector (&v)[8], std::uint64_t* to) const {
    for (std::size_t half = 0; half < 8; half += 4) {
      Vector row[4] = {v[half], v[half + 1], v[half + 2], v[half + 3]};
      transpose(row[0], row[1], row[2], row[3]);
      for (std::size_t i = 0; i < 4; ++i) store(row[i], to + 8 * i + half);
    }
  }

 private:
  static DUET_INLINE Vector broadcast(std::uint64_t bits) { return _mm256_set1_pd(std::bit_cast<double>(bits)); }
  static DUET_INLINE Vector rounded(Vector x) {
    return _mm256_round_pd(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  }
  // w / p as if it was divided: a step of Newton's corrects the product with 1 / p.
  DUET_INLINE Factor with_quotient(Vector w) const {
    const Vector quotient = _mm256_mul_pd(w, reciprocal_);
    return {w, _mm256_fmadd_pd(_mm256_fnmadd_pd(quotient, p_, w), reciprocal_, quotient)};
  }
  DUET_INLINE Vector remainder(Vector x, Vector y, Vector quotient) const {
    const Vector product = _mm256_mul_pd(x, y);
    const Vector lost = _mm256_fmsub_pd(x, y, product);
    return plus(_mm256_fnmadd_pd(rounded(quotient), p_, product), lost);
  }
  DUET_INLINE Vector sum_of() const { return zero(); }
  template <class... More>
  DUET_INLINE Vector sum_of(Vector a, Vector b, More... more) const {
    return plus(remainder(a, b, _mm256_mul_pd(_mm256_mul_pd(a, b), reciprocal_)), sum_of(more...));
  }
  static DUET_INLINE void transpose(Vector& r0, Vector& r1, Vector& r2, Vector& r3) {
    const Vector even01 = _mm256_unpacklo_pd(r0, r1);
    const Vector odd01 = _mm256_unpackhi_pd(r0, r1);
    const Vector even23 = _mm256_unpacklo_pd(r2, r3);
    const Vector odd23 = _mm256_unpackhi_pd(r2, r3);
    r0 = _mm256_permute2f128_pd(even01, even23, 0x20);
    r1 = _mm256_permute2f128_pd(odd01, odd23, 0x20);
    r2 = _mm256_permute2f128_pd(even01, even23, 0x31);
    r3 = _mm256_permute2f128_pd(odd01, odd23, 0x31);
  }

  Vector p_;
  Vector reciprocal_;
};

#include "kernels/arithmetic/transform/passes-inl.hpp"

using Avx2Passes = Passes<Avx2>;

bool has_avx2() {
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

}  // namespace
}  // namespace duet

#pragma GCC pop_options

namespace duet {

TransformPath avx2_path() {
  return {"avx2",
          FactorForm::doubles,
          2000,
          &has_avx2,
          &Avx2Passes::twist,
          &Avx2Passes::forward_top,
          &Avx2Passes::forward_top_rows,
          &Avx2Passes::inverse_top,
          &Avx2Passes::forward_columns,
          &Avx2Passes::inverse_columns,
          &Avx2Passes::subtree,
          &recombine_doubles};
}

}  // namespace duet

#else

namespace duet {

TransformPath avx2_path() {
  TransformPath path = portable_path();
  path.name = "avx2";
  path.runs_here = [] { return false; };
  return path;
}

}  // namespace duet

#endif
