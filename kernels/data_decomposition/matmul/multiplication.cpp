#include "kernels/data_decomposition/matmul/multiplication.hpp"

#include <omp.h>
#include <oneapi/tbb/parallel_for.h>

#include <algorithm>
#include <limits>
#include <stdexcept>
#include <utility>

#include "kernels/core/tbb_team.hpp"
#include "kernels/core/first_exception.hpp"
#include "kernels/product/tiles.hpp"
#include "kernels/data_decomposition/matmul/verify.hpp"
#include "kernels/local_product/local_product.hpp"

namespace duet {
namespace {

const std::vector<std::string> kernel_choices{"auto", "duet", "openblas", "blis", "eigen"};

/// The name under which every rank finds the kernel that rank 0 means by `choice`: with "auto" measured rank by rank,
/// noise could give them different ones.
std::string agreed_kernel(const std::string& choice, MPI_Comm ranks) {
  int index = static_cast<int>(std::ranges::find(kernel_choices, choice) - kernel_choices.begin());
  if (index == 0 && rank_in(ranks) == 0) {
    const std::string& library = local_kernel("auto").library;
    const auto named = [&](const std::string& name) { return library.starts_with(name); };
    index = static_cast<int>(std::ranges::find_if(kernel_choices, named) - kernel_choices.begin());
  }
  if (ranks != MPI_COMM_NULL) check(MPI_Bcast(&index, 1, MPI_INT, 0, ranks));
  return kernel_choices.at(static_cast<std::size_t>(index));
}

/// The grid of as many rows as the tunable says, or the one that moves the fewest words.
Grid chosen_grid(const ProductShape& shape, const Execution& execution) {
  const int ranks = size_of(execution.communicator);
  const std::int64_t rows = execution.whole_or("grid", 0);
  if (rows == 0) return grid_for(shape.m, shape.n, ranks);
  if (ranks % rows != 0) {
    throw std::invalid_argument("grid: " + std::to_string(rows) + " rows do not divide " + std::to_string(ranks) +
                                " ranks");
  }
  return {rows, ranks / rows};
}

/// What the variant of `model` runs with: the kernel settled, no communicator where it passes no messages, one thread
/// where it runs none beside.
Execution settled(Model model, Execution execution) {
  if (!passes_messages(model)) execution.communicator = MPI_COMM_NULL;
  if (!runs_threads(model)) execution.threads = 1;
  const std::vector<Setting> declared = matmul_tunables(model);
  std::map<std::string, std::string> values;
  for (const Setting& setting : declared) values[setting.name] = execution.text_or(setting.name, setting.preset);
  values["local_kernel"] = agreed_kernel(values.at("local_kernel"), execution.communicator);
  execution.tunables = Settings{"matmul", declared, values};
  return execution;
}

}  // namespace

std::vector<Setting> matmul_tunables(Model model) {
  std::vector<Setting> tunables{{"local_kernel", "auto", "the library that multiplies on one thread", kernel_choices}};
  if (runs_threads(model)) {
    tunables.push_back({"tile", "0", "largest number of rows and columns of a tile of C; 0: chosen", {}});
  }
  if (passes_messages(model)) {
    tunables.push_back({"grid", "0", "rows of the grid of ranks, a divisor of their number; 0: fewest words", {}});
    tunables.push_back({"panel", "0", "columns of A that one broadcast carries; 0: chosen", {}});
  }
  if (model == Model::mpi) {
    tunables.push_back({"strips", "1", "pieces of a local product, between which MPI makes progress", {}, 1});
  }
  return tunables;
}

Multiplication::Multiplication(Model model, const ProductShape& shape, Execution execution, const FillBlock& fill_a,
                               const FillBlock& fill_b, Filling filling)
    : model_{model},
      execution_{settled(model, std::move(execution))},
      team_{model == Model::tbb ? std::make_unique<TbbTeam>(execution_) : nullptr},
      ranks_{chosen_grid(shape, execution_), execution_.communicator},
      layout_{shape, ranks_.shape()} {
  const int rank = ranks_.rank();
  place(a_, layout_.a_of(rank), fill_a, filling);
  place(b_, layout_.b_of(rank), fill_b, filling);
  c_ = Matrix<double>{c_block().rows.size(), c_block().columns.size()};
  reset();
}

Multiplication::~Multiplication() = default;

// Parts 0 to threads - 1 on the threads of the variant: what they write first comes to lie on their own NUMA node.
void Multiplication::on_team(const std::function<void(int thread)>& act) {
  FirstException failure;
  if (team_) {
    team_->run([&] { oneapi::tbb::parallel_for(0, execution_.threads, act, oneapi::tbb::static_partitioner{}); });
  } else {
#pragma omp parallel num_threads(execution_.threads) default(none) shared(act, failure)
    failure.guard([&] { act(omp_get_thread_num()); });
  }
  failure.rethrow();
}

// Each thread has the rows of A that the tiles it begins with need, where a grid of threads has one column, and an
// equal share of B, which all read.
void Multiplication::place(Matrix<double>& operand, const Block& where, const FillBlock& fill, Filling filling) {
  operand = Matrix<double>{where.rows.size(), where.columns.size()};
  const View whole = operand.view();
  on_team([&](int thread) {
    const Range rows = share_of(whole.rows, execution_.threads, thread);
    const View part = whole.block(rows.begin, 0, rows.size(), whole.columns);
    if (filling == Filling::in_parts) {
      fill(part, {{where.rows.begin + rows.begin, where.rows.begin + rows.end}, where.columns});
    } else {
      std::fill_n(part.data, part.rows * part.columns, 0.0);
    }
  });
  if (filling == Filling::whole) fill(whole, where);
}

void Multiplication::reset() {
  const Tiles tiles = tiles_of(c_.rows(), c_.columns(), execution_.threads, 0);
  on_team([&](int thread) {
    for (std::int64_t tile = thread; tile < tiles.count(); tile += execution_.threads) {
      const Block& block = tiles[tile];
      for (std::int64_t row = block.rows.begin; row < block.rows.end; ++row) {
        std::fill_n(c_.data() + row * c_.columns() + block.columns.begin, block.columns.size(),
                    std::numeric_limits<double>::quiet_NaN());
      }
    }
  });
}

void Multiplication::execute() {
  switch (model_) {
    case Model::serial:
      return matmul_serial(a_.view(), b_.view(), c_.view(), execution_);
    case Model::openmp:
      return matmul_openmp(a_.view(), b_.view(), c_.view(), execution_);
    case Model::tbb:
      return matmul_tbb(a_.view(), b_.view(), c_.view(), execution_, *team_);
    case Model::mpi:
      return matmul_mpi(mine(), execution_);
    case Model::hybrid:
      return matmul_hybrid(mine(), execution_);
  }
}

OwnedBlocks Multiplication::mine() { return {ranks_, layout_, a_.view(), b_.view(), c_.view()}; }

Judgement Multiplication::verify(std::uint64_t seed) { return judge_product(mine(), seed); }

std::map<std::string, std::string> Multiplication::facts() const {
  const LocalKernel& kernel = local_kernel(execution_.tunables.text("local_kernel"));
  std::map<std::string, std::string> facts{{"local_kernel", kernel.library}, {"code_path", kernel.code_path}};
  if (passes_messages(model_)) {
    facts["grid"] = std::to_string(ranks_.shape().rows) + "x" + std::to_string(ranks_.shape().columns);
  }
  return facts;
}

}  // namespace duet
