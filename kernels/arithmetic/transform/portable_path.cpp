// The transform a word at a time, in plain C++.

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "kernels/arithmetic/transform/path.hpp"
#include "kernels/arithmetic/transform/paths.hpp"
#include "kernels/arithmetic/transform/recombination.hpp"

#define DUET_INLINE inline __attribute__((always_inline))
// Passes fill all registers; what they are called from does not take part in that.
#define DUET_NOINLINE __attribute__((noinline))

namespace duet {
namespace {

/// Residues modulo one prime, one in a "vector".
class Word {
 public:
  using Vector = std::uint64_t;
  struct Factor {
    std::uint64_t w;
    std::uint64_t clearing;  // w / p mod 2^52
  };
  static constexpr std::size_t lanes = 1;

  DUET_INLINE explicit Word(const TransformPrime& prime)
      : p_{prime.value()},
        inverse_{prime.inverse()},
        excess_{prime.excess()},
        minus_one_{prime.factor(prime.value() - 1)} {}

  // What stands in a table for a residue, and for -1.
  static std::uint64_t entry(const TransformPrime& prime, std::uint64_t residue) { return prime.factor(residue); }
  DUET_INLINE std::uint64_t minus_one() const { return minus_one_; }
  DUET_INLINE Vector zero() const { return 0; }
  DUET_INLINE Vector p2() const { return 2 * p_; }
  DUET_INLINE Vector p4() const { return 4 * p_; }
  DUET_INLINE Vector p8() const { return 8 * p_; }
  DUET_INLINE Vector load(const std::uint64_t* from) const { return *from; }
  DUET_INLINE void store(Vector x, std::uint64_t* to) const { *to = x; }
  DUET_INLINE void stream(Vector x, std::uint64_t* to) const { *to = x; }
  DUET_INLINE void finish_streams() const {}
  DUET_INLINE void load_transposed(const std::uint64_t* from, Vector (&v)[8]) const { std::copy_n(from, 8, v); }
  DUET_INLINE void store_transposed(const Vector (&v)[8], std::uint64_t* to) const { std::copy_n(v, 8, to); }

  DUET_INLINE std::uint64_t clearing(std::uint64_t w) const { return w * inverse_ & operand_mask; }
  DUET_INLINE void clearings(const std::uint64_t* w, std::size_t count, std::uint64_t* to) const {
    for (std::size_t i = 0; i < count; ++i) to[i] = clearing(w[i]);
  }
  DUET_INLINE Factor factor(std::uint64_t w) const { return {w, clearing(w)}; }
  DUET_INLINE Factor factor(std::uint64_t w, std::uint64_t clearing) const { return {w, clearing}; }
  DUET_INLINE Factor factors(const std::uint64_t* w) const { return factor(*w); }
  DUET_INLINE Factor backward_factors(const std::uint64_t* w) const { return factor(*w); }

  DUET_INLINE Vector plus(Vector x, Vector y) const { return x + y; }
  DUET_INLINE Vector minus(Vector x, Vector y) const { return x - y; }
  DUET_INLINE Vector less(Vector x, Vector bound) const { return std::min(x, x - bound); }
  DUET_INLINE Vector turned(Vector entry, const Factor& f) const { return less(times(entry, f), p_); }
  // In (-p, p); x is below 2^52.
  DUET_INLINE Vector centred(Vector x, const Factor& f) const {
    return high(x, f.w) - high(x * f.clearing & operand_mask, p_);
  }
  DUET_INLINE Vector product_and(Vector x, const Factor& f, Vector more) const { return centred(x, f) + more; }
  DUET_INLINE Vector times(Vector x, const Factor& f) const { return centred(x, f) + p_; }
  // a b + ... in (0, 4 p), of pairs below 4 p and 4 p, as many as four; one of each pair below 2 p where they are four.
  template <class... More>
  DUET_INLINE Vector dot(Vector a, Vector b, More... more) const {
    const UInt128 sum = sum_of(a, b, more...);
    const std::uint64_t clearing = static_cast<std::uint64_t>(sum) * inverse_ & operand_mask;
    return static_cast<std::uint64_t>(sum >> operand_bits) + p_ - high(clearing, p_);
  }
  // Digits below 2^60 to (3 p, 8 p).
  DUET_INLINE Vector from_digits(Vector digit) const {
    return (digit & ((std::uint64_t{1} << 48U) - 1)) + (digit >> 48U) * excess_ + 4 * p_;
  }

 private:
  static DUET_INLINE UInt128 sum_of() { return 0; }
  template <class... More>
  static DUET_INLINE UInt128 sum_of(Vector a, Vector b, More... more) {
    return UInt128{a} * b + sum_of(more...);
  }
  static DUET_INLINE std::uint64_t high(std::uint64_t x, std::uint64_t y) {
    return static_cast<std::uint64_t>(UInt128{x} * y >> operand_bits);
  }

  std::uint64_t p_;
  std::uint64_t inverse_;
  std::uint64_t excess_;
  std::uint64_t minus_one_;
};

#include "kernels/arithmetic/transform/passes-inl.hpp"

using WordPasses = Passes<Word>;

// It is half as fast as GMP with its assembly, and what there is where the others do not run.
constexpr std::size_t never = SIZE_MAX;

}  // namespace

TransformPath portable_path() {
  return {"portable",
          FactorForm::montgomery,
          never,
          [] { return true; },
          &WordPasses::twist,
          &WordPasses::forward_top,
          &WordPasses::forward_top_rows,
          &WordPasses::inverse_top,
          &WordPasses::forward_columns,
          &WordPasses::inverse_columns,
          &WordPasses::subtree,
          &recombine_by_words};
}

}  // namespace duet
