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
// Passes fill all registers; what they are called from does not take part in that.
#define DUET_NOINLINE __attribute__((noinline))

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
      : minus_one_{prime.factor(prime.value() - 1)},
        factor_inverse_{prime.inverse()},
        p_{broadcast(prime.value())},
        p2_{broadcast(2 * prime.value())},
        p4_{broadcast(4 * prime.value())},
        p8_{broadcast(8 * prime.value())},
        inverse_{broadcast(prime.inverse())},
        excess_{broadcast(prime.excess())} {}

  // What stands in a table for a residue, and for -1.
  static std::uint64_t entry(const TransformPrime& prime, std::uint64_t residue) { return prime.factor(residue); }
  DUET_INLINE std::uint64_t minus_one() const { return minus_one_; }
  DUET_INLINE Vector zero() const { return _mm512_setzero_si512(); }
  DUET_INLINE Vector p() const { return p_; }
  DUET_INLINE Vector p2() const { return p2_; }
  DUET_INLINE Vector p4() const { return p4_; }
  DUET_INLINE Vector p8() const { return p8_; }
  DUET_INLINE Vector load(const std::uint64_t* from) const { return _mm512_loadu_si512(from); }
  DUET_INLINE void store(Vector x, std::uint64_t* to) const { _mm512_storeu_si512(to, x); }
  DUET_INLINE void stream(Vector x, std::uint64_t* to) const { _mm512_stream_si512(reinterpret_cast<__m512i*>(to), x); }
  DUET_INLINE void finish_streams() const { _mm_sfence(); }

  DUET_INLINE std::uint64_t clearing(std::uint64_t w) const { return w * factor_inverse_ & operand_mask; }
  DUET_INLINE Factor factor(std::uint64_t w) const { return with_clearing(broadcast(w)); }
  DUET_INLINE Factor factor(std::uint64_t w, std::uint64_t clearing) const {
    return {broadcast(w), broadcast(clearing)};
  }
  DUET_INLINE Factor factors(const std::uint64_t* w) const { return with_clearing(load(w)); }
  // Those that stand from `w` on, backwards.
  DUET_INLINE Factor backward_factors(const std::uint64_t* w) const {
    return with_clearing(_mm512_permutexvar_epi64(_mm512_set_epi64(0, 1, 2, 3, 4, 5, 6, 7), load(w)));
  }
  // Of 1, 2, 4 or 8 factors; written as they are stored, so that what is read next need not wait for several stores.
  DUET_INLINE void clearings(const std::uint64_t* w, std::size_t count, std::uint64_t* to) const {
    if (count == 8) return store(_mm512_madd52lo_epu64(zero(), load(w), inverse_), to);
    if (count == 4) {
      const __m256i four = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(w));
      const __m256i inverse = _mm512_castsi512_si256(inverse_);
      return _mm256_storeu_si256(reinterpret_cast<__m256i*>(to),
                                 _mm256_madd52lo_epu64(_mm256_setzero_si256(), four, inverse));
    }
    for (std::size_t i = 0; i < count; ++i) to[i] = clearing(w[i]);
  }

  DUET_INLINE Vector plus(Vector x, Vector y) const { return _mm512_add_epi64(x, y); }
  DUET_INLINE Vector minus(Vector x, Vector y) const { return _mm512_sub_epi64(x, y); }
  DUET_INLINE Vector less(Vector x, Vector bound) const { return _mm512_min_epu64(x, minus(x, bound)); }
  DUET_INLINE Vector reduced(Vector x) const { return less(x, p_); }
  DUET_INLINE Vector turned(Vector entry, const Factor& f) const { return reduced(times(entry, f)); }
  DUET_INLINE Vector centred(Vector x, const Factor& f) const {
    const Vector clearing = _mm512_madd52lo_epu64(zero(), x, f.clearing);
    const Vector high = _mm512_madd52hi_epu64(zero(), x, f.w);
    return kept(minus(high, _mm512_madd52hi_epu64(zero(), clearing, p_)));
  }
  DUET_INLINE Vector product_and(Vector x, const Factor& f, Vector more) const {
    const Vector clearing = _mm512_madd52lo_epu64(zero(), x, f.clearing);
    const Vector high = _mm512_madd52hi_epu64(more, x, f.w);
    return kept(minus(high, _mm512_madd52hi_epu64(zero(), clearing, p_)));
  }
  DUET_INLINE Vector times(Vector x, const Factor& f) const { return product_and(x, f, p_); }
  template <class... More>
  DUET_INLINE Vector dot(Vector a, Vector b, More... more) const {
    Vector low = _mm512_madd52lo_epu64(zero(), a, b);
    Vector high = _mm512_madd52hi_epu64(p_, a, b);
    add_products(low, high, more...);
    const Vector clearing = _mm512_madd52lo_epu64(zero(), low, inverse_);
    high = plus(high, _mm512_srli_epi64(low, operand_bits));
    return minus(high, _mm512_madd52hi_epu64(zero(), clearing, p_));
  }
  DUET_INLINE Vector from_digits(Vector digit) const {
    const Vector low = _mm512_and_si512(digit, broadcast((std::uint64_t{1} << 48U) - 1));
    return _mm512_madd52lo_epu64(plus(low, p4_), _mm512_srli_epi64(digit, 48), excess_);
  }

  // Rows of eight polynomials to rows of one coefficient each: blocks of 1, of 2 and of 4 change places.
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

  static DUET_INLINE Vector none() { return _mm512_setzero_si512(); }
  static DUET_INLINE Vector broadcast(std::uint64_t x) { return _mm512_set1_epi64(static_cast<long long>(x)); }

 private:
  // A difference as it is: GCC would write x - (high - low) as x + (low - high), and compute both differences.
  static DUET_INLINE Vector kept(Vector x) {
    asm("" : "+v"(x));
    return x;
  }

  DUET_INLINE Factor with_clearing(Vector w) const { return {w, _mm512_madd52lo_epu64(zero(), w, inverse_)}; }

  static DUET_INLINE void add_products(Vector& /*low*/, Vector& /*high*/) {}
  template <class... More>
  static DUET_INLINE void add_products(Vector& low, Vector& high, Vector a, Vector b, More... more) {
    low = _mm512_madd52lo_epu64(low, a, b);
    high = _mm512_madd52hi_epu64(high, a, b);
    add_products(low, high, more...);
  }

  std::uint64_t minus_one_;
  std::uint64_t factor_inverse_;
  Vector p_;
  Vector p2_;
  Vector p4_;
  Vector p8_;
  Vector inverse_;
  Vector excess_;
};

