#include "kernels/divide_and_conquer/strassen/strassen.hpp"

#include <algorithm>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include "kernels/core/execution_in.hpp"
#include "kernels/core/number_text.hpp"
#include "kernels/core/on_each_thread.hpp"
#include "kernels/core/precision.hpp"
#include "kernels/core/random.hpp"
#include "kernels/core/tbb_team.hpp"
#include "kernels/divide_and_conquer/strassen/leaf.hpp"
#include "kernels/divide_and_conquer/strassen/shared_product.hpp"
#include "kernels/local_product/local_product.hpp"
#include "kernels/product/agreed_kernel.hpp"
#include "kernels/product/judge.hpp"

namespace duet {
namespace {

std::vector<Setting> tunables_of(Model model) {
  std::vector<Setting> tunables{
      local_kernel_setting(),
      {"levels", "auto", "times that a product is divided into seven", {"auto", "0", "1", "2", "3", "4"}},
      {"leaf", "0", "extent down to which products are divided, for levels=auto; 0: chosen", {}}};
  if (runs_threads(model)) {
    tunables.push_back({"tile", "0", "largest number of rows and columns of a tile of a leaf; 0: chosen", {}});
  }
  if (model == Model::openmp || model == Model::tbb) {
    tunables.push_back({"breadth", "0", "levels, from the top, whose seven products are tasks", {"0", "1", "2"}});
  }
  if (passes_messages(model)) {
    tunables.push_back(
        {"breadth", "auto", "levels whose seven products go to groups of ranks", {"auto", "0", "1", "2"}});
    tunables.push_back({"memory", "0", "MiB of workspace that each rank may take; 0: six times its matrices", {}});
    tunables.push_back({"panel", "0", "columns of A, or rows of B, that one message carries; 0: chosen", {}});
  }
  return tunables;
}

StrassenShape shape_of(const Instance& instance) {
  return {instance.extents.at(0), instance.extents.at(1), instance.extents.at(2)};
}

double words_of(const StrassenShape& shape) {
  const auto m = static_cast<double>(shape.m);
  const auto n = static_cast<double>(shape.n);
  const auto k = static_cast<double>(shape.k);
  return m * k + k * n + m * n;
}

/// What rank 0 measures and chooses is what all take: with "auto" measured rank by rank, noise could part them.
Execution settled(Model model, Execution execution) {
  execution = execution_in(model, std::move(execution));
  const std::vector<Setting> declared = tunables_of(model);
  std::map<std::string, std::string> values;
  for (const Setting& setting : declared) values[setting.name] = execution.text_or(setting.name, setting.preset);
  values["local_kernel"] = agreed_kernel(values.at("local_kernel"), execution.communicator);
  std::int64_t leaf = rank_in(execution.communicator) == 0 ? leaf_extent(execution) : 0;
  if (execution.communicator != MPI_COMM_NULL) {
    check(MPI_Bcast(&leaf, 1, MPI_INT64_T, 0, execution.communicator));
  }
  values["leaf"] = std::to_string(leaf);
  execution.tunables = Settings{"strassen", declared, values};
  return execution;
}

RankPlan rank_plan(const StrassenShape& shape, std::int64_t ranks, std::size_t element, const Execution& execution,
                   std::int64_t leaf) {
  const int asked = asked_levels(execution);
  const int levels = asked >= 0 ? levels_within(shape, asked) : levels_for(shape, leaf);
  const std::int64_t panel = execution.whole_or("panel", 0);
  const std::string breadth = execution.text_or("breadth", "auto");
  if (breadth != "auto") {
    const int of_groups = std::min(std::stoi(breadth), levels);
    return {shape, ranks, {levels - of_groups, of_groups, 0}, panel};
  }
  const std::int64_t memory = execution.whole_or("memory", 0);
  const double words = memory > 0 ? static_cast<double>(memory) * 0x1p20 / static_cast<double>(element)
                                  : 6 * words_of(shape) / static_cast<double>(ranks);
  return RankPlan::chosen(shape, ranks, levels, static_cast<std::int64_t>(words), panel);
}

std::string steps_text(const RankPlan::Steps& steps) {
  return std::to_string(steps.depth) + " in depth, " + std::to_string(steps.breadth) + " in breadth, " +
         std::to_string(steps.local) + " in groups";
}
std::string grid_text(const Grid& grid) { return std::to_string(grid.rows) + "x" + std::to_string(grid.columns); }

Runs all_of(std::int64_t extent) { return {0, extent, extent, 1}; }

/// The entries of a random matrix, in the rows and columns that this process has; zeros beyond `rows` x `columns`.
template <class Element>
void fill_part(MatrixView<Element> mine, const Runs& my_rows, const Runs& my_columns, const Block& whole,
               std::uint64_t seed, std::uint32_t stream, const Range& part) {
  if (my_columns.width == 0) return;
  for (std::int64_t row = part.begin; row < part.end; ++row) {
    const std::int64_t global = my_rows[row];
    for (std::int64_t column = 0; column < mine.columns; column += my_columns.width) {
      const std::int64_t first = my_columns[column];
      const std::int64_t inside =
          whole.rows.contains(global) ? std::clamp<std::int64_t>(whole.columns.end - first, 0, my_columns.width) : 0;
      const MatrixView<Element> run = mine.block(row, column, 1, my_columns.width);
      fill_random(run.block(0, 0, 1, inside), seed, stream, global, first);
      std::fill_n(run.data + inside, my_columns.width - inside, Element{0});
    }
  }
}

/// A product in the memory of the processes that compute it.
template <class Element>
class PlacedProduct {
 public:
  PlacedProduct(Model model, const Instance& instance, const Execution& execution)
      : model_{model},
        execution_{settled(model, execution)},
        shape_{shape_of(instance)},
        arena_{model == Model::tbb ? std::make_unique<TbbTeam>(execution_) : nullptr},
        shared_{passes_messages(model) ? SharedPlan{} : shared_plan(shape_, execution_)} {
    if (passes_messages(model)) {
      ranks_ = std::make_unique<RankTeam>(
          rank_plan(shape_, size_of(execution_.communicator), sizeof(Element), execution_, leaf_extent(execution_)),
          execution_.communicator);
      const RankPlan& plan = ranks_->plan();
      const std::int64_t rank = ranks_->rank();
      rows_ = plan.rows(rank);
      columns_ = plan.columns(rank);
      a_columns_ = plan.a_columns(rank);
      b_rows_ = plan.b_rows(rank);
    } else {
      rows_ = all_of(shape_.m);
      columns_ = all_of(shape_.n);
      a_columns_ = b_rows_ = all_of(shape_.k);
    }
    a_ = Matrix<Element>{rows_.size(), a_columns_.size()};
    b_ = Matrix<Element>{b_rows_.size(), columns_.size()};
    c_ = Matrix<Element>{rows_.size(), columns_.size()};
    on_rows(a_.rows(), [&](const Range& part) {
      fill_part(a_.view(), rows_, a_columns_, {{0, shape_.m}, {0, shape_.k}}, instance.seed, 0, part);
    });
    on_rows(b_.rows(), [&](const Range& part) {
      fill_part(b_.view(), b_rows_, columns_, {{0, shape_.k}, {0, shape_.n}}, instance.seed, 1, part);
    });
    reset();
  }

