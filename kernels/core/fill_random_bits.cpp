// Philox4x32-10 on vectors: the four words of a counter are in four vectors, one number in each lane of 64 bits. A
// round multiplies two of them by constants, 32 bits by 32, and both halves of the products go on:
//
//     c0, c1, c2, c3  ->  high(M1 c2) ^ c1 ^ k0,  low(M1 c2),  high(M0 c0) ^ c3 ^ k1,  low(M0 c0)
//
// Only the low half of a lane counts; what is above it is never cleared before the end.

#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/core/random.hpp"

// Lanes that a vector leaves over are counted at compile time.
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/core/fill_random_bits.cpp"
#include <hwy/foreach_target.h>
//
#include <hwy/highway.h>

#include "kernels/core/simd_target.hpp"

HWY_BEFORE_NAMESPACE();
namespace duet {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET != HWY_SCALAR

using Wide = hn::ScalableTag<std::uint64_t>;
using Vector = hn::Vec<Wide>;
constexpr std::size_t lanes = hn::MaxLanes(Wide{});

HWY_INLINE Vector product_of_low_halves(Vector x, Vector y) {
  const hn::Repartition<std::uint32_t, Wide> halves;
  return hn::MulEven(hn::BitCast(halves, x), hn::BitCast(halves, y));
}

/// random_bits(seed, stream, i) for each i.
HWY_INLINE Vector random_bits_of(std::uint64_t seed, std::uint32_t stream, Vector i) {
  const Wide words;
  const Vector first_factor = hn::Set(words, PHILOX_M4x32_0);
  const Vector second_factor = hn::Set(words, PHILOX_M4x32_1);
  Vector c0 = i;
  Vector c1 = hn::ShiftRight<32>(i);
  Vector c2 = hn::Zero(words);
  Vector c3 = hn::Set(words, stream);
  auto k0 = static_cast<std::uint32_t>(seed);
  auto k1 = static_cast<std::uint32_t>(seed >> 32U);
  for (int round = 0; round < 10; ++round) {
    const Vector first = product_of_low_halves(c0, first_factor);
    const Vector second = product_of_low_halves(c2, second_factor);
    c0 = hn::Xor(hn::Xor(hn::ShiftRight<32>(second), c1), hn::Set(words, k0));
    c2 = hn::Xor(hn::Xor(hn::ShiftRight<32>(first), c3), hn::Set(words, k1));
    c1 = second;
    c3 = first;
    k0 += PHILOX_W32_0;
    k1 += PHILOX_W32_1;
  }
  return hn::Or(hn::ShiftLeft<32>(c1), hn::And(c0, hn::Set(words, 0xffffffffU)));
}

#endif

void fill_random_bits_here(std::span<std::uint64_t> bits, std::uint64_t seed, std::uint32_t stream,
                           std::uint64_t first) {
  std::size_t k = 0;
#if HWY_TARGET != HWY_SCALAR
  // Two vectors, so that the products of one do not wait for each other.
  const Wide words;
  for (; k + 2 * lanes <= bits.size(); k += 2 * lanes) {
    const Vector here = hn::Iota(words, first + k);
    hn::StoreU(random_bits_of(seed, stream, here), words, bits.data() + k);
    const Vector next = hn::Iota(words, first + k + lanes);
    hn::StoreU(random_bits_of(seed, stream, next), words, bits.data() + k + lanes);
  }
#endif
  for (; k < bits.size(); ++k) bits[k] = random_bits(seed, stream, first + k);
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace duet
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace duet {
namespace {

HWY_EXPORT(fill_random_bits_here);

}  // namespace

void fill_random_bits(std::span<std::uint64_t> bits, std::uint64_t seed, std::uint32_t stream, std::uint64_t first) {
  choose_simd_target();
  HWY_DYNAMIC_DISPATCH(fill_random_bits_here)(bits, seed, stream, first);
}

}  // namespace duet
#endif
