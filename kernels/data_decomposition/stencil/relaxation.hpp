#pragma once

/// A grid in the memory of the processes that sweep it: placed where a model wants it, swept, judged.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "kernels/core/execution.hpp"
#include "kernels/core/problem.hpp"
#include "kernels/core/view.hpp"
#include "kernels/core/vocabulary.hpp"
#include "kernels/data_decomposition/stencil/grid_memory.hpp"
#include "kernels/data_decomposition/stencil/rank_block.hpp"
#include "kernels/data_decomposition/stencil/verify.hpp"

namespace duet {

/// What `stencil` may be told in `model`.
[[nodiscard]] std::vector<Setting> stencil_tunables(Model model);

/// Sweeps over one grid in one model. Owns two grids, or this rank's blocks of them with their halos.
class Relaxation {
 public:
  /// Allocates so that pages belong to the workers that will use them, and resets. Collective over
  /// execution.communicator where `model` passes messages; the other models work in this process alone. Throws
  /// std::invalid_argument for tunables that cannot serve the grid. What `execution` refers to must outlive this
  /// object.
  Relaxation(Model model, GridShape shape, const Sweeps& sweeps, Execution execution, InitialGrid initial);
  ~Relaxation();
  Relaxation(const Relaxation&) = delete;
  Relaxation& operator=(const Relaxation&) = delete;

  /// Sets the owned points to the initial grid, and all else, halos and the second grid, to NaN.
  void reset();
  /// The sweeps, from the initial grid: resets first where this was not done since the last time. Collective like the
  /// constructor.
  void execute();
  /// Judges what `execute` left (see StencilJudge). Collective, the same on every rank.
  [[nodiscard]] Judgement verify(std::uint64_t seed);
  /// Collective, the same on every rank.
  [[nodiscard]] std::string digest() const;

  /// This rank's part of the grid as it is now, and where it stands in the whole. Parts of different ranks are disjoint
  /// and together are all of it.
  [[nodiscard]] View owned();
  [[nodiscard]] Region owned_in_whole() const;
  /// The division over ranks; for one process, of one block.
  [[nodiscard]] const BlockLayout& layout() const { return layout_; }

  /// What was chosen: instruction set, sweeps of a pass, grid of ranks.
  [[nodiscard]] std::map<std::string, std::string> facts() const;

 private:
  [[nodiscard]] View part(View local) const;

  Model model_;
  GridShape shape_;
  Sweeps sweeps_;
  Execution execution_;
  InitialGrid initial_;
  std::unique_ptr<class TbbTeam> team_;  ///< for tbb alone
  BlockLayout layout_;
  std::optional<RankBlock> block_;  ///< under message passing alone
  GridMemory first_;
  GridMemory second_;
  View current_;
  bool is_fresh_ = false;
  std::unique_ptr<StencilJudge> judge_;
  std::uint64_t judge_seed_ = 0;
};

}  // namespace duet