  void reset() {
    on_rows(c_.rows(), [&](const Range& part) {
      std::fill_n(c_.data() + part.begin * c_.columns(), part.size() * c_.columns(),
                  std::numeric_limits<Element>::quiet_NaN());
    });
  }

  void execute() {
    switch (model_) {
      case Model::serial:
        return strassen_serial<Element>(a_.view(), b_.view(), c_.view(), execution_, space_);
      case Model::openmp:
        return strassen_openmp<Element>(a_.view(), b_.view(), c_.view(), execution_, space_);
      case Model::tbb:
        return strassen_tbb<Element>(a_.view(), b_.view(), c_.view(), execution_, space_, *arena_);
      case Model::mpi:
        return strassen_mpi<Element>({*ranks_, a_.view(), b_.view(), c_.view()}, execution_);
      case Model::hybrid:
        return strassen_hybrid<Element>({*ranks_, a_.view(), b_.view(), c_.view()}, execution_);
    }
  }

  [[nodiscard]] Judgement verify(std::uint64_t seed) const {
    OwnedProduct<Element> mine{.m = shape_.m,
                               .n = shape_.n,
                               .k = shape_.k,
                               .a = a_.view(),
                               .b = b_.view(),
                               .c = c_.view(),
                               .rows = rows_,
                               .columns = columns_,
                               .a_columns = a_columns_,
                               .b_rows = b_rows_};
    double error = shared_.error();
    int levels = shared_.levels;
    if (ranks_) {
      const RankPlan& plan = ranks_->plan();
      mine.all = ranks_->all();
      mine.along_row = ranks_->along_row();
      mine.along_column = ranks_->along_column();
      mine.m = plan.padded().m;
      mine.n = plan.padded().n;
      mine.k = plan.padded().k;
      levels = plan.steps().levels();
      error = strassen_error(mine.k, levels);
    }
    constexpr int sampled_rows = 3;
    return judge(mine, seed, {error, levels > 0, levels > 0 ? sampled_rows : 0});
  }

