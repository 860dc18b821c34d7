// AVX-512's IFMA multiplies the low 52 bits of two lanes and adds the low or the high 52 bits of the product to a third
// lane of 64: sums of products keep their carries, and are reduced once.
//
// One word, m < 2^50. With h, l the sums of high and of low halves, l + 2^52 h is a sum S of two products, and q = l /
// m modulo 2^52 clears its low word:
//
//     r = m + h + (l >> 52) - high(q m)  =  m + (S - q m) / 2^52  <  m + S / 2^52
//
// Entries are below m, so c + d < 2 m; a, b < 4 m < 2^52 gives r < m + (8 m^2 + 4 m^2) / 2^52 < 4 m again: nothing is
// brought below m before the end. 12 products of the unit make a product of powers.
//
// Two words, any m. a, b are two words of 52 bits, entries have 52 + 12. Clearing one word of a sum,
//
//     q = -t0 / m modulo 2^52    t + q m, without its lowest word
//
// makes a product with 64 bits only 52 bits shorter, so a and b grow by 12 bits and what the sums add, until the third
// product in a row clears two words:
//
//     a up to  2^64, 3 2^76, 2^91, 2^64 ...      a + b up to  2^65, 5 2^76, 13 2^88, 2^65 ...
//
// The product of upper words, below 2^(39.8 + 12), still fits the low 52 bits, and a word is saved two times of three:
// 28 + 13 products of the unit make a product of powers. Entries keep both words in one, since the unit looks at the
// low 52 bits of a lane alone.

#include "kernels/arithmetic/power_tables.hpp"

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)

// GCC 12 takes the operand that its intrinsics leave undefined on purpose for a mistake (GCC bug 105593).
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"

#include <immintrin.h>

#include <algorithm>
#include <array>

#include "kernels/arithmetic/montgomery.hpp"

#pragma GCC push_options
#pragma GCC target("avx2,bmi2,avx512f,avx512dq,avx512vl,avx512ifma")

namespace duet {
namespace {

using Vector = __m512i;
constexpr std::size_t lanes = 8;
constexpr unsigned word_bits = 52;

[[gnu::always_inline]] inline Vector all(std::uint64_t word) { return _mm512_set1_epi64(static_cast<long long>(word)); }
[[gnu::always_inline]] inline Vector plus_low(Vector sum, Vector x, Vector y) {
  return _mm512_madd52lo_epu64(sum, x, y);
}
[[gnu::always_inline]] inline Vector plus_high(Vector sum, Vector x, Vector y) {
  return _mm512_madd52hi_epu64(sum, x, y);
}
[[gnu::always_inline]] inline Vector plus(Vector x, Vector y) { return _mm512_add_epi64(x, y); }
[[gnu::always_inline]] inline Vector minus(Vector x, Vector y) { return _mm512_sub_epi64(x, y); }
/// What is above the low 52 bits.
[[gnu::always_inline]] inline Vector upper(Vector x) { return _mm512_srli_epi64(x, word_bits); }

struct Powers {
  Vector a;
  Vector b;
};

/// The entries of eight inputs: a of all, b of all. Eight loads of 16 bytes; gathering takes twice the time.
[[gnu::always_inline]] inline Powers entries_at(const PowerTables& tables, std::size_t place,
                                                const std::uint64_t* inputs) {
  const Digits digits = tables.digits();
  const Power* const table = tables.place(place);
  const auto pair = [&](std::size_t lane) __attribute__((always_inline)) {
    return _mm_load_si128(reinterpret_cast<const __m128i*>(table + digits.digit(inputs[lane], place)));  // NOLINT
  };
  const auto two = [&](std::size_t lane) __attribute__((always_inline)) {
    return _mm256_inserti128_si256(_mm256_castsi128_si256(pair(lane)), pair(lane + 2), 1);
  };
  const auto four = [&](std::size_t lane) __attribute__((always_inline)) {
    return _mm512_inserti64x4(_mm512_castsi256_si512(two(lane)), two(lane + 4), 1);
  };
  const Vector even = four(0);
  const Vector odd = four(1);
  return {_mm512_unpacklo_epi64(even, odd), _mm512_unpackhi_epi64(even, odd)};
}

/// Modulo m < 2^50.
class OneWord {
 public:
  using Running = Powers;

  explicit OneWord(std::uint64_t m) : m_{all(m)}, twice_m_{all(2 * m)}, inverse_{all(inverse_of(m))} {}

  [[gnu::always_inline]] static Running begin(const Powers& power) { return power; }
  [[gnu::always_inline]] Running step(const Running& x, const Powers& y, unsigned /*places*/, unsigned /*j*/) const {
    return {sum_of_products(x.a, plus(y.a, y.b), x.b, y.a), sum_of_products(x.a, y.a, x.b, y.b)};
  }
  [[gnu::always_inline]] Vector last_step(const Running& x, const Powers& y) const {
    const Vector r = sum_of_products(x.a, plus(y.a, y.b), x.b, y.a);  // below 4 m
    const Vector below_twice = _mm512_min_epu64(r, minus(r, twice_m_));
    return _mm512_min_epu64(below_twice, minus(below_twice, m_));
  }

