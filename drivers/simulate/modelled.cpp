#include "drivers/simulate/modelled.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <vector>

#include "drivers/simulate/simulated_problems.hpp"
#include "kernels/core/mpi.hpp"
#include "kernels/data_decomposition/matmul/multiplication.hpp"

namespace duet {
namespace {

/// A product whose blocks are views of one row with stride 0: the kernel reads from them and hands them on as it would
/// any, and they take 8 bytes a column.
class FlatProduct {
 public:
  FlatProduct(const ProductShape& shape, const Execution& execution)
      : execution_{execution},
        ranks_{chosen_grid(shape, execution), execution.communicator},
        layout_{shape, ranks_.shape()} {
    const int rank = ranks_.rank();
    row_.resize(static_cast<std::size_t>(
        std::max({layout_.a_of(rank).columns.size(), layout_.b_of(rank).columns.size(), std::int64_t{1}})));
  }

  void execute() {
    const int rank = ranks_.rank();
    matmul_mpi(
        OwnedBlocks{ranks_, layout_, flat(layout_.a_of(rank)), flat(layout_.b_of(rank)), flat(layout_.c_of(rank))},
        execution_);
  }
  [[nodiscard]] const ProductGrid& grid() const { return ranks_.shape(); }

 private:
  [[nodiscard]] View flat(const Block& block) { return {row_.data(), block.rows.size(), block.columns.size(), 0}; }

  static ProductGrid chosen_grid(const ProductShape& shape, const Execution& execution) {
    return plan_product(shape, size_of(execution.communicator), limits_of(execution.tunables, sizeof(double))).grid;
  }

  Execution execution_;
  RankGrid ranks_;
  ProductLayout layout_;
  std::vector<double> row_;
};

Placed flat_product(const Instance& instance, const Execution& execution) {
  const auto product = std::make_shared<FlatProduct>(
      ProductShape{instance.extents.at(0), instance.extents.at(1), instance.extents.at(2)}, execution);
  Placed placed;
  placed.execute = [product] { product->execute(); };
  placed.facts["grid"] = grid_text(product->grid());
  return placed;
}

}  // namespace

Placed placed_without_memory(const Problem& problem, const Instance& instance, const Execution& execution) {
  if (problem.name == "matmul") return flat_product(instance, execution);
  // What a batch places is room for its answers, which are empty numbers here.
  if (problem.name == "fib_batch") return problem.variant(Model::mpi).place(instance, execution);
  throw std::invalid_argument(fmt::format("{} cannot be simulated, since nothing says what its computing costs; {} can",
                                          problem.name, fmt::join(simulated_problems(), ", ")));
}

}  // namespace duet