#include "kernels/arithmetic/transform/passes-inl.hpp"

using IfmaPasses = Passes<Ifma>;

using Vector = Ifma::Vector;

DUET_INLINE Vector shifted_right(Vector x, unsigned bits) {
  return _mm512_srl_epi64(x, _mm_cvtsi32_si128(static_cast<int>(bits)));
}
DUET_INLINE Vector shifted_left(Vector x, unsigned bits) {
  return _mm512_sll_epi64(x, _mm_cvtsi32_si128(static_cast<int>(bits)));
}

/// A natural number below 2^156 a lane, in limbs of 52 bits.
struct Limbs {
  Vector l0;
  Vector l1;
  Vector l2;

  DUET_INLINE void carry() {
    const Vector mask = Ifma::broadcast(operand_mask);
    l1 = _mm512_add_epi64(l1, _mm512_srli_epi64(l0, operand_bits));
    l0 = _mm512_and_si512(l0, mask);
    l2 = _mm512_add_epi64(l2, _mm512_srli_epi64(l1, operand_bits));
    l1 = _mm512_and_si512(l1, mask);
    l2 = _mm512_and_si512(l2, mask);
  }
  /// Adds x times a constant, modulo 2^156. x is below 2^52.
  DUET_INLINE void add_product(Vector x, const std::uint64_t (&constant)[3]) {
    const Vector c0 = Ifma::broadcast(constant[0]);
    const Vector c1 = Ifma::broadcast(constant[1]);
    l0 = _mm512_madd52lo_epu64(l0, x, c0);
    l1 = _mm512_madd52hi_epu64(_mm512_madd52lo_epu64(l1, x, c1), x, c0);
    l2 = _mm512_madd52hi_epu64(_mm512_madd52lo_epu64(l2, x, Ifma::broadcast(constant[2])), x, c1);
  }
};