 private:
  [[gnu::always_inline]] Vector sum_of_products(Vector x, Vector y, Vector z, Vector w) const {
    const Vector zero = _mm512_setzero_si512();
    const Vector low = plus_low(plus_low(zero, x, y), z, w);
    const Vector high = plus_high(plus_high(m_, x, y), z, w);
    const Vector q = plus_low(zero, low, inverse_);
    return minus(plus(high, upper(low)), plus_high(zero, q, m_));
  }

  Vector m_;
  Vector twice_m_;
  Vector inverse_;
};

/// Modulo any odd m.
class TwoWords {
 public:
  /// x_0 + 2^52 x_1 for a, b and a + b; words that are called low may have carries above their 52 bits, which have been
  /// added to the upper word already.
  struct Number {
    Vector low;
    Vector upper;
  };
  struct Running {
    Number a;
    Number b;
    Number sum;
  };

  explicit TwoWords(std::uint64_t m)
      : m_{all(m)},
        upper_m_{all(m >> word_bits)},
        negative_inverse_{all(0 - inverse_of(m))},
        word_{all((std::uint64_t{1} << word_bits) - 1)} {}

  [[gnu::always_inline]] Running begin(const Powers& power) const {
    const Vector sum = plus(_mm512_and_si512(power.a, word_), _mm512_and_si512(power.b, word_));
    const Vector upper_a = upper(power.a);
    const Vector upper_b = upper(power.b);
    return {{power.a, upper_a}, {power.b, upper_b}, {sum, plus(plus(upper_a, upper_b), upper(sum))}};
  }

  [[gnu::always_inline]] Running step(const Running& x, const Powers& y, unsigned places, unsigned j) const {
    Columns a = sum_of_products(x.sum, y.a, x.a, y.b);
    Columns b = sum_of_products(x.a, y.a, x.b, y.b);
    clear(a);
    clear(b);
    if (clears_two_words(places, j)) {
      clear(a);
      clear(b);
    }
    return {number(a.t0, a.t1), number(b.t0, b.t1), number(plus(a.t0, b.t0), plus(a.t1, b.t1))};
  }

  [[gnu::always_inline]] Vector last_step(const Running& x, const Powers& y) const {
    Columns a = sum_of_products(x.sum, y.a, x.a, y.b);
    clear(a);
    clear(a);
    // Below m (1 + 2^-11), which may need 65 bits: compared in two words.
    const Number r = number(a.t0, a.t1);
    const Vector low = _mm512_and_si512(r.low, word_);
    const Vector low_difference = minus(low, _mm512_and_si512(m_, word_));
    const Vector difference = plus(minus(r.upper, upper_m_), _mm512_srai_epi64(low_difference, 63));
    const Vector both = _mm512_or_si512(low, _mm512_slli_epi64(r.upper, word_bits));
    const __mmask8 not_below = _mm512_cmpge_epi64_mask(difference, _mm512_setzero_si512());
    return _mm512_mask_sub_epi64(both, not_below, both, m_);
  }

 private:
  /// t0 + 2^52 t1 + 2^104 t2, none of them brought to 52 bits.
  struct Columns {
    Vector t0;
    Vector t1;
    Vector t2;
  };

  /// x c + y d, where c and d hold both of their words; a (c + d) + b c is (a + b) c + a d.
  [[gnu::always_inline]] static Columns sum_of_products(const Number& x, Vector c, const Number& y, Vector d) {
    const Vector zero = _mm512_setzero_si512();
    const Vector upper_c = upper(c);
    const Vector upper_d = upper(d);
    Columns t{plus_low(zero, x.low, c), plus_high(zero, x.low, c), plus_high(zero, x.upper, c)};
    t = {plus_low(t.t0, y.low, d), plus_high(t.t1, y.low, d), plus_high(t.t2, y.upper, d)};
    t.t1 = plus_low(t.t1, x.upper, c);
    t.t2 = plus_high(t.t2, x.low, upper_c);
    t.t1 = plus_low(t.t1, y.upper, d);
    t.t2 = plus_high(t.t2, y.low, upper_d);
    t.t1 = plus_low(t.t1, x.low, upper_c);
    t.t2 = plus_low(t.t2, x.upper, upper_c);
    t.t1 = plus_low(t.t1, y.low, upper_d);
    t.t2 = plus_low(t.t2, y.upper, upper_d);
    return t;
  }
  /// Adds the multiple of m that clears t0, and drops t0.
  [[gnu::always_inline]] void clear(Columns& t) const {
    const Vector zero = _mm512_setzero_si512();
    const Vector q = plus_low(zero, t.t0, negative_inverse_);
    const Vector carries = upper(plus_low(t.t0, q, m_));
    t = {plus(plus_low(plus_high(t.t1, q, m_), q, upper_m_), carries), plus_high(t.t2, q, upper_m_), zero};
  }
  [[gnu::always_inline]] static Number number(Vector t0, Vector t1) { return {t0, plus(t1, upper(t0))}; }

