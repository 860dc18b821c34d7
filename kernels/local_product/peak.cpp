#include "kernels/local_product/peak.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>

#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/local_product/peak.cpp"
#include <hwy/foreach_target.h>
//
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace duet {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

// Two units of latency four need eight chains; twelve and two constants fit into sixteen registers.
constexpr std::size_t chains = 12;

/// `steps` multiply-adds on each chain, and the flop they are.
double multiply_adds_here(std::int64_t steps, double& sink) {
  const hn::ScalableTag<double> d;
  using Vector = hn::Vec<hn::ScalableTag<double>>;
  // The chains tend to 1: no overflow, no denormals.
  const Vector factor = hn::Set(d, 1.0 - 0x1p-20);
  const Vector summand = hn::Set(d, 0x1p-20);
  Vector chain[chains];
#pragma GCC unroll 12
  for (std::size_t i = 0; i < chains; ++i) chain[i] = hn::Set(d, sink + static_cast<double>(i));
  for (std::int64_t step = 0; step < steps; ++step) {
#pragma GCC unroll 12
    for (std::size_t i = 0; i < chains; ++i) chain[i] = hn::MulAdd(chain[i], factor, summand);
  }
  Vector sum = hn::Zero(d);
#pragma GCC unroll 12
  for (std::size_t i = 0; i < chains; ++i) sum = hn::Add(sum, chain[i]);
  sink = hn::GetLane(sum);
  return 2.0 * static_cast<double>(steps) * static_cast<double>(chains * hn::Lanes(d));
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace duet
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace duet {
namespace {
HWY_EXPORT(multiply_adds_here);
}  // namespace

double fma_peak(double seconds) {
  using Clock = std::chrono::steady_clock;
  constexpr std::int64_t stretch = 5000;
  double flop = 0;
  double elapsed = 0;
  // Each stretch starts from what the last one left, so that none can be left out.
  volatile double kept = 1;
  const Clock::time_point start = Clock::now();
  do {
    double sink = kept;
    flop += HWY_DYNAMIC_DISPATCH(multiply_adds_here)(stretch, sink);
    kept = sink / 12;
    elapsed = std::chrono::duration<double>(Clock::now() - start).count();
  } while (elapsed < seconds);
  return flop / elapsed;
}

}  // namespace duet
#endif