  [[nodiscard]] std::map<std::string, std::string> facts() const {
    const LocalKernel& kernel = local_kernel(execution_.tunables.text("local_kernel"));
    std::map<std::string, std::string> facts{{"local_kernel", kernel.library}, {"code_path", kernel.code_path}};
    if (!ranks_) {
      facts["levels"] = std::to_string(shared_.levels);
      facts["workspace_words"] = std::to_string(shared_.workspace());
      return facts;
    }
    const RankPlan& plan = ranks_->plan();
    const RankPlan::Steps& steps = plan.steps();
    std::int64_t words = 0;
    for (std::int64_t rank = 0; rank < plan.ranks(); ++rank) words += plan.workspace(rank);
    facts["levels"] = std::to_string(steps.levels());
    facts["steps"] = steps_text(steps);
    facts["grid"] = grid_text(plan.grid());
    facts["workspace_words"] = std::to_string(words);
    return facts;
  }

 private:
  // Each thread writes an equal share of the rows first, so pages lie where threads are.
  template <class Act>
  void on_rows(std::int64_t rows, Act&& act) {
    const int threads = execution_.threads;
    on_each_thread(arena_.get(), threads, [&](int thread) { act(share_of(rows, threads, thread)); });
  }

  Model model_;
  Execution execution_;
  StrassenShape shape_;
  std::unique_ptr<TbbTeam> arena_;   ///< for tbb alone
  SharedPlan shared_;                ///< for the models of one process
  std::unique_ptr<RankTeam> ranks_;  ///< for the others
  PackingSpace space_;
  Runs rows_;
  Runs columns_;
  Runs a_columns_;
  Runs b_rows_;
  Matrix<Element> a_;
  Matrix<Element> b_;
  Matrix<Element> c_;
};

Work work_of(const Instance& instance) {
  const StrassenShape shape = shape_of(instance);
  // The operations of the definition, which the rates of all products are compared by; fewer are done.
  const double operations =
      2 * static_cast<double>(shape.m) * static_cast<double>(shape.n) * static_cast<double>(shape.k);
  return {.operations = operations,
          .unit = "flop",
          .compulsory_bytes = static_cast<double>(word_bytes(instance)) * words_of(shape)};
}

// The matrices; as much workspace as the most levels take; what a local kernel packs into; the vectors of the check.
double memory_of(const Instance& instance, Model model, int ranks, int threads) {
  const StrassenShape shape = shape_of(instance);
  const auto element = static_cast<double>(word_bytes(instance));
  const int processes = passes_messages(model) ? ranks : 1;
  double words = 0;
  for (int levels = 0; levels <= most_chosen_levels; ++levels) {
    if (levels != levels_within(shape, levels)) break;
    double of_ranks = words_of(shape);
    if (!passes_messages(model)) {
      of_ranks += static_cast<double>(winograd_words({shape.m, shape.n, shape.k, shape.k}, levels));
    } else {
      const RankPlan plan = RankPlan::chosen(
          shape, processes, levels, static_cast<std::int64_t>(6 * words_of(shape) / static_cast<double>(processes)));
      of_ranks = words_of(plan.padded());
      for (std::int64_t rank = 0; rank < processes; ++rank) of_ranks += static_cast<double>(plan.workspace(rank));
    }
    words = std::max(words, of_ranks);
  }
  const double check =
      8 * (20 * static_cast<double>(shape.m) + 6 * static_cast<double>(shape.n) + 9 * static_cast<double>(shape.k));
  constexpr double packed_bytes = 8 << 20;
  constexpr double huge_page = 1 << 21;
  return element * words + processes * (check + threads * packed_bytes + huge_page);
}

std::vector<std::pair<std::string, std::string>> plan_of(const Instance& instance, const Settings& tunables,
                                                         std::int64_t ranks) {
  Execution execution{.tunables = tunables};
  const auto element = static_cast<std::size_t>(word_bytes(instance));
  // Nothing is measured for a plan of other ranks: the leaf of a processor that adds fast enough, twice for ranks.
  constexpr std::int64_t usual_leaf = 1024;
  const std::int64_t leaf = execution.whole_or("leaf", 0);
  const RankPlan plan = rank_plan(shape_of(instance), ranks, element, execution, leaf > 0 ? leaf : usual_leaf);
  const RankPlan::Moved moved = plan.moved(0);
  const auto words = static_cast<double>(plan.workspace(0));
  const double mebibytes = words * static_cast<double>(element) / 0x1p20;
  return {{"levels", steps_text(plan.steps())},
          {"grid", grid_text(plan.grid()) + ", rows x columns"},
          {"rank 0 receives", number_text(static_cast<double>(moved.received_words)) + " words in " +
                                  std::to_string(moved.received_messages) + " messages"},
          {"rank 0 takes", number_text(words) + " words, " + number_text(mebibytes) + " MiB"},
          {"rank 0 computes", number_text(plan.operations(0)) + " flop"}};
}

template <class Element>
Placed placed(Model model, const Instance& instance, const Execution& execution) {
  auto product = std::make_shared<PlacedProduct<Element>>(model, instance, execution);
  Placed placed;
  placed.reset = [product] { product->reset(); };
  placed.execute = [product] { product->execute(); };
  placed.verify = [product, seed = instance.seed] { return product->verify(seed); };
  placed.facts = product->facts();
  return placed;
}

}  // namespace

Problem strassen_problem() {
  Problem problem;
  problem.name = "strassen";
  problem.pattern = Pattern::divide_and_conquer;
  problem.workload = Workload::matrix;
  problem.summary = "C = A B by Strassen-Winograd";
  problem.extent_names = {"m", "n", "k"};
  problem.largest_extent = std::int64_t{1} << 31;
  problem.parameters = {precision_setting()};
  problem.sizes = {64, 128, 256, 512, 1024, 2048};
  problem.work = work_of;
  problem.memory = memory_of;
  problem.plan = plan_of;
  problem.variants =
      variants_of_all_models(tunables_of, [](Model model, const Instance& instance, const Execution& execution) {
        return in_floats(instance) ? placed<float>(model, instance, execution)
                                   : placed<double>(model, instance, execution);
      });
  return problem;
}

}  // namespace duet