struct Digits3 {
  Vector d0;
  Vector d1;
  Vector d2;
};

class BinaryRadix {
 public:
  DUET_INLINE explicit BinaryRadix(const Radix& radix) : bits_{radix.bits}, mask_{Ifma::broadcast(radix.base - 1)} {}

  DUET_INLINE Digits3 split(const Limbs& c) const {
    const Vector d0 = _mm512_or_si512(c.l0, _mm512_slli_epi64(c.l1, operand_bits));
    const Vector d1 =
        _mm512_or_si512(shifted_right(c.l1, bits_ - operand_bits), shifted_left(c.l2, 2 * operand_bits - bits_));
    return {_mm512_and_si512(d0, mask_), _mm512_and_si512(d1, mask_), shifted_right(c.l2, 2 * (bits_ - operand_bits))};
  }
  /// Takes the carries out of sums below 8 bases.
  DUET_INLINE Vector settle(Vector& sum) const {
    const Vector carry = shifted_right(sum, bits_);
    sum = _mm512_and_si512(sum, mask_);
    return carry;
  }
  DUET_INLINE Vector largest() const { return mask_; }
  DUET_INLINE Vector without_carry(Vector digit) const { return _mm512_and_si512(digit, mask_); }

 private:
  unsigned bits_;
  Vector mask_;
};

/// Quotients by the powers of the base come from the top 52 bits of a number and a reciprocal, never too large and too
/// small by two at the most; what is left over is below three bases, and goes into the carries.
class DecimalRadix {
 public:
  DUET_INLINE explicit DecimalRadix(const Radix& radix) : base_{radix.base} {
    const UInt128 square = UInt128{radix.base} * radix.base;
    const UInt128 shifted = UInt128{radix.base} << half_bits;
    // 2^144 / base^2, bit by bit from 2^126 on, where division has no more.
    UInt128 quotient = (UInt128{1} << 126U) / square;
    UInt128 rest = (UInt128{1} << 126U) % square;
    for (int bit = 0; bit < 18; ++bit) {
      rest *= 2;
      quotient = 2 * quotient + (rest >= square ? 1 : 0);
      if (rest >= square) rest -= square;
    }
    square_reciprocal_ = static_cast<std::uint64_t>(quotient);
    reciprocal_ = static_cast<std::uint64_t>((UInt128{1} << 92U) / radix.base);
    negative(square, minus_square_);
    negative(shifted, minus_shifted_);
  }