  Vector m_;
  Vector upper_m_;
  Vector negative_inverse_;  // -1 / m
  Vector word_;
};

/// Modulo 2^64.
struct Overflow {
  using Running = Powers;

  [[gnu::always_inline]] static Running begin(const Powers& power) { return power; }
  [[gnu::always_inline]] static Running step(const Running& x, const Powers& y, unsigned /*places*/, unsigned /*j*/) {
    return {last_step(x, y), plus(_mm512_mullo_epi64(x.a, y.a), _mm512_mullo_epi64(x.b, y.b))};
  }
  [[gnu::always_inline]] static Vector last_step(const Running& x, const Powers& y) {
    return plus(_mm512_mullo_epi64(x.a, plus(y.a, y.b)), _mm512_mullo_epi64(x.b, y.a));
  }
};

/// The residues of two vectors of inputs: the second fills the time in which the products of the first wait for each
/// other.
template <class Ring>
[[gnu::always_inline]] inline void look_up_two(const Ring& ring, const PowerTables& tables, const std::uint64_t* inputs,
                                               std::uint64_t* residues) {
  const unsigned places = tables.digits().places;
  unsigned j = places - 1;
  typename Ring::Running first = ring.begin(entries_at(tables, j, inputs));
  typename Ring::Running second = ring.begin(entries_at(tables, j, inputs + lanes));
  while (--j > 0) {
    first = ring.step(first, entries_at(tables, j, inputs), places, j);
    second = ring.step(second, entries_at(tables, j, inputs + lanes), places, j);
  }
  _mm512_storeu_si512(residues, ring.last_step(first, entries_at(tables, 0, inputs)));
  _mm512_storeu_si512(residues + lanes, ring.last_step(second, entries_at(tables, 0, inputs + lanes)));
}

template <class Ring>
void look_up(const Ring& ring, const PowerTables& tables, std::span<const std::uint64_t> inputs,
             std::span<std::uint64_t> residues) {
  constexpr std::size_t together = 2 * lanes;
  std::size_t i = 0;
  for (; i + together <= inputs.size(); i += together) {
    look_up_two(ring, tables, inputs.data() + i, residues.data() + i);
  }
  if (i == inputs.size()) return;
  std::array<std::uint64_t, together> rest{};
  std::copy_n(inputs.data() + i, inputs.size() - i, rest.data());
  look_up_two(ring, tables, rest.data(), rest.data());
  std::copy_n(rest.data(), inputs.size() - i, residues.data() + i);
}

}  // namespace

void look_up_by_ifma_word(const PowerTables& tables, std::uint64_t odd, std::span<const std::uint64_t> inputs,
                          std::span<std::uint64_t> residues) {
  look_up(OneWord{odd}, tables, inputs, residues);
}
void look_up_by_ifma_words(const PowerTables& tables, std::uint64_t odd, std::span<const std::uint64_t> inputs,
                           std::span<std::uint64_t> residues) {
  look_up(TwoWords{odd}, tables, inputs, residues);
}
void look_up_overflowing_by_ifma(const PowerTables& tables, std::span<const std::uint64_t> inputs,
                                 std::span<std::uint64_t> residues) {
  look_up(Overflow{}, tables, inputs, residues);
}

}  // namespace duet

#pragma GCC pop_options

namespace duet {

bool has_ifma() {
  return __builtin_cpu_supports("avx512ifma") != 0 && __builtin_cpu_supports("avx512dq") != 0 &&
         __builtin_cpu_supports("avx512vl") != 0 && __builtin_cpu_supports("bmi2") != 0;
}

}  // namespace duet

#else

namespace duet {

bool has_ifma() { return false; }

void look_up_by_ifma_word(const PowerTables& tables, std::uint64_t odd, std::span<const std::uint64_t> inputs,
                          std::span<std::uint64_t> residues) {
  look_up_by_words(tables, odd, inputs, residues);
}
void look_up_by_ifma_words(const PowerTables& tables, std::uint64_t odd, std::span<const std::uint64_t> inputs,
                           std::span<std::uint64_t> residues) {
  look_up_by_words(tables, odd, inputs, residues);
}
void look_up_overflowing_by_ifma(const PowerTables& tables, std::span<const std::uint64_t> inputs,
                                 std::span<std::uint64_t> residues) {
  look_up_overflowing_by_words(tables, inputs, residues);
}

}  // namespace duet

#endif
