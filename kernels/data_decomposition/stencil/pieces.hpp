#pragma once

/// How one process divides a pass among its threads.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels/data_decomposition/stencil/passes.hpp"
#include "kernels/data_decomposition/stencil/region.hpp"

namespace duet {

/// Rectangles that together are all of a region. The first `leading` are the larger part of what each thread has of the
/// region, thread by thread, the same in each pass: it stays in that thread's cache and on its NUMA node. All that
/// follow are smaller and go to whoever is free.
struct Pieces {
  std::vector<Region> regions;
  std::int64_t leading = 0;

  [[nodiscard]] std::int64_t count() const { return static_cast<std::int64_t>(regions.size()); }
  [[nodiscard]] const Region& operator[](std::int64_t piece) const { return regions[static_cast<std::size_t>(piece)]; }
};

/// The part of `whole` that thread `thread` has: consecutive rows, or, where each would have fewer than `overlap`, a
/// rectangle. May be empty.
[[nodiscard]] Region part_of_thread(const Region& whole, int threads, int thread, std::int64_t overlap);

/// The division for passes of `depth` sweeps, whose levels overlap by `overlap` rows between pieces. No piece is empty.
/// Small parts are left whole.
[[nodiscard]] Pieces pieces_of(const Region& whole, int threads, std::int64_t depth, std::int64_t overlap);
/// The same for the interior of a plan.
[[nodiscard]] Pieces pieces_of(const PassPlan& plan, int threads);
/// Each of several small regions in as many parts as there are threads, none leading.
[[nodiscard]] Pieces pieces_of(const std::vector<Region>& regions, int threads, std::int64_t overlap);

/// Hands out each piece once, to any number of threads: a worker's own leading piece first, then the small ones, then
/// the leading pieces of workers that have not come.
class PieceQueue {
 public:
  explicit PieceQueue(const Pieces& pieces)
      : pieces_{pieces}, taken_(static_cast<std::size_t>(pieces.leading)), next_small_{pieces.leading} {}

  /// The next piece for `worker`, or -1 when all are taken.
  [[nodiscard]] std::int64_t next(int worker);

 private:
  const Pieces& pieces_;
  std::vector<std::atomic<bool>> taken_;  ///< leading pieces
  std::atomic<std::int64_t> next_small_;
};

}  // namespace duet
