#include "kernels/data_decomposition/matmul/matmul.hpp"

#include <cmath>
#include <memory>
#include <utility>

#include "kernels/core/random.hpp"
#include "kernels/data_decomposition/matmul/multiplication.hpp"
#include "kernels/data_decomposition/matmul/panel_broadcast.hpp"

namespace duet {
namespace {

ProductShape shape_of(const Instance& instance) {
  return {instance.extents.at(0), instance.extents.at(1), instance.extents.at(2)};
}

Work work_of(const Instance& instance) {
  const auto m = static_cast<double>(instance.extents.at(0));
  const auto n = static_cast<double>(instance.extents.at(1));
  const auto k = static_cast<double>(instance.extents.at(2));
  return {.operations = 2 * m * n * k, .unit = "flop", .compulsory_bytes = 8 * (m * k + k * n + m * n)};
}

// The matrices; the double buffer of panels of every rank; what a local kernel packs into; the vectors of the check.
double memory_of(const Instance& instance, Model model, int ranks, int threads) {
  const ProductShape shape = shape_of(instance);
  const auto m = static_cast<double>(shape.m);
  const auto n = static_cast<double>(shape.n);
  const auto k = static_cast<double>(shape.k);
  const Grid grid = grid_for(shape.m, shape.n, ranks);
  const double rows = std::ceil(m / static_cast<double>(grid.rows));
  const double columns = std::ceil(n / static_cast<double>(grid.columns));
  const double panels = passes_messages(model) ? 2 * widest_chosen_panel * (rows + columns) : 0;
  const double check = 20 * rows + 6 * columns + 5 * k;
  constexpr double packed_bytes = 8 << 20;
  return work_of(instance).compulsory_bytes + ranks * (8 * (panels + check) + threads * packed_bytes);
}

Placed place(Model model, const Instance& instance, const Execution& execution) {
  const auto random = [&](std::uint32_t stream) {
    return [&instance, stream](View block, const Block& where) {
      fill_random(block, instance.seed, stream, where.rows.begin, where.columns.begin);
    };
  };
  const auto product =
      std::make_shared<Multiplication>(model, shape_of(instance), execution, random(0), random(1), Filling::in_parts);
  Placed placed;
  placed.reset = [product] { product->reset(); };
  placed.execute = [product] { product->execute(); };
  placed.verify = [product, seed = instance.seed] { return product->verify(seed); };
  placed.facts = product->facts();
  return placed;
}

}  // namespace

Problem matmul_problem() {
  Problem problem;
  problem.name = "matmul";
  problem.pattern = Pattern::data_decomposition;
  problem.workload = Workload::matrix;
  problem.summary = "C = A B for dense matrices";
  problem.extent_names = {"m", "n", "k"};
  problem.largest_extent = std::int64_t{1} << 31;
  problem.sizes = {32, 64, 128, 256, 512, 1024, 2048};
  problem.work = work_of;
  problem.memory = memory_of;
  for (const Model model : all_models) {
    problem.variants.push_back(
        {model, matmul_tunables(model),
         [model](const Instance& instance, const Execution& execution) { return place(model, instance, execution); }});
  }
  return problem;
}

}  // namespace duet