  DUET_INLINE Digits3 split(Limbs c) const {
    const Vector top2 = _mm512_or_si512(_mm512_slli_epi64(c.l2, 12), _mm512_srli_epi64(c.l1, 40));
    const Vector d2 = _mm512_madd52hi_epu64(_mm512_setzero_si512(), top2, Ifma::broadcast(square_reciprocal_));
    c.add_product(d2, minus_square_);
    c.carry();
    // Below 3 base^2, which is below 2^122. The quotient by the base has two halves, of which this is the upper.
    const Vector top1 = _mm512_or_si512(_mm512_slli_epi64(c.l2, 34), _mm512_srli_epi64(c.l1, 18));
    const Vector upper = _mm512_madd52hi_epu64(_mm512_setzero_si512(), top1, Ifma::broadcast(reciprocal_));
    c.add_product(upper, minus_shifted_);
    c.carry();
    // Below 3 base 2^30, which is below 2^92.
    const Vector top0 = _mm512_or_si512(_mm512_slli_epi64(c.l1, 12), _mm512_srli_epi64(c.l0, 40));
    const Vector lower = _mm512_madd52hi_epu64(_mm512_setzero_si512(), top0, Ifma::broadcast(reciprocal_));
    const Vector low64 = _mm512_or_si512(c.l0, _mm512_slli_epi64(c.l1, operand_bits));
    return {_mm512_sub_epi64(low64, _mm512_mullo_epi64(lower, Ifma::broadcast(base_))),
            _mm512_add_epi64(_mm512_slli_epi64(upper, half_bits), lower), d2};
  }
  DUET_INLINE Vector settle(Vector& sum) const {
    Vector carry = _mm512_setzero_si512();
    for (std::uint64_t count = 4; count != 0; count /= 2) {
      const Vector bases = Ifma::broadcast(count * base_);
      const __mmask8 over = _mm512_cmpge_epu64_mask(sum, bases);
      sum = _mm512_mask_sub_epi64(sum, over, sum, bases);
      carry = _mm512_mask_add_epi64(carry, over, carry, Ifma::broadcast(count));
    }
    return carry;
  }
  DUET_INLINE Vector largest() const { return Ifma::broadcast(base_ - 1); }
  DUET_INLINE Vector without_carry(Vector digit) const {
    return _mm512_min_epu64(digit, _mm512_sub_epi64(digit, Ifma::broadcast(base_)));
  }

 private:
  static constexpr unsigned half_bits = 30;

  // 2^156 - x in limbs.
  static DUET_INLINE void negative(UInt128 x, std::uint64_t (&limbs)[3]) {
    const UInt128 below = 0 - x;  // 2^128 - x
    limbs[0] = static_cast<std::uint64_t>(below) & operand_mask;
    limbs[1] = static_cast<std::uint64_t>(below >> operand_bits) & operand_mask;
    limbs[2] = (static_cast<std::uint64_t>(below >> 2 * operand_bits) + (operand_mask << 24U)) & operand_mask;
  }

  std::uint64_t base_;
  std::uint64_t square_reciprocal_;
  std::uint64_t reciprocal_;
  std::uint64_t minus_square_[3];
  std::uint64_t minus_shifted_[3];
};

/// Garner's steps with all that is known beforehand in the factors: v1 and v2 are sums of products, reduced once.
class Coefficients {
 public:
  DUET_INLINE explicit Coefficients(const Residues& residues)
      : words_{residues.words},
        first_{transform_primes[0]},
        second_{transform_primes[1]},
        third_{transform_primes[2]},
        residue0_{first_.factor(residues.scale[0])},
        residue1_{Ifma::broadcast(combined(1, residues.scale[1], garner_factors.first_modulo_second))},
        digit0_in1_{Ifma::broadcast(transform_primes[1].value() - garner_factors.first_modulo_second)},
        residue2_{Ifma::broadcast(combined(2, combined(2, residues.scale[2], garner_factors.first_modulo_third),
                                           garner_factors.second_modulo_third))},
        digit0_in2_{Ifma::broadcast(transform_primes[2].value() - combined(2, garner_factors.first_modulo_third,
                                                                           garner_factors.second_modulo_third))},
        digit1_in2_{Ifma::broadcast(transform_primes[2].value() - garner_factors.second_modulo_third)} {}

  /// Eight of them, from i on.
  DUET_INLINE Limbs operator()(std::size_t i) const {
    // Sums of products are below a third of a prime before they are made smaller by less than one.
    const Vector v0 = first_.reduced(first_.times(first_.load(words_[0] + i), residue0_));
    const Vector v1 = second_.reduced(second_.dot(second_.load(words_[1] + i), residue1_, v0, digit0_in1_));
    const Vector v2 =
        third_.reduced(third_.dot(third_.load(words_[2] + i), residue2_, v0, digit0_in2_, v1, digit1_in2_));
    const Vector p0 = first_.p();
    const Vector low = Ifma::broadcast(static_cast<std::uint64_t>(first_two_primes) & operand_mask);
    const Vector high = Ifma::broadcast(static_cast<std::uint64_t>(first_two_primes >> operand_bits));
    Limbs c;
    c.l0 = _mm512_madd52lo_epu64(_mm512_madd52lo_epu64(v0, v1, p0), v2, low);
    c.l1 = _mm512_madd52lo_epu64(_mm512_madd52hi_epu64(Ifma::none(), v1, p0), v2, high);
    c.l1 = _mm512_madd52hi_epu64(c.l1, v2, low);
    c.l2 = _mm512_madd52hi_epu64(Ifma::none(), v2, high);
    c.carry();
    return c;
  }

