// The transform on eight words at a time, by the 52-bit multiply-adds of AVX-512 IFMA.
//
// A product with a factor w is x w 2^-52 mod p in three of them (Montgomery, "Modular multiplication without trial
// division", 1985), with w / p mod 2^52 at hand:
//
//     high = hi52(x w),   clearing = lo52(x (w / p)),   cleared = hi52(clearing p),   high - cleared in (-p, p)
//
// for x w - clearing p is a multiple of 2^52 whose low halves cancel exactly.

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "kernels/arithmetic/transform/path.hpp"
#include "kernels/arithmetic/transform/paths.hpp"
#include "kernels/arithmetic/transform/recombination.hpp"

#if defined(__x86_64__)
// GCC's own header starts from vectors that it leaves undefined on purpose (GCC bug 105593).
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#include <immintrin.h>

#define DUET_INLINE inline __attribute__((always_inline))

#pragma GCC push_options
#pragma GCC target("avx512f,avx512dq,avx512bw,avx512vl,avx512ifma,bmi2")

namespace duet {
namespace {

class Ifma {
 public:
  using Vector = __m512i;
  struct Factor {
    Vector w;
    Vector clearing;
  };
  static constexpr std::size_t lanes = 8;

  DUET_INLINE explicit Ifma(const TransformPrime& prime)
      : modulus_{prime.value()},
        p_{broadcast(prime.value())},
        p2_{broadcast(2 * prime.value())},
        p4_{broadcast(4 * prime.value())},
        p8_{broadcast(8 * prime.value())},
        inverse_{broadcast(prime.inverse())},
        excess_{broadcast(prime.excess())} {}

  DUET_INLINE std::uint64_t modulus() const { return modulus_; }
  DUET_INLINE Vector zero() const { return _mm512_setzero_si512(); }
  DUET_INLINE Vector p() const { return p_; }
  DUET_INLINE Vector p2() const { return p2_; }
  DUET_INLINE Vector p4() const { return p4_; }
  DUET_INLINE Vector p8() const { return p8_; }
  DUET_INLINE Vector load(const std::uint64_t* from) const { return _mm512_loadu_si512(from); }
  DUET_INLINE void store(Vector x, std::uint64_t* to) const { _mm512_storeu_si512(to, x); }

  DUET_INLINE Factor factor(std::uint64_t w) const { return with_clearing(broadcast(w)); }
  DUET_INLINE Factor factors(const std::uint64_t* w) const { return with_clearing(load(w)); }
  DUET_INLINE Factor mirrored_factors(const std::uint64_t* w) const {
    const Vector backwards = _mm512_set_epi64(0, 1, 2, 3, 4, 5, 6, 7);
    return with_clearing(minus(p_, _mm512_permutexvar_epi64(backwards, load(w))));
  }

  DUET_INLINE Vector plus(Vector x, Vector y) const { return _mm512_add_epi64(x, y); }
  DUET_INLINE Vector minus(Vector x, Vector y) const { return _mm512_sub_epi64(x, y); }
  DUET_INLINE Vector less(Vector x, Vector bound) const { return _mm512_min_epu64(x, minus(x, bound)); }
  DUET_INLINE Vector reduced(Vector x) const { return less(x, p_); }
  DUET_INLINE Vector centred(Vector x, const Factor& f) const {
    const Vector clearing = _mm512_madd52lo_epu64(zero(), x, f.clearing);
    const Vector high = _mm512_madd52hi_epu64(zero(), x, f.w);
    return minus(high, _mm512_madd52hi_epu64(zero(), clearing, p_));
  }
  DUET_INLINE Vector times(Vector x, const Factor& f) const {
    const Vector clearing = _mm512_madd52lo_epu64(zero(), x, f.clearing);
    const Vector high = _mm512_madd52hi_epu64(p_, x, f.w);
    return minus(high, _mm512_madd52hi_epu64(zero(), clearing, p_));
  }
  DUET_INLINE Vector dot(Vector a0, Vector b0, Vector a1, Vector b1, Vector a2, Vector b2, Vector a3, Vector b3) const {
    Vector low = _mm512_madd52lo_epu64(zero(), a0, b0);
    Vector high = _mm512_madd52hi_epu64(p_, a0, b0);
    low = _mm512_madd52lo_epu64(low, a1, b1);
    high = _mm512_madd52hi_epu64(high, a1, b1);
    low = _mm512_madd52lo_epu64(low, a2, b2);
    high = _mm512_madd52hi_epu64(high, a2, b2);
    low = _mm512_madd52lo_epu64(low, a3, b3);
    high = _mm512_madd52hi_epu64(high, a3, b3);
    const Vector clearing = _mm512_madd52lo_epu64(zero(), low, inverse_);
    high = plus(high, _mm512_srli_epi64(low, operand_bits));
    return minus(high, _mm512_madd52hi_epu64(zero(), clearing, p_));
  }
  DUET_INLINE Vector from_digits(Vector digit) const {
    const Vector low = _mm512_and_si512(digit, broadcast((std::uint64_t{1} << 48U) - 1));
    return _mm512_madd52lo_epu64(plus(low, p4_), _mm512_srli_epi64(digit, 48), excess_);
  }

