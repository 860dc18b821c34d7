#include "kernels/mapping/matrix_batch/matrix_batch.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "kernels/core/execution_in.hpp"
#include "kernels/core/mpi.hpp"
#include "kernels/core/on_each_thread.hpp"
#include "kernels/core/precision.hpp"
#include "kernels/core/tbb_team.hpp"
#include "kernels/mapping/matrix_batch/verify.hpp"

namespace duet {
namespace {

constexpr std::array<SizeSpread, 5> spreads{SizeSpread::tiny, SizeSpread::uniform, SizeSpread::log_uniform,
                                            SizeSpread::zipf, SizeSpread::giants};

/// What `largest` is where nothing is said: what makes the spread what it is, in batches of seconds.
std::int64_t largest_of(SizeSpread spread) {
  switch (spread) {
    case SizeSpread::tiny:
      return 8;
    case SizeSpread::uniform:
      return 96;
    case SizeSpread::log_uniform:
      return 256;
    case SizeSpread::zipf:
      return 1000;
    case SizeSpread::giants:
      return 512;
  }
  return 1;
}

/// The parameters of an instance.
struct Question {
  explicit Question(const Instance& instance)
      : spread{*std::ranges::find(spreads, instance.parameters.text("spread"),
                                  [](SizeSpread one) { return name_of(one); })},
        count{instance.extents.at(0)},
        largest{instance.parameters.whole("largest")},
        seed{instance.seed} {
    if (largest == 0) largest = largest_of(spread);
  }

  [[nodiscard]] ItemShape shape(std::int64_t item) const { return random_shape(spread, count, largest, seed, item); }
  [[nodiscard]] MatrixBatch batch() const { return MatrixBatch::random(spread, count, largest, seed); }
  /// The sum of term(shape) over all items: exact for up to 2^20, else from as many at equal distances, the giants
  /// being the last two.
  template <class Term>
  [[nodiscard]] double sum(Term&& term) const {
    constexpr std::int64_t most = std::int64_t{1} << 20U;
    const std::int64_t alike = std::max<std::int64_t>(0, count - 2);
    const std::int64_t looked_at = std::min(alike, most);
    double all = 0;
    for (std::int64_t k = 0; k < looked_at; ++k) all += term(shape(share_of(alike, looked_at, k).begin));
    if (looked_at > 0) all *= static_cast<double>(alike) / static_cast<double>(looked_at);
    for (std::int64_t item = alike; item < count; ++item) all += term(shape(item));
    return all;
  }

  SizeSpread spread;
  std::int64_t count;
  std::int64_t largest;
  std::uint64_t seed;
};

std::map<std::string, std::string> facts_of(Schedule schedule, const MatrixBatch& batch, const Division& division,
                                            const Execution& execution) {
  const LocalKernel& kernel = local_kernel(execution.text_or("local_kernel", "duet"));
  std::int64_t divided_items = 0;
  std::int64_t last = -1;
  for (const BatchTask& task : division.tasks) {
    if (!task.is_part_of(batch[task.items.begin]) || task.items.begin == last) continue;
    last = task.items.begin;
    ++divided_items;
  }
  return {{"schedule", std::string{name_of(schedule)}},
          {"local_kernel", kernel.library},
          {"code_path", kernel.code_path},
          {"small_products", "duet " + small_product_code_path()},
          {"tasks", std::to_string(division.tasks.size())},
          {"divided_items", std::to_string(divided_items)}};
}

/// Bits are the same in every model for one kernel only. By its name: what "auto" stands for, each rank measures for
/// itself, and ranks that differ here would wait for each other's digest forever.
bool is_exact(const Execution& execution) { return execution.text_or("local_kernel", "duet") == "duet"; }

/// A batch in one process.
template <class Element>
class SharedPlace {
 public:
  SharedPlace(Model model, const Question& question, Execution execution)
      : model_{model},
        execution_{std::move(execution)},
        team_{model == Model::tbb ? std::make_unique<TbbTeam>(execution_) : nullptr},
        batch_{question.batch()},
        memory_{batch_},
        tasks_{memory_.runs(), division_for(model, execution_)} {
    // The pages belong to the thread that fills them first.
    on_each_thread(team_.get(), execution_.threads, [this](int thread) { memory_.fill(share(thread)); });
    reset();
  }

