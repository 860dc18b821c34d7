#include "kernels/data_decomposition/matmul/multiplication.hpp"

#include <algorithm>
#include <limits>
#include <stdexcept>
#include <utility>

#include "kernels/core/execution_in.hpp"
#include "kernels/core/on_each_thread.hpp"
#include "kernels/core/tbb_team.hpp"
#include "kernels/data_decomposition/matmul/shared_pieces.hpp"
#include "kernels/data_decomposition/matmul/verify.hpp"
#include "kernels/local_product/local_product.hpp"
#include "kernels/product/agreed_kernel.hpp"
#include "kernels/product/tiles.hpp"

namespace duet {
namespace {

/// What the variant of `model` runs with, the kernel settled.
Execution settled(Model model, Execution execution) {
  execution = execution_in(model, std::move(execution));
  const std::vector<Setting> declared = matmul_tunables(model);
  std::map<std::string, std::string> values;
  for (const Setting& setting : declared) values[setting.name] = execution.text_or(setting.name, setting.preset);
  values["local_kernel"] = agreed_kernel(values.at("local_kernel"), execution.communicator);
  execution.tunables = Settings{"matmul", declared, values};
  return execution;
}

}  // namespace

std::vector<Setting> matmul_tunables(Model model) {
  std::vector<Setting> tunables{local_kernel_setting()};
  if (runs_threads(model)) {
    tunables.push_back({"tile", "0", "largest number of rows and columns of a tile of C; 0: chosen", {}});
  }
  if (runs_threads(model) && !passes_messages(model)) {
    tunables.push_back({"layers", "0", "groups of threads that share k out, a divisor of the threads; 0: chosen", {}});
  }
  if (passes_messages(model)) {
    tunables.push_back({"aim", "time", "what the grid of ranks is chosen for", {"time", "words"}});
    tunables.push_back({"grid", "0", "rows of the grid of ranks, a divisor of their number; 0: chosen", {}});
    tunables.push_back({"layers", "0", "layers of the grid that share k out, a divisor of the ranks; 0: chosen", {}});
    tunables.push_back({"memory", "0", "MiB that one rank may hold, which keep layers few; 0: no limit", {}});
    tunables.push_back({"panel", "0", "columns of A that one broadcast carries; 0: chosen", {}});
  }
  if (model == Model::mpi) {
    tunables.push_back({"strips", "1", "pieces of a local product, between which MPI makes progress", {}, 1});
  }
  return tunables;
}

PlanLimits limits_of(const Settings& tunables, std::int64_t element_bytes) {
  const auto whole = [&](const char* name) { return tunables.all().contains(name) ? tunables.whole(name) : 0; };
  PlanLimits limits{
      .rows = whole("grid"), .layers = whole("layers"), .panel = whole("panel"), .word_bytes = element_bytes};
  if (const std::int64_t memory = whole("memory"); memory != 0) {
    limits.memory_words = static_cast<double>(memory) * 0x1p20 / static_cast<double>(element_bytes);
  }
  // A float is half as long on its way, and half as long in the making.
  const bool for_words = tunables.all().contains("aim") && tunables.text("aim") == "words";
  if (!for_words) limits.operations_per_word = operations_of_a_word;
  return limits;
}

template <class Element>
MultiplicationOf<Element>::MultiplicationOf(Model model, const ProductShape& shape, Execution execution,
                                            const FillBlockOf<Element>& fill_a, const FillBlockOf<Element>& fill_b,
                                            Filling filling)
    : model_{model},
      execution_{settled(model, std::move(execution))},
      team_{model == Model::tbb ? std::make_unique<TbbTeam>(execution_) : nullptr},
      ranks_{passes_messages(model) ? plan_product(shape, size_of(execution_.communicator),
                                                   limits_of(execution_.tunables, sizeof(Element)))
                                          .grid
                                    : ProductGrid{},
             execution_.communicator},
      layout_{shape, ranks_.shape()} {
  const int rank = ranks_.rank();
  const bool in_layers = !passes_messages(model) && layers_in(shape, execution_) > 1;
  place(a_, layout_.a_of(rank), in_layers ? Cut::columns : Cut::rows, fill_a, filling);
  place(b_, layout_.b_of(rank), Cut::rows, fill_b, filling);
  c_ = Matrix<Element>{c_block().rows.size(), c_block().columns.size()};
  reset();
}

template <class Element>
MultiplicationOf<Element>::~MultiplicationOf() = default;

// Each thread has the rows of A that the tiles it begins with need, where a grid of threads has one column, or its
// layer's columns, and an equal share of B, which all read or its layer.
template <class Element>
void MultiplicationOf<Element>::place(Matrix<Element>& operand, const Block& where, Cut cut,
                                      const FillBlockOf<Element>& fill, Filling filling) {
  operand = Matrix<Element>{where.rows.size(), where.columns.size()};
  const MatrixView<Element> whole = operand.view();
  on_each_thread(team_.get(), execution_.threads, [&](int thread) {
    Range rows{0, whole.rows};
    Range columns{0, whole.columns};
    (cut == Cut::rows ? rows : columns) =
        share_of(cut == Cut::rows ? whole.rows : whole.columns, execution_.threads, thread);
    const MatrixView<Element> part = whole.block(rows.begin, columns.begin, rows.size(), columns.size());
    if (filling == Filling::in_parts) {
      fill(part, {{where.rows.begin + rows.begin, where.rows.begin + rows.end},
                  {where.columns.begin + columns.begin, where.columns.begin + columns.end}});
    } else {
      fill_with_zeros(part);
    }
  });
  if (filling == Filling::whole) fill(whole, where);
}

template <class Element>
void MultiplicationOf<Element>::reset() {
  const Tiles tiles = tiles_of(c_.rows(), c_.columns(), execution_.threads, 0);
  on_each_thread(team_.get(), execution_.threads, [&](int thread) {
    for (std::int64_t tile = thread; tile < tiles.count(); tile += execution_.threads) {
      const Block& block = tiles[tile];
      for (std::int64_t row = block.rows.begin; row < block.rows.end; ++row) {
        std::fill_n(c_.data() + row * c_.columns() + block.columns.begin, block.columns.size(),
                    std::numeric_limits<Element>::quiet_NaN());
      }
    }
  });
}

template <class Element>
void MultiplicationOf<Element>::execute() {
  switch (model_) {
    case Model::serial:
      return matmul_serial<Element>(a_.view(), b_.view(), c_.view(), execution_);
    case Model::openmp:
      return matmul_openmp<Element>(a_.view(), b_.view(), c_.view(), execution_);
    case Model::tbb:
      return matmul_tbb<Element>(a_.view(), b_.view(), c_.view(), execution_, *team_);
    case Model::mpi:
      return matmul_mpi(mine(), execution_);
    case Model::hybrid:
      return matmul_hybrid(mine(), execution_);
  }
}

template <class Element>
OwnedBlocksOf<Element> MultiplicationOf<Element>::mine() {
  return {ranks_, layout_, a_.view(), b_.view(), c_.view()};
}

template <class Element>
Judgement MultiplicationOf<Element>::verify(std::uint64_t seed) {
  return judge_product(mine(), seed);
}

template <class Element>
std::map<std::string, std::string> MultiplicationOf<Element>::facts() const {
  const LocalKernel& kernel = local_kernel(execution_.tunables.text("local_kernel"));
  std::map<std::string, std::string> facts{{"local_kernel", kernel.library}, {"code_path", kernel.code_path}};
  if (passes_messages(model_)) {
    facts["grid"] = grid_text(ranks_.shape());
    const auto idle = size_of(execution_.communicator) - ranks_.shape().size();
    if (idle > 0) facts["idle_ranks"] = std::to_string(idle);
  }
  return facts;
}

template class MultiplicationOf<double>;
template class MultiplicationOf<float>;

}  // namespace duet
