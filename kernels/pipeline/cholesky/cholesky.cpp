#include "kernels/pipeline/cholesky/cholesky.hpp"

#include <oneapi/tbb/parallel_for.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <utility>

#include "kernels/core/execution_in.hpp"
#include "kernels/core/random.hpp"
#include "kernels/core/tbb_team.hpp"
#include "kernels/pipeline/cholesky/panel_exchange.hpp"
#include "kernels/pipeline/cholesky/verify.hpp"

namespace duet {
namespace {

/// Three tiles of 240 x 240 take 1.4 MB, of which the kernels keep one in the second-level cache while two flow past;
/// an update runs at 0.97 of the FMA peak, at 0.996 with all in the cache. From 192 to 336 all are within 1 % on one
/// thread; smaller ones shorten the critical path, n / b tiles of b^3.
constexpr std::int64_t best_tile = 240;
constexpr std::int64_t largest_tile = 4800;

std::vector<Setting> tunables_of(Model model) {
  std::vector<Setting> tunables{{.name = "tile",
                                 .preset = "0",
                                 .meaning = "rows and columns of a tile, rounded up to 24s; 0: chosen",
                                 .most = largest_tile}};
  if (passes_messages(model)) {
    tunables.push_back({"grid", "0", "rows of the grid of ranks, a divisor of their number; 0: chosen", {}});
  }
  return tunables;
}

Grid grid_of(const Execution& execution) {
  const std::int64_t ranks = size_of(execution.communicator);
  const std::int64_t rows = execution.whole_or("grid", 0);
  if (rows == 0) return cholesky_grid(ranks);
  if (ranks % rows != 0) {
    throw std::invalid_argument("grid: " + std::to_string(rows) + " rows do not divide " + std::to_string(ranks) +
                                " ranks");
  }
  return {rows, ranks / rows};
}

TileLayout layout_of(const Instance& instance, const Execution& execution) {
  const std::int64_t n = instance.extents.at(0);
  const Grid grid = grid_of(execution);
  const std::int64_t tile = execution.whole_or("tile", 0);
  return {n, tile == 0 ? cholesky_tile(n, grid.size() * execution.threads) : tile, grid};
}

/// A factorisation in the memory of the processes that compute it.
class Factorisation {
 public:
  Factorisation(Model model, const Instance& instance, const Execution& execution)
      : model_{model},
        execution_{execution_in(model, execution)},
        fill_{cholesky_matrix(instance)},
        team_{model == Model::tbb ? std::make_unique<TbbTeam>(execution_) : nullptr},
        matrix_{layout_of(instance, execution_), rank_in(execution_.communicator)},
        exchange_{passes_messages(model) ? std::make_unique<PanelExchange>(matrix_.layout(), execution_.communicator)
                                         : nullptr} {
    reset();
  }

  /// A again, in place of L. The threads that will work on the tiles write them, and the first time so decide where
  /// their pages lie.
  void reset() {
    const std::vector<TileMatrix::Place>& mine = matrix_.mine();
    const std::int64_t count = std::ssize(mine);
    const auto fill = [&](std::int64_t index) {
      const auto& [i, j] = mine[static_cast<std::size_t>(index)];
      fill_(matrix_.layout(), i, j, matrix_.tile(i, j));
    };
    if (team_) {
      team_->run([&] { oneapi::tbb::parallel_for(std::int64_t{0}, count, fill); });
    } else {
#pragma omp parallel for num_threads(execution_.threads) default(none) shared(count, fill) schedule(dynamic, 1)
      for (std::int64_t index = 0; index < count; ++index) fill(index);
    }
  }

  void execute() {
    switch (model_) {
      case Model::serial:
        return cholesky_serial(matrix_, execution_);
      case Model::openmp:
        return cholesky_openmp(matrix_, execution_);
      case Model::tbb:
        return cholesky_tbb(matrix_, execution_, *team_);
      case Model::mpi:
        return cholesky_mpi(matrix_, *exchange_, execution_);
      case Model::hybrid:
        return cholesky_hybrid(matrix_, *exchange_, execution_);
    }
  }

  [[nodiscard]] Judgement verify(std::uint64_t seed) const {
    return judge_cholesky(matrix_, fill_, execution_.communicator, seed);
  }

  [[nodiscard]] std::map<std::string, std::string> facts() const {
    const TileLayout& layout = matrix_.layout();
    std::map<std::string, std::string> facts{
        {"local_kernel", "duet"}, {"code_path", tile_kernels().code_path}, {"tile", std::to_string(layout.tile())}};
    if (passes_messages(model_)) {
      facts["grid"] = std::to_string(layout.grid().rows) + "x" + std::to_string(layout.grid().columns);
    }
    return facts;
  }