  void reset() {
    // Where each piece gets a thread of its own, a team would only be in the way: it spins for a while.
    if (tasks_.schedule() == Schedule::spawn_each) return memory_.spoil({0, batch_.count()});
    on_each_thread(team_.get(), execution_.threads, [this](int thread) { memory_.spoil(share(thread)); });
  }
  void execute() {
    if (model_ == Model::serial) return matrix_batch_serial(tasks_, execution_);
    if (model_ == Model::openmp) return matrix_batch_openmp(tasks_, execution_);
    matrix_batch_tbb(tasks_, execution_, *team_);
  }
  [[nodiscard]] Judgement verify() const {
    const std::vector<ComputedTask<Element>> computed = tasks_.computed();
    return judge_matrix_batch<Element>(batch_, tasks_.division().tasks, computed, batch_.seed, execution_);
  }
  [[nodiscard]] std::string digest() const {
    const std::vector<ComputedTask<Element>> computed = tasks_.computed();
    return digest_of_matrix_batch<Element>(tasks_.division().tasks, computed, MPI_COMM_NULL);
  }
  [[nodiscard]] std::map<std::string, std::string> facts() const {
    return facts_of(tasks_.schedule(), batch_, tasks_.division(), execution_);
  }
  [[nodiscard]] const Execution& execution() const { return execution_; }

 private:
  [[nodiscard]] Range share(int thread) const { return share_of(batch_.count(), execution_.threads, thread); }

  Model model_;
  Execution execution_;
  std::unique_ptr<TbbTeam> team_;
  MatrixBatch batch_;
  SharedBatch<Element> memory_;
  DividedRuns<Element> tasks_;
};

/// What a rank has of a batch.
template <class Element>
class RankPlace {
 public:
  RankPlace(Model model, const Question& question, Execution execution)
      : model_{model}, execution_{std::move(execution)}, batch_{question.batch()}, mine_{batch_, model, execution_} {}

  void reset() {
    mine_.reset();
    // Threads are awake when the clock starts, as ranks are.
    on_each_thread(nullptr, execution_.threads, [](int /*thread*/) {});
  }
  void execute() {
    if (model_ == Model::mpi) return matrix_batch_mpi(mine_, execution_);
    matrix_batch_hybrid(mine_, execution_);
  }
  [[nodiscard]] Judgement verify() const {
    const std::vector<ComputedTask<Element>> computed = mine_.computed();
    return judge_matrix_batch<Element>(batch_, mine_.division().tasks, computed, batch_.seed, execution_);
  }
  [[nodiscard]] std::string digest() const {
    const std::vector<ComputedTask<Element>> computed = mine_.computed();
    return digest_of_matrix_batch<Element>(mine_.division().tasks, computed, execution_.communicator);
  }
  [[nodiscard]] std::map<std::string, std::string> facts() const {
    return facts_of(mine_.schedule(), batch_, mine_.division(), execution_);
  }
  [[nodiscard]] const Execution& execution() const { return execution_; }

