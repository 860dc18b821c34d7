// The streaming triad, a_i = b_i + s c_i, stored past the caches: what memory can do. As a peer of the stencil it says
// how long the sweeps take where each point and sweep costs the 16 bytes of one sweep by itself and memory is the only
// limit (J. D. McCalpin, "Memory bandwidth and machine balance in current high performance computers", 1995; S.
// Williams et al., "Roofline", 2009).

#include <fmt/format.h>
#include <hwy/cache_control.h>
#include <omp.h>

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "drivers/bench/peer.hpp"
#include "kernels/core/partition.hpp"
#include "kernels/data_decomposition/stencil/grid_memory.hpp"
#include "kernels/registry.hpp"

// What is fastest here is chosen when it runs.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "drivers/bench/triad_peer.cpp"
#include <hwy/foreach_target.h>
//
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace duet {
namespace HWY_NAMESPACE {
namespace {

/// `count` is a multiple of 8, and all three begin on a cache line.
void triad_here(double* a, const double* b, const double* c, std::int64_t count) {
  namespace hn = hwy::HWY_NAMESPACE;
  const hn::ScalableTag<double> all;
  const auto factor = hn::Set(all, 3.0);
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(all));
  for (std::int64_t i = 0; i < count; i += lanes) {
    hn::Stream(hn::MulAdd(factor, hn::Load(all, c + i), hn::Load(all, b + i)), all, a + i);
  }
  hwy::FlushStream();
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace duet
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace duet {
namespace {

HWY_EXPORT(triad_here);

/// The same part of all arrays for a thread each time; whole cache lines.
Range lines_of(std::int64_t words, int threads, int thread) {
  const Range lines = share_of(words / 8, threads, thread);
  return {8 * lines.begin, 8 * lines.end};
}

}  // namespace

void run_triad_peer(const PeerOptions& options) {
  const Problem& problem = problem_called("stencil");
  const Instance instance = problem.pose(options.size, 1, {});
  // Three arrays that together are as large as the two grids of the stencil.
  const auto points = static_cast<double>(instance.extents[0]) * static_cast<double>(instance.extents[1]);
  const std::int64_t words = std::max<std::int64_t>(8, static_cast<std::int64_t>(points * 2 / 3) / 8 * 8);
  GridMemory memory_of_a{1, words};
  GridMemory memory_of_b{1, words};
  GridMemory memory_of_c{1, words};
  double* const a = memory_of_a.view().data;
  double* const b = memory_of_b.view().data;
  double* const c = memory_of_c.view().data;
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
  const auto triad = HWY_DYNAMIC_DISPATCH(triad_here);
  const auto on_all = [&](auto&& act) {
#pragma omp parallel num_threads(options.threads) default(none) shared(act, options, words)
    act(lines_of(words, omp_get_num_threads(), omp_get_thread_num()));
  };
  on_all([&](const Range& mine) {
    for (std::int64_t i = mine.begin; i < mine.end; ++i) {
      a[i] = 0;
      b[i] = 1;
      c[i] = static_cast<double>(i % 8);
    }
  });

  Trial trial = trial_of(problem, instance, Model::openmp, options.threads);
  const double bytes_of_sweeps = 16 * points * static_cast<double>(instance.parameters.whole("sweeps"));
  constexpr int passes = 4;
  for (trial.number = 0; trial.number <= options.repeat; ++trial.number) {
    using Clock = std::chrono::steady_clock;
    const Clock::time_point begin = Clock::now();
    for (int pass = 0; pass < passes; ++pass) {
      on_all([&](const Range& mine) { triad(a + mine.begin, b + mine.begin, c + mine.begin, mine.size()); });
    }
    const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
    const double bandwidth = passes * 3 * sizeof(double) * static_cast<double>(words) / seconds;
    trial.seconds = bytes_of_sweeps / bandwidth;
    trial.facts["code_path"] = fmt::format("{:.1f} GB/s", bandwidth * 1e-9);
    trial.outcome = a[words - 1] == 22.0 ? Outcome::right : Outcome::wrong;
    trial.marks.clear();
    if (trial.number == 0) trial.marks.emplace_back("warm_up");
    append_trial(options.json, trial);
  }
}

}  // namespace duet
#endif
