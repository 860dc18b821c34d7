#include "kernels/data_decomposition/matmul/multiplication.hpp"

#include <algorithm>
#include <limits>
#include <stdexcept>
#include <utility>

#include "kernels/core/tbb_team.hpp"
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

/// "2" rows of ranks, or 0 for the grid that moves the fewest words.
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

/// What the variant of `model` runs with: the kernel settled, and no communicator where it passes no messages.
Execution settled(Model model, Execution execution) {
  if (!passes_messages(model)) execution.communicator = MPI_COMM_NULL;
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
  return tunables;
}

Multiplication::Multiplication(Model model, const ProductShape& shape, Execution execution, const FillBlock& fill_a,
                               const FillBlock& fill_b)
    : model_{model},
      execution_{settled(model, std::move(execution))},
      team_{model == Model::tbb ? std::make_unique<TbbTeam>(execution_) : nullptr},
      ranks_{chosen_grid(shape, execution_), execution_.communicator},
      layout_{shape, ranks_.shape()} {
  const auto place = [&](const Block& block) { return Matrix<double>{block.rows.size(), block.columns.size()}; };
  const int rank = ranks_.rank();
  a_ = place(layout_.a_of(rank));
  b_ = place(layout_.b_of(rank));
  c_ = place(layout_.c_of(rank));
  fill_a(a_.view(), layout_.a_of(rank));
  fill_b(b_.view(), layout_.b_of(rank));
  reset();
}

Multiplication::~Multiplication() = default;

void Multiplication::reset() {
  std::fill_n(c_.data(), c_.rows() * c_.columns(), std::numeric_limits<double>::quiet_NaN());
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
