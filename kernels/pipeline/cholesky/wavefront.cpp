#include "kernels/pipeline/cholesky/wavefront.hpp"

#include <algorithm>

namespace duet {
namespace {

using Stage = WavefrontStep::Stage;

std::int32_t narrow(std::int64_t index) { return static_cast<std::int32_t>(index); }

}  // namespace

std::vector<WavefrontStep> wavefront(const TileMatrix& a, std::int64_t ahead) {
  struct Mine {
    std::int64_t i = 0;
    std::int64_t j = 0;
    std::int32_t tile = 0;
  };
  std::vector<Mine> by_rows;
  for (const auto& [i, j] : a.mine()) by_rows.push_back({i, j, narrow(std::ssize(by_rows))});
  // Row by row: consecutive updates by one column share L(i, k), which stays in the second-level cache.
  std::ranges::stable_sort(by_rows, {}, &Mine::i);

  std::vector<WavefrontStep> steps;
  for (std::int64_t k = -1; k < a.layout().count(); ++k) {
    std::vector<WavefrontStep> solves;
    for (const auto& [i, j, tile] : by_rows) {
      if (j != k + 1) continue;
      if (k >= 0) steps.push_back({Stage::update, tile, narrow(i), narrow(j), narrow(k)});
      if (i == j) {
        steps.push_back({Stage::factor, tile, narrow(i), narrow(j), narrow(j)});
      } else {
        solves.push_back({Stage::solve, tile, narrow(i), narrow(j), narrow(j)});
      }
    }
    std::int64_t others = 0;
    const auto solve_now = [&] {
      steps.insert(steps.end(), solves.begin(), solves.end());
      solves.clear();
    };
    if (ahead == 0) solve_now();
    for (const auto& [i, j, tile] : by_rows) {
      if (k < 0 || j <= k + 1) continue;
      steps.push_back({Stage::update, tile, narrow(i), narrow(j), narrow(k)});
      if (++others == ahead) solve_now();
    }
    solve_now();
  }
  return steps;
}

}  // namespace duet