 private:
  static std::uint64_t combined(std::size_t k, std::uint64_t a, std::uint64_t b) {
    return transform_primes[k].combined(a, b);
  }

  std::array<const std::uint64_t*, transform_primes_count> words_;
  Ifma first_;
  Ifma second_;
  Ifma third_;
  Ifma::Factor residue0_;
  Vector residue1_;
  Vector digit0_in1_;
  Vector residue2_;
  Vector digit0_in2_;
  Vector digit1_in2_;
};

template <class AnyRadix>
std::uint64_t recombine_in(const AnyRadix& radix, const Residues& residues, std::size_t begin, std::size_t end,
                           std::uint64_t* digits) {
  const Coefficients coefficients{residues};
  const Vector zero = _mm512_setzero_si512();
  const Vector ones = Ifma::broadcast(1);
  Digits3 before{zero, zero, zero};
  if (begin != 0) before = radix.split(coefficients(begin - 8));
  Vector carries_before = zero;
  unsigned ripple = 0;  // into the first lane
  for (std::size_t i = begin; i < end; i += 8) {
    const Digits3 here = radix.split(coefficients(i));
    // Lane j takes d1 of lane j - 1 and d2 of lane j - 2, the first ones those of the eight before.
    Vector sum = _mm512_add_epi64(_mm512_add_epi64(here.d0, _mm512_alignr_epi64(here.d1, before.d1, 7)),
                                  _mm512_alignr_epi64(here.d2, before.d2, 6));
    before = here;
    const Vector carries = radix.settle(sum);
    sum = _mm512_add_epi64(sum, _mm512_alignr_epi64(carries, carries_before, 7));
    // What is left are carries of one, and they may run: as in an addition of eight bits, of which one is set where a
    // digit carries, and one where it would hand a carry on.
    const unsigned carrying = _mm512_cmpgt_epu64_mask(sum, radix.largest());
    const unsigned passing = _mm512_cmpeq_epu64_mask(sum, radix.largest());
    const unsigned into = (((carrying << 1U) | ripple) + passing) ^ passing;
    const Vector digit = radix.without_carry(_mm512_mask_add_epi64(sum, static_cast<__mmask8>(into), sum, ones));
    if (i + 8 > end) {
      const std::size_t count = end - i;
      _mm512_mask_storeu_epi64(digits + i, static_cast<__mmask8>((1U << count) - 1), digit);
      alignas(64) std::uint64_t last[8];
      _mm512_store_si512(last, carries);
      return last[count - 1] + (into >> count & 1U);
    }
    _mm512_storeu_si512(digits + i, digit);
    carries_before = carries;
    ripple = into >> 8U;
  }
  alignas(64) std::uint64_t last[8];
  _mm512_store_si512(last, carries_before);
  return last[7] + ripple;
}

std::uint64_t recombine(const Residues& residues, std::size_t begin, std::size_t end, const Radix& radix,
                        std::uint64_t* digits) {
  if (radix.bits != 0) return recombine_in(BinaryRadix{radix}, residues, begin, end, digits);
  return recombine_in(DecimalRadix{radix}, residues, begin, end, digits);
}

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
          FactorForm::montgomery,
          130,
          &has_ifma,
          &IfmaPasses::twist,
          &IfmaPasses::forward_top,
          &IfmaPasses::forward_top_rows,
          &IfmaPasses::inverse_top,
          &IfmaPasses::forward_columns,
          &IfmaPasses::inverse_columns,
          &IfmaPasses::subtree,
          &recombine};
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
