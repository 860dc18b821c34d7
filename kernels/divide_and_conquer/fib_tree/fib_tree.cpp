#include "kernels/divide_and_conquer/fib_tree/fib_tree.hpp"

#include <xxhash.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "kernels/core/digest.hpp"
#include "kernels/core/execution_in.hpp"
#include "kernels/core/number_text.hpp"
#include "kernels/core/tbb_team.hpp"
#include "kernels/divide_and_conquer/fib_tree/cutoff.hpp"
#include "kernels/divide_and_conquer/fib_tree/tree_tunables.hpp"
#include "kernels/divide_and_conquer/fib_tree/verify.hpp"

namespace duet {
namespace {

/// A tree with the workers that count it.
class PlacedTree {
 public:
  PlacedTree(Model model, std::int64_t n, const Execution& execution)
      : model_{model}, n_{n}, execution_{execution_in(model, execution)} {
    require_feasible(n, workers());
    static_cast<void>(tree_tunables(execution_));
    if (model == Model::tbb) team_ = std::make_unique<TbbTeam>(execution_);
    if (passes_messages(model)) words_.emplace(execution_.communicator);
    choose_cutoff();
    forget();
  }

  void forget() { found_ = {}; }
  void execute() { found_ = counted(n_, execution_); }
  [[nodiscard]] Judgement verify() const { return judge_fib_tree(n_, cutoff_, found_, execution_.communicator); }
  /// Of what the question decides: tasks are up to the cut-off.
  [[nodiscard]] std::string digest() const {
    const std::array<std::uint64_t, 2> answer{found_.value, found_.calls};
    return digest_text(XXH3_64bits(answer.data(), sizeof answer));
  }

  [[nodiscard]] std::map<std::string, std::string> facts() const {
    std::map<std::string, std::string> facts{{"cutoff", std::to_string(cutoff_)},
                                             {"tasks", std::to_string(tasks_of_tree(n_, cutoff_))}};
    if (!costs_) return facts;
    facts["call_nanoseconds"] = number_text(1e9 * costs_->call);
    facts["task_nanoseconds"] = number_text(1e9 * costs_->task);
    facts["task_overhead"] = number_text(task_overhead(n_, cutoff_, *costs_));
    return facts;
  }

 private:
  [[nodiscard]] std::int64_t workers() const {
    return std::int64_t{size_of(execution_.communicator)} * execution_.threads;
  }

  [[nodiscard]] TreeCount counted(std::int64_t n, const Execution& execution) {
    switch (model_) {
      case Model::serial:
        return fib_tree_serial(n, execution);
      case Model::openmp:
        return fib_tree_openmp(n, execution);
      case Model::tbb:
        return fib_tree_tbb(n, execution, *team_);
      case Model::mpi:
        return fib_tree_mpi(n, *words_, execution);
      case Model::hybrid:
        return fib_tree_hybrid(n, *words_, execution);
    }
    return {};
  }

  /// The tunable, or what follows from what rank 0 measures: noise could part the ranks.
  void choose_cutoff() {
    constexpr std::int64_t worth_dividing = 12;  // 465 calls, half a microsecond
    cutoff_ = execution_.whole_or("cutoff", 0);
    if (cutoff_ != 0) return;
    cutoff_ = std::max<std::int64_t>(n_, 1);
    if (workers() == 1 || n_ <= worth_dividing) return set_cutoff();
    const Execution measuring = with_cutoff(1, nullptr);
    costs_ = measured_costs([&](std::int64_t n) { static_cast<void>(counted(n, measuring)); }, workers());
    if (execution_.communicator != MPI_COMM_NULL) {
      std::array<double, 2> costs{costs_->call, costs_->task};
      check(MPI_Bcast(costs.data(), 2, MPI_DOUBLE, 0, execution_.communicator));
      costs_ = {costs[0], costs[1]};
    }
    cutoff_ = chosen_cutoff(n_, workers(), *costs_);
    set_cutoff();
  }
  void set_cutoff() { execution_ = with_cutoff(cutoff_, execution_.timesheet); }

