#include "kernels/data_decomposition/stencil/pieces.hpp"

#include <algorithm>

namespace duet {
namespace {

/// Updates of a point that take a few hundred microseconds: smaller pieces are not worth another trip to the queue.
constexpr std::int64_t least_updates = std::int64_t{1} << 19;

/// Pieces that the last quarter of a thread's part falls into at the most.
constexpr std::int64_t most_small_pieces = 4;

}  // namespace

Region part_of_thread(const Region& whole, int threads, int thread, std::int64_t overlap) {
  // Whole rows are read as long streams, so as few columns of parts as leave each part rows enough.
  Grid grid{threads, 1};
  while (grid.rows > 1 &&
         (threads % grid.rows != 0 || whole.rows.size() / grid.rows < std::max<std::int64_t>(1, overlap))) {
    --grid.rows;
  }
  grid.columns = threads / grid.rows;
  return {shifted(share_of(whole.rows.size(), grid.rows, grid.row_of(thread)), whole.rows.begin),
          shifted(share_of(whole.columns.size(), grid.columns, grid.column_of(thread)), whole.columns.begin)};
}

Pieces pieces_of(const Region& whole, int threads, std::int64_t depth, std::int64_t overlap) {
  Pieces pieces;
  if (whole.empty()) return pieces;
  std::vector<Region> small;
  for (int thread = 0; thread < threads; ++thread) {
    Region part = part_of_thread(whole, threads, thread, overlap);
    if (part.empty()) continue;
    const std::int64_t rows = part.rows.size() / 4;
    const std::int64_t rows_of_one = std::max(
        {(least_updates - 1) / (part.columns.size() * depth) + 1, 8 * overlap, (rows - 1) / most_small_pieces + 1});
    const std::int64_t count = threads == 1 ? 0 : rows / rows_of_one;
    for (std::int64_t piece = 0; piece < count; ++piece) {
      small.push_back({shifted(share_of(rows, count, piece), part.rows.end - rows), part.columns});
    }
    if (count > 0) part.rows.end -= rows;
    pieces.regions.push_back(part);
  }
  pieces.leading = pieces.count();
  pieces.regions.insert(pieces.regions.end(), small.begin(), small.end());
  return pieces;
}

Pieces pieces_of(const PassPlan& plan, int threads) {
  if (plan.depths.empty()) return {};
  return pieces_of(plan.interior, threads, plan.depths.front(), plan.overlap());
}

Pieces pieces_of(const std::vector<Region>& regions, int threads, std::int64_t overlap) {
  Pieces pieces;
  for (const Region& region : regions) {
    for (int thread = 0; thread < threads; ++thread) {
      const Region part = part_of_thread(region, threads, thread, 4 * overlap);
      if (!part.empty()) pieces.regions.push_back(part);
    }
  }
  return pieces;
}

std::int64_t PieceQueue::next(int worker) {
  const auto take = [this](std::int64_t piece) { return !taken_[static_cast<std::size_t>(piece)].exchange(true); };
  if (worker < pieces_.leading && take(worker)) return worker;
  if (const std::int64_t small = next_small_.fetch_add(1); small < pieces_.count()) return small;
  for (std::int64_t piece = 0; piece < pieces_.leading; ++piece) {
    if (take(piece)) return piece;
  }
  return -1;
}

}  // namespace duet
