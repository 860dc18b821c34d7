#include "kernels/data_decomposition/stencil/stencil.hpp"

#include <algorithm>
#include <cmath>
#include <memory>
#include <stdexcept>
#include <string>

#include "kernels/core/random.hpp"
#include "kernels/data_decomposition/stencil/passes.hpp"
#include "kernels/data_decomposition/stencil/relaxation.hpp"

namespace duet {
namespace {

GridShape shape_of(const Instance& instance) { return {instance.extents.at(0), instance.extents.at(1)}; }

Sweeps sweeps_of(const Instance& instance) {
  return {Star::of_radius(instance.parameters.whole("radius")), instance.parameters.whole("sweeps")};
}

Work work_of(const Instance& instance) {
  const GridShape shape = shape_of(instance);
  const Sweeps sweeps = sweeps_of(instance);
  const Region interior = interior_of(shape.rows, shape.columns, sweeps.star.radius);
  const double points = static_cast<double>(interior.rows.size()) * static_cast<double>(interior.columns.size());
  return {.operations = static_cast<double>(sweeps.count) * static_cast<double>(5 * sweeps.star.radius - 1) * points,
          .unit = "flop",
          .compulsory_bytes = 16 * static_cast<double>(shape.rows) * static_cast<double>(shape.columns)};
}

// Two grids; the halos of every rank; the levels that every thread keeps; the modes and sums of the check, and the band
// of the mode that is searched for.
double memory_of(const Instance& instance, Model model, int ranks, int threads) {
  const GridShape shape = shape_of(instance);
  const Sweeps sweeps = sweeps_of(instance);
  const auto rows = static_cast<double>(shape.rows);
  const auto columns = static_cast<double>(shape.columns);
  const auto radius = static_cast<double>(sweeps.star.radius);
  const double processes = passes_messages(model) ? ranks : 1;
  const double halo = 2 * std::max<double>(widest_chosen_halo, 2 * radius) + 16;
  const double halos = processes == 1 ? 0 : processes * halo * (rows + columns + halo);
  const double largest_extent = std::max(rows, columns);
  const double band = radius > 1 ? (3 * radius + 2) * largest_extent : 0;
  const double check = 12 * (rows + columns) + 6 * threads * columns + band;
  constexpr double levels_bytes = 4 << 20;
  return 8 * (2 * (grid_memory_words(rows, columns) + halos) + processes * check) + processes * threads * levels_bytes;
}

Placed place(Model model, const Instance& instance, const Execution& execution) {
  const auto initial = [seed = instance.seed](std::int64_t row, std::int64_t column) {
    return random_entry(seed, 0, row, column);
  };
  const auto relaxation =
      std::make_shared<Relaxation>(model, shape_of(instance), sweeps_of(instance), execution, initial);
  Placed placed;
  placed.reset = [relaxation] { relaxation->reset(); };
  placed.execute = [relaxation] { relaxation->execute(); };
  placed.verify = [relaxation, seed = instance.seed] { return relaxation->verify(seed); };
  placed.digest = [relaxation] { return relaxation->digest(); };
  placed.facts = relaxation->facts();
  return placed;
}

std::string text_of(ConstView view) { return std::to_string(view.rows) + " x " + std::to_string(view.columns); }

}  // namespace

void require_conforming(const Sweeps& sweeps, ConstView grid, ConstView scratch) {
  if (sweeps.count < 0) throw std::invalid_argument("sweeps: " + std::to_string(sweeps.count) + " is less than none");
  if (grid.rows != scratch.rows || grid.columns != scratch.columns) {
    throw std::invalid_argument("a grid of " + text_of(grid) + " points with scratch of " + text_of(scratch));
  }
}

void require_conforming(const RankBlock& block, const Sweeps& sweeps, ConstView grid, ConstView scratch) {
  require_conforming(sweeps, grid, scratch);
  const GridShape& local = block.local_shape();
  if (grid.rows != local.rows || grid.columns != local.columns) {
    throw std::invalid_argument("a block of " + text_of(grid) + " points where its halo makes it " +
                                std::to_string(local.rows) + " x " + std::to_string(local.columns));
  }
  if (sweeps.star.radius != block.layout().radius()) {
    throw std::invalid_argument("a star of radius " + std::to_string(sweeps.star.radius) +
                                " on blocks laid out for radius " + std::to_string(block.layout().radius()));
  }
}

Problem stencil_problem() {
  Problem problem;
  problem.name = "stencil";
  problem.pattern = Pattern::data_decomposition;
  problem.workload = Workload::matrix;
  problem.summary = "Jacobi sweeps on a 2-D grid";
  problem.extent_names = {"rows", "columns"};
  problem.largest_extent = std::int64_t{1} << 31;
  problem.parameters = {
      {.name = "radius",
       .preset = "1",
       .meaning = "r of the star; 1: the 5-point stencil",
       .least = 1,
       .most = largest_radius},
      {.name = "sweeps", .preset = "16", .meaning = "how often every point is computed", .most = 1'000'000'000}};
  problem.sizes = {64, 128, 256, 512, 1024, 2048, 4096, 8192};
  problem.work = work_of;
  problem.memory = memory_of;
  problem.variants = variants_of_all_models(stencil_tunables, place);
  return problem;
}

}  // namespace duet