  [[nodiscard]] Execution with_cutoff(std::int64_t cutoff, Timesheet* timesheet) const {
    if (model_ == Model::serial) return execution_;
    const std::vector<Setting> declared = settings_of_tree(model_);
    std::map<std::string, std::string> values;
    for (const Setting& setting : declared) values[setting.name] = execution_.text_or(setting.name, setting.preset);
    values["cutoff"] = std::to_string(cutoff);
    Execution execution = execution_;
    execution.tunables = Settings{"fib_tree", declared, values};
    execution.timesheet = timesheet;
    return execution;
  }

  Model model_;
  std::int64_t n_;
  Execution execution_;
  std::unique_ptr<TbbTeam> team_{};  ///< for tbb alone: kept, since the workers of a new arena come late
  std::optional<RankWords> words_{};
  std::optional<TreeCosts> costs_{};
  std::int64_t cutoff_ = 1;
  TreeCount found_;
};

Placed placed(Model model, const Instance& instance, const Execution& execution) {
  const auto tree = std::make_shared<PlacedTree>(model, instance.extents.at(0), execution);
  Placed bound;
  bound.reset = [tree] { tree->forget(); };
  bound.execute = [tree] { tree->execute(); };
  bound.verify = [tree] { return tree->verify(); };
  bound.digest = [tree] { return tree->digest(); };
  bound.facts = tree->facts();
  return bound;
}

/// What a number of ranks would do, with costs as they are on one node where none are measured.
std::vector<std::pair<std::string, std::string>> plan_of(const Instance& instance, const Settings& tunables,
                                                         std::int64_t ranks) {
  constexpr TreeCosts usual{.call = 1.4e-9, .task = 1e-7};
  const std::int64_t n = instance.extents.at(0);
  require_feasible(n, ranks);
  const std::int64_t asked = tunables.whole("cutoff");
  const std::int64_t cutoff = asked != 0 ? asked : chosen_cutoff(n, ranks, usual);
  const auto tasks = static_cast<double>(tasks_of_tree(n, cutoff));
  const double efficiency =
      calls_of_tree(n) * usual.call / static_cast<double>(ranks) / predicted_seconds(n, cutoff, ranks, usual);
  const std::string& distribution = tunables.text("distribution");
  const double operations = distribution == "counter" ? tasks + static_cast<double>(ranks) : 0;
  return {{"cutoff", std::to_string(cutoff) + (asked != 0 ? "" : ", for a call of 1.4 ns and a task of 100 ns")},
          {"calls", number_text(calls_of_tree(n))},
          {"tasks", number_text(tasks)},
          {"calls a task", number_text(calls_of_tree(n) / tasks)},
          {"atomic operations",
           distribution == "stealing" ? "one a task on the own word, and steals" : number_text(operations)},
          {"efficiency", "at least " + number_text(efficiency) + ", for a call of 1.4 ns and a task of 100 ns"}};
}

}  // namespace

Problem fib_tree_problem() {
  Problem problem;
  problem.name = "fib_tree";
  problem.pattern = Pattern::divide_and_conquer;
  problem.workload = Workload::fibonacci;
  problem.summary = "F(n) as a tree of tasks";
  problem.extent_names = {"n"};
  problem.largest_extent = largest_tree;
  problem.seeded = false;
  problem.sizes = {20, 24, 28, 32, 36};
  problem.work = [](const Instance& instance) {
    constexpr double question_and_answer = 16;
    return Work{
        .operations = calls_of_tree(instance.extents.at(0)), .unit = "call", .compulsory_bytes = question_and_answer};
  };
  problem.memory = [](const Instance&, Model model, int ranks, int threads) {
    // Stacks, and queues of tasks: no data at all.
    constexpr double bytes_a_worker = 0x1p18;
    return bytes_a_worker * (passes_messages(model) ? ranks : 1) * threads;
  };
  problem.plan = plan_of;
  problem.variants = variants_of_all_models(settings_of_tree, placed);
  return problem;
}

}  // namespace duet
