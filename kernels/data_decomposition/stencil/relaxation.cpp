#include "kernels/data_decomposition/stencil/relaxation.hpp"

#include <algorithm>
#include <limits>
#include <stdexcept>
#include <utility>

#include "kernels/core/execution_in.hpp"
#include "kernels/core/on_each_thread.hpp"
#include "kernels/core/tbb_team.hpp"
#include "kernels/data_decomposition/stencil/passes.hpp"
#include "kernels/data_decomposition/stencil/pieces.hpp"
#include "kernels/data_decomposition/stencil/stencil.hpp"

namespace duet {
namespace {

BlockLayout layout_for(const GridShape& shape, const Sweeps& sweeps, const Execution& execution) {
  const int ranks = size_of(execution.communicator);
  const double points = static_cast<double>(shape.rows) * static_cast<double>(shape.columns);
  const std::int64_t temporal = temporal_block(sweeps.star.radius, points / ranks / execution.threads, execution);
  // A halo for more sweeps than there are would never be filled.
  return {shape, sweeps.star.radius, std::min(temporal, std::max<std::int64_t>(1, sweeps.count)), ranks,
          execution.whole_or("grid", 0)};
}

}  // namespace

std::vector<Setting> stencil_tunables(Model model) {
  std::vector<Setting> tunables{
      {"temporal", "0", "the most sweeps of one pass over memory; 0: chosen", {}, 0, 1 << 20},
      {"strip", "0", "columns of a strip, whose levels stay in cache; 0: chosen", {}, 0, std::int64_t{1} << 31},
      {"stores", "auto", "through the caches or past them", {"auto", "cached", "streaming"}}};
  if (passes_messages(model)) {
    tunables.push_back({"grid", "0", "rows of the grid of ranks, a divisor of their number; 0: shortest halos", {}});
  }
  if (model == Model::mpi) {
    tunables.push_back({"strides", "4", "parts of a block's middle, between which MPI makes progress", {}, 1, 1 << 20});
  }
  return tunables;
}

Relaxation::Relaxation(Model model, GridShape shape, const Sweeps& sweeps, Execution execution, InitialGrid initial)
    : model_{model},
      shape_{shape},
      sweeps_{sweeps},
      execution_{execution_in(model, std::move(execution))},
      initial_{std::move(initial)},
      team_{model == Model::tbb ? std::make_unique<TbbTeam>(execution_) : nullptr},
      layout_{layout_for(shape, sweeps, execution_)} {
  GridShape local = shape;
  if (passes_messages(model)) local = block_.emplace(layout_, execution_.communicator).local_shape();
  first_ = GridMemory{local.rows, local.columns};
  second_ = GridMemory{local.rows, local.columns};
  reset();
}

Relaxation::~Relaxation() = default;

Region Relaxation::owned_in_whole() const {
  return block_ ? block_->owned_in_whole() : Region{{0, shape_.rows}, {0, shape_.columns}};
}

View Relaxation::part(View local) const {
  if (!block_) return local;
  const Region owned = block_->owned();
  return local.block(owned.rows.begin, owned.columns.begin, owned.rows.size(), owned.columns.size());
}

View Relaxation::owned() { return part(current_); }

void Relaxation::reset() {
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  const View grid = first_.view();
  const View scratch = second_.view();
  const Region whole = owned_in_whole();
  const Region owned = block_ ? block_->owned() : whole;
  const std::int64_t overlap = sweeps_.star.radius * (layout_.temporal() - 1);
  on_each_thread(team_.get(), execution_.threads, [&](int thread) {
    const Region mine = part_of_thread({{0, grid.rows}, {0, grid.columns}}, execution_.threads, thread, overlap);
    if (mine.empty()) return;
    for (std::int64_t row = mine.rows.begin; row < mine.rows.end; ++row) {
      std::fill_n(&scratch(row, mine.columns.begin), mine.columns.size(), nan);
      std::fill_n(&grid(row, mine.columns.begin), mine.columns.size(), nan);
      if (!owned.rows.contains(row)) continue;
      const Range columns = common_part(mine.columns, owned.columns);
      const std::int64_t whole_row = row - owned.rows.begin + whole.rows.begin;
      const std::int64_t to_whole = whole.columns.begin - owned.columns.begin;
      for (std::int64_t column = columns.begin; column < columns.end; ++column) {
        grid(row, column) = initial_(whole_row, column + to_whole);
      }
    }
  });
  current_ = grid;
  is_fresh_ = true;
}

void Relaxation::execute() {
  if (!is_fresh_) reset();
  is_fresh_ = false;
  const View grid = first_.view();
  const View scratch = second_.view();
  switch (model_) {
    case Model::serial:
      current_ = stencil_serial(sweeps_, grid, scratch, execution_);
      break;
    case Model::openmp:
      current_ = stencil_openmp(sweeps_, grid, scratch, execution_);
      break;
    case Model::tbb:
      current_ = stencil_tbb(sweeps_, grid, scratch, execution_, *team_);
      break;
    case Model::mpi:
      current_ = stencil_mpi(*block_, sweeps_, grid, scratch, execution_);
      break;
    case Model::hybrid:
      current_ = stencil_hybrid(*block_, sweeps_, grid, scratch, execution_);
      break;
  }
}

Judgement Relaxation::verify(std::uint64_t seed) {
  if (judge_ == nullptr || seed != judge_seed_) {
    judge_ = std::make_unique<StencilJudge>(shape_, sweeps_, initial_, owned_in_whole(), seed,
                                            Judges{execution_.communicator, execution_.threads});
    judge_seed_ = seed;
  }
  return judge_->judge(owned());
}

std::string Relaxation::digest() const {
  return digest_of_grid(part(current_), owned_in_whole(), {execution_.communicator, execution_.threads});
}

std::map<std::string, std::string> Relaxation::facts() const {
  const PassPlan plan = block_ ? pass_plan(sweeps_, *block_, execution_) : pass_plan(sweeps_, current_, execution_);
  std::map<std::string, std::string> facts{{"code_path", row_sweep_code_path()},
                                           {"stores", plan.stores == Stores::streaming ? "streaming" : "cached"},
                                           {"temporal", std::to_string(plan.depths.empty() ? 0 : plan.depths.front())}};
  if (block_) {
    facts["grid"] = std::to_string(layout_.ranks().rows) + "x" + std::to_string(layout_.ranks().columns);
  }
  return facts;
}

}  // namespace duet