 private:
  Model model_;
  Execution execution_;
  MatrixBatch batch_;
  RankBatch<Element> mine_;
};

template <class Place>
Placed placed(Model model, const Instance& instance, const Execution& execution) {
  const auto place = std::make_shared<Place>(model, Question{instance}, execution_in(model, execution));
  Placed bound;
  bound.reset = [place] { place->reset(); };
  bound.execute = [place] { place->execute(); };
  bound.verify = [place] { return place->verify(); };
  if (is_exact(place->execution())) bound.digest = [place] { return place->digest(); };
  bound.facts = place->facts();
  return bound;
}

Placed place(Model model, const Instance& instance, const Execution& execution) {
  if (in_floats(instance)) {
    return passes_messages(model) ? placed<RankPlace<float>>(model, instance, execution)
                                  : placed<SharedPlace<float>>(model, instance, execution);
  }
  return passes_messages(model) ? placed<RankPlace<double>>(model, instance, execution)
                                : placed<SharedPlace<double>>(model, instance, execution);
}

std::vector<Setting> tunables_of(Model model) {
  std::vector<Setting> tunables;
  if (model != Model::serial) {
    Setting schedule{.name = "schedule",
                     .preset = "longest_first",
                     .meaning = "which worker takes which products, and when",
                     .choices = {"block", "cyclic", "dynamic", "guided", "longest_first", "stealing"}};
    if (!passes_messages(model)) schedule.choices.emplace_back("spawn_each");
    tunables.push_back(std::move(schedule));
    tunables.push_back({.name = "split",
                        .preset = "yes",
                        .meaning = "whether longest_first divides giants among workers",
                        .choices = {"yes", "no"}});
  }
  tunables.push_back({.name = "grain",
                      .preset = "0",
                      .meaning = "equal products that are taken at a time; 0 chooses about 25 us of them",
                      .most = 1'000'000'000});
  tunables.push_back({.name = "local_kernel",
                      .preset = "duet",
                      .meaning = "the library that multiplies on one thread what is larger than 32",
                      .choices = {"auto", "duet", "openblas", "blis", "eigen"}});
  return tunables;
}

Work work_of(const Instance& instance) {
  const Question question{instance};
  const double words = question.sum([](const ItemShape& shape) {
    return static_cast<double>(shape.m) * shape.k + static_cast<double>(shape.k) * shape.n +
           static_cast<double>(shape.m) * shape.n;
  });
  return {.operations = question.sum([](const ItemShape& shape) { return shape.operations(); }),
          .unit = "flop",
          .compulsory_bytes = static_cast<double>(word_bytes(instance)) * words};
}

template <class Element>
double bytes_of(const Question& question, int processes, int threads) {
  double largest_operands = 0;
  const double words = question.sum([&](const ItemShape& shape) {
    const auto a = static_cast<double>(padded_words<Element>(shape.m, shape.k));
    const auto b = static_cast<double>(padded_words<Element>(shape.k, shape.n));
    largest_operands = std::max(largest_operands, a + b + 8.0 * (shape.m + shape.n + shape.k));
    return a + b + static_cast<double>(padded_words<Element>(shape.m, shape.n));
  });
  // Under message passing, what moves is held twice, or the operand that parts share by every rank with a part.
  const double moved = processes == 1 ? 0 : std::max(words * (1 - 1.0 / processes), 2 * processes * largest_operands);
  constexpr double packed_bytes = 8 << 20;
  constexpr double a_task = 400;  // shape, task, views, plan and what finds it again
  return sizeof(Element) * (words + moved) + processes * a_task * static_cast<double>(question.count) +
         processes * threads * (packed_bytes + sizeof(Element) * largest_operands);
}

double memory_of(const Instance& instance, Model model, int ranks, int threads) {
  const Question question{instance};
  const int processes = passes_messages(model) ? ranks : 1;
  return in_floats(instance) ? bytes_of<float>(question, processes, threads)
                             : bytes_of<double>(question, processes, threads);
}

}  // namespace

Problem matrix_batch_problem() {
  Problem problem;
  problem.name = "matrix_batch";
  problem.pattern = Pattern::mapping;
  problem.workload = Workload::matrix;
  problem.summary = "C = A B for many uneven products";
  problem.extent_names = {"count"};
  problem.largest_extent = 100'000'000;
  Setting spread{
      .name = "spread", .preset = std::string{name_of(SizeSpread::zipf)}, .meaning = "how large the products are"};
  for (const SizeSpread one : spreads) spread.choices.emplace_back(name_of(one));
  problem.parameters = {std::move(spread),
                        {.name = "largest",
                         .preset = "0",
                         .meaning = "the largest extent; 0: 8, 96, 256, 1000 or 512, by the spread",
                         .most = largest_item_extent},
                        precision_setting()};
  problem.sizes = {32, 128, 512, 2'048, 8'192};
  problem.work = work_of;
  problem.memory = memory_of;
  problem.variants = variants_of_all_models(tunables_of, place);
  return problem;
}

}  // namespace duet
