#include "kernels/data_decomposition/matmul/matmul.hpp"

#include <cmath>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "kernels/core/number_text.hpp"
#include "kernels/core/precision.hpp"
#include "kernels/core/random.hpp"
#include "kernels/data_decomposition/matmul/multiplication.hpp"
#include "kernels/data_decomposition/matmul/shared_pieces.hpp"

namespace duet {
namespace {

ProductShape shape_of(const Instance& instance) {
  return {instance.extents.at(0), instance.extents.at(1), instance.extents.at(2)};
}

Work work_of(const Instance& instance) {
  const auto m = static_cast<double>(instance.extents.at(0));
  const auto n = static_cast<double>(instance.extents.at(1));
  const auto k = static_cast<double>(instance.extents.at(2));
  const auto word = static_cast<double>(word_bytes(instance));
  return {.operations = 2 * m * n * k, .unit = "flop", .compulsory_bytes = word * (m * k + k * n + m * n)};
}

// The matrices, and what ranks hold beside; what a local kernel packs into; the vectors of the check.
double memory_of(const Instance& instance, Model model, int ranks, int threads) {
  const ProductShape shape = shape_of(instance);
  const ProductGrid grid =
      passes_messages(model) ? plan_product(shape, ranks, limits_of({}, word_bytes(instance))).grid : ProductGrid{};
  const auto word = static_cast<double>(word_bytes(instance));
  const double rows = std::ceil(static_cast<double>(shape.m) / static_cast<double>(grid.rows));
  const double columns = std::ceil(static_cast<double>(shape.n) / static_cast<double>(grid.columns));
  // Summands of C beside C itself.
  const double summands = passes_messages(model) ? 0 : (layers_for(shape, threads, 0) - 1) * rows * columns;
  const double check = 8 * (20 * rows + 6 * columns + 5 * static_cast<double>(shape.k));
  constexpr double packed_bytes = 8 << 20;
  return static_cast<double>(grid.size()) * word * held_words(shape, grid, 0) + word * summands +
         ranks * (check + threads * packed_bytes);
}

template <class Element>
Placed place(Model model, const Instance& instance, const Execution& execution) {
  const auto random = [&](std::uint32_t stream) {
    return [&instance, stream](MatrixView<Element> block, const Block& where) {
      fill_random(block, instance.seed, stream, where.rows.begin, where.columns.begin);
    };
  };
  const auto product = std::make_shared<MultiplicationOf<Element>>(model, shape_of(instance), execution, random(0),
                                                                   random(1), Filling::in_parts);
  Placed placed;
  placed.reset = [product] { product->reset(); };
  placed.execute = [product] { product->execute(); };
  placed.verify = [product, seed = instance.seed] { return product->verify(seed); };
  placed.facts = product->facts();
  return placed;
}

/// "1.5e+08 words, 1.02x the lower bound"
std::string words_text(double words, double least) {
  return number_text(words) + " words" + (least > 0 ? ", " + number_text(words / least) + "x the lower bound" : "");
}

std::vector<std::pair<std::string, std::string>> plan_of(const Instance& instance, const Settings& tunables,
                                                         std::int64_t ranks) {
  const ProductShape shape = shape_of(instance);
  const PlanLimits limits = limits_of(tunables, word_bytes(instance));
  const ProductPlan plan = plan_product(shape, ranks, limits);
  const ProductPlan fewest = plan_product(shape, ranks, {.memory_words = limits.memory_words, .panel = limits.panel});
  const double least = least_words(shape, ranks, limits.memory_words);
  const double mebibytes = plan.memory_words * static_cast<double>(word_bytes(instance)) / 0x1p20;
  std::vector<std::pair<std::string, std::string>> lines{
      {"grid", grid_text(plan.grid) + (plan.grid.layers == 1 ? ", rows x columns" : ", rows x columns x layers")},
      {"idle ranks", std::to_string(ranks - plan.grid.size())},
      {"a rank receives", words_text(plan.words, least)},
      {"lower bound", words_text(least, 0)},
      {"a rank holds", words_text(plan.memory_words, 0) + ", " + number_text(mebibytes) + " MiB"},
      {"a rank computes", number_text(plan.operations) + " flop"},
  };
  if (fewest.words < plan.words) {
    lines.emplace_back("fewest words", grid_text(fewest.grid) + ", on " + std::to_string(fewest.grid.size()) +
                                           " ranks: " + words_text(fewest.words, least) + " (--set aim=words)");
  }
  return lines;
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
  problem.parameters = {precision_setting()};
  problem.work = work_of;
  problem.plan = plan_of;
  problem.memory = memory_of;
  problem.variants =
      variants_of_all_models(matmul_tunables, [](Model model, const Instance& instance, const Execution& execution) {
        return in_floats(instance) ? place<float>(model, instance, execution)
                                   : place<double>(model, instance, execution);
      });
  return problem;
}

}  // namespace duet