  // Row c of eight polynomials to vector c of one coefficient each: blocks of 4, of 2 and of 1 change places.
  DUET_INLINE void load_transposed(const std::uint64_t* from, Vector (&v)[8]) const {
    for (std::size_t i = 0; i < 8; ++i) v[i] = load(from + 8 * i);
    transpose(v);
  }
  DUET_INLINE void store_transposed(const Vector (&v)[8], std::uint64_t* to) const {
    Vector turned[8];
    for (std::size_t i = 0; i < 8; ++i) turned[i] = v[i];
    transpose(turned);
    for (std::size_t i = 0; i < 8; ++i) store(turned[i], to + 8 * i);
  }

  static DUET_INLINE Vector broadcast(std::uint64_t x) { return _mm512_set1_epi64(static_cast<long long>(x)); }

 private:
  DUET_INLINE Factor with_clearing(Vector w) const { return {w, _mm512_madd52lo_epu64(zero(), w, inverse_)}; }

  static DUET_INLINE void transpose(Vector (&v)[8]) {
    Vector a[8];
    for (std::size_t i = 0; i < 4; ++i) {
      a[2 * i] = _mm512_unpacklo_epi64(v[2 * i], v[2 * i + 1]);
      a[2 * i + 1] = _mm512_unpackhi_epi64(v[2 * i], v[2 * i + 1]);
    }
    const Vector pairs_low = _mm512_set_epi64(13, 12, 5, 4, 9, 8, 1, 0);
    const Vector pairs_high = _mm512_set_epi64(15, 14, 7, 6, 11, 10, 3, 2);
    Vector b[8];
    for (std::size_t i = 0; i < 2; ++i) {
      for (std::size_t j = 0; j < 2; ++j) {
        b[4 * i + j] = _mm512_permutex2var_epi64(a[4 * i + j], pairs_low, a[4 * i + j + 2]);
        b[4 * i + j + 2] = _mm512_permutex2var_epi64(a[4 * i + j], pairs_high, a[4 * i + j + 2]);
      }
    }
    // b[0..3] have rows 0 to 3, columns {c, c + 4}; b[4..7] rows 4 to 7.
    for (std::size_t i = 0; i < 4; ++i) {
      v[i] = _mm512_shuffle_i64x2(b[i], b[i + 4], 0x44);
      v[i + 4] = _mm512_shuffle_i64x2(b[i], b[i + 4], 0xee);
    }
  }

  std::uint64_t modulus_;
  Vector p_;
  Vector p2_;
  Vector p4_;
  Vector p8_;
  Vector inverse_;
  Vector excess_;
};

#include "kernels/arithmetic/transform/passes-inl.hpp"

using IfmaPasses = Passes<Ifma>;

bool has_ifma() {
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("avx512ifma") && __builtin_cpu_supports("bmi2");
}

}  // namespace
}  // namespace duet

#pragma GCC pop_options

namespace duet {

TransformPath ifma_path() {
  return {"avx512ifma",
          &has_ifma,
          &IfmaPasses::twist,
          &IfmaPasses::forward_top,
          &IfmaPasses::inverse_top,
          &IfmaPasses::forward_columns,
          &IfmaPasses::inverse_columns,
          &IfmaPasses::forward,
          &IfmaPasses::inverse,
          &IfmaPasses::combine,
          &recombine_by_words};
}

}  // namespace duet

#else

namespace duet {

TransformPath ifma_path() {
  TransformPath path = portable_path();
  path.name = "avx512ifma";
  path.runs_here = [] { return false; };
  return path;
}

}  // namespace duet

#endif