 private:
  Model model_;
  Execution execution_;
  FillTile fill_;
  std::unique_ptr<TbbTeam> team_;
  TileMatrix matrix_;
  std::unique_ptr<PanelExchange> exchange_;
};

Work work_of(const Instance& instance) {
  const auto n = static_cast<double>(instance.extents.at(0));
  // The multiplications and additions, divisions and roots of the textbook; the lower triangle read and written.
  return {.operations = n * (n + 1) * (2 * n + 1) / 6, .unit = "flop", .compulsory_bytes = 2 * 8 * n * (n + 1) / 2};
}

// The tiles; what ranks keep of others' panels; the list of tasks; the vectors of the check.
double memory_of(const Instance& instance, Model model, int ranks, int threads) {
  const auto n = static_cast<double>(instance.extents.at(0));
  const int processes = passes_messages(model) ? ranks : 1;
  const Grid grid = cholesky_grid(processes);
  const auto tile = static_cast<double>(cholesky_tile(instance.extents.at(0), std::int64_t{processes} * threads));
  const auto rows = static_cast<double>(grid.rows);
  const auto columns = static_cast<double>(grid.columns);
  const double padded = std::ceil(n / tile) * tile;
  const double tiles = padded * (padded + tile) / 2;
  const double panel = tile * (padded + tile * columns) / columns + tile * (padded + tile * rows) / rows + tile * tile;
  const double panels = processes > 1 ? static_cast<double>(PanelExchange::slots) * panel * processes : 0;
  const double count = padded / tile + 1;
  const double tasks = (passes_messages(model) ? 20 : model == Model::serial ? 0 : 2) * count * count * count / 6;
  constexpr double huge_page = 1 << 21;
  return 8 * (tiles + panels + processes * (25 * padded + tile * tile)) + tasks + 64 * count * count +
         processes * (1 + PanelExchange::slots) * huge_page + 1e6;
}

}  // namespace

NotPositiveDefinite::NotPositiveDefinite(std::int64_t pivot, std::int64_t n)
    : std::domain_error{"the matrix of order " + std::to_string(n) + " is not positive definite: pivot " +
                        std::to_string(pivot) + ", counted from 0, is not positive and finite"},
      pivot_{pivot} {}

FillTile cholesky_matrix(const Instance& instance) {
  const std::int64_t shift = instance.parameters.whole("shift");
  const auto added = static_cast<double>(shift == 0 ? instance.extents.at(0) : shift);
  return [added, seed = instance.seed](const TileLayout& layout, std::int64_t i, std::int64_t j, double* to) {
    fill_tile(layout, i, j, to, [&](std::int64_t row, std::int64_t column) {
      return random_entry(seed, 0, row, column) + (row == column ? added : 0);
    });
  };
}

std::int64_t cholesky_tile(std::int64_t n, std::int64_t workers) {
  // Each worker finds tasks as long as there are a few columns of tiles for each; below 72 rows a task is too short.
  const std::int64_t wanted = n / (4 * workers + 4);
  return std::clamp(whole_strips(wanted), std::int64_t{72}, best_tile);
}

Grid cholesky_grid(std::int64_t ranks) { return grid_for(1, 1, ranks); }

Problem cholesky_problem() {
  Problem problem;
  problem.name = "cholesky";
  problem.pattern = Pattern::pipeline;
  problem.workload = Workload::matrix;
  problem.summary = "A = L L^T by tiles";
  problem.extent_names = {"n"};
  problem.largest_extent = std::int64_t{1} << 24;
  problem.parameters = {{.name = "shift",
                         .preset = "0",
                         .meaning = "what is added to the diagonal of a random symmetric matrix; 0: n",
                         .most = std::int64_t{1} << 40}};
  problem.sizes = {64, 128, 256, 512, 1024, 2048, 4096};
  problem.work = work_of;
  problem.memory = memory_of;
  problem.variants =
      variants_of_all_models(tunables_of, [](Model model, const Instance& instance, const Execution& execution) {
        auto factorisation = std::make_shared<Factorisation>(model, instance, execution);
        Placed placed;
        placed.reset = [factorisation] { factorisation->reset(); };
        placed.execute = [factorisation] { factorisation->execute(); };
        placed.verify = [factorisation, seed = instance.seed] { return factorisation->verify(seed); };
        placed.facts = factorisation->facts();
        return placed;
      });
  return problem;
}

}  // namespace duet
