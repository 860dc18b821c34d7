#include "kernels/mapping/fib_batch/fib_batch.hpp"

#include <gmp.h>

#include <algorithm>
#include <bit>
#include <limits>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include "kernels/arithmetic/fibonacci_residue.hpp"
#include "kernels/arithmetic/transform/path.hpp"
#include "kernels/core/mpi.hpp"
#include "kernels/core/tbb_team.hpp"
#include "kernels/mapping/fib_batch/plan.hpp"

namespace duet {
namespace {

FibBatch batch_of(const Instance& instance) {
  const auto largest = static_cast<std::uint64_t>(instance.parameters.whole("largest"));
  const Spread spread = spread_called(instance.parameters.text("inputs"));
  return {.inputs = FibInputs::random(spread, instance.extents.at(0), largest, instance.seed),
          .modulus = static_cast<std::uint64_t>(instance.parameters.whole("modulus"))};
}

void check_fits(const FibBatch& batch) {
  if (batch.exact() && batch.inputs.largest() > largest_fibonacci_index) {
    throw std::invalid_argument("largest: " + std::to_string(batch.inputs.largest()) +
                                " is too large for exact F(n); " + std::to_string(largest_fibonacci_index) +
                                " is the most, or set a modulus");
  }
}

/// What a placed batch owns. The words of the ranks are there under message passing only.
struct Place {
  Place(const FibBatch& posed, const Execution& with) : batch{posed}, execution{with}, answers{with.threads} {}

  FibBatch batch;
  Execution execution;
  Answers answers;
  std::optional<RankWords> words;
  std::unique_ptr<TbbTeam> team{};  ///< for tbb alone: kept, since the workers of a new arena come late
};

std::string arithmetic_of(const FibBatch& batch) {
  if (batch.exact()) {
    return "transforms, " + std::string{fastest_path().name} + "; GMP " + gmp_version + " where numbers are short";
  }
  return "tables of powers of phi, " + std::string{name_of(residue_arithmetics(batch.modulus).front())};
}

void solve(Model model, Place& place) {
  switch (model) {
    case Model::serial:
      return fib_batch_serial(place.batch, place.answers, place.execution);
    case Model::openmp:
      return fib_batch_openmp(place.batch, place.answers, place.execution);
    case Model::tbb:
      return fib_batch_tbb(place.batch, place.answers, place.execution, *place.team);
    case Model::mpi:
      return fib_batch_mpi(place.batch, place.answers, *place.words, place.execution);
    case Model::hybrid:
      return fib_batch_hybrid(place.batch, place.answers, *place.words, place.execution);
  }
}

std::shared_ptr<Place> placed(const FibBatch& batch, Model model, const Execution& execution) {
  auto place = std::make_shared<Place>(batch, execution);
  check_fits(batch);
  if (model == Model::tbb) place->team = std::make_unique<TbbTeam>(place->execution);
  if (passes_messages(model)) {
    place->words.emplace(execution.communicator);
  } else {
    place->execution.communicator = MPI_COMM_NULL;
  }
  // An even share and an eighth more; a worker that finds more makes room for it.
  const std::int64_t workers = std::int64_t{size_of(place->execution.communicator)} * execution.threads;
  const std::int64_t share = batch.inputs.count() / workers + 1;
  place->answers.reserve(std::min(batch.inputs.count(), share + share / 8), batch.exact());
  return place;
}

Placed place_for_harness(Model model, const Instance& instance, const Execution& execution) {
  auto place = placed(batch_of(instance), model, execution);
  const std::uint64_t seed = instance.seed;
  Placed bound;
  bound.reset = [place] { place->answers.clear(); };
  bound.execute = [place, model] { solve(model, *place); };
  bound.verify = [place, seed] { return judge_fib_batch(place->batch, place->answers, seed, place->execution); };
  bound.digest = [place] { return digest_of_fib_batch(place->batch, place->answers, place->execution.communicator); };
  bound.facts["arithmetic"] = arithmetic_of(place->batch);
  return bound;
}

std::vector<Setting> tunables_of(Model model) {
  Setting grain{.name = "grain",
                .preset = "0",
                .meaning = "items that a worker takes at a time; 0 chooses about 25 us of them",
                .most = 1'000'000'000};
  if (model == Model::serial) return {std::move(grain)};
  Setting schedule{.name = "schedule",
                   .preset = "longest_first",
                   .meaning = "which worker takes which items, and when",
                   .choices = {"block", "cyclic", "dynamic", "guided", "longest_first", "stealing"}};
  if (!passes_messages(model)) schedule.choices.emplace_back("spawn_each");
  return {std::move(schedule), std::move(grain)};
}

}  // namespace

Answers fib_batch(const FibBatch& batch, Model model, const Execution& execution) {
  const auto place = placed(batch, model, execution);
  solve(model, *place);
  return std::move(place->answers);
}

double fib_batch_answer_bytes(const FibBatch& batch) {
  if (!batch.exact()) return 8 * static_cast<double>(batch.inputs.count());
  return sum_over(batch.inputs, most_summed_inputs, fibonacci_bytes);
}

double fib_batch_memory(const FibBatch& batch, Model model, int ranks, int threads) {
  const auto count = static_cast<double>(batch.inputs.count());
  const int processes = passes_messages(model) ? ranks : 1;
  const double workers = static_cast<double>(processes) * threads;
  // A shelf that grows has its old and its new room at once, 1.5 times what it holds at the worst; a natural is a
  // vector and an allocation of its own beside its limbs; a run is 24 bytes, the sorted order of longest_first 8 on
  // each process.
  const double an_answer = batch.exact() ? 3 * (24 + 24) + 32 : 3 * 8;
  const double orders = batch.exact() ? 10 * count * processes : 0;
  // Doubling takes up to six times the answer beside it, and one worker may have that for the largest n.
  const double scratch = batch.exact() ? 7 * fibonacci_bytes(batch.inputs.largest()) : 100e3;
  return 1.05 * fib_batch_answer_bytes(batch) + an_answer * count + orders + workers * scratch;
}

double nanoseconds_of_item(const FibBatch& batch, std::int64_t i) {
  // 3 to 44 for the residue, 2 to 20 for making the input.
  constexpr double residue_nanoseconds = 10;
  return batch.exact() ? fibonacci_nanoseconds(batch.inputs[i]) : residue_nanoseconds;
}

double fib_batch_steps(const FibBatch& batch) {
  return sum_over(batch.inputs, most_summed_inputs,
                  [](std::uint64_t n) { return static_cast<double>(std::bit_width(n)); });
}

Problem fib_batch_problem() {
  Problem problem;
  problem.name = "fib_batch";
  problem.pattern = Pattern::mapping;
  problem.workload = Workload::fibonacci;
  problem.summary = "F(n), exact or mod m, for many n";
  problem.extent_names = {"count"};
  problem.largest_extent = 1'000'000'000;
  problem.parameters = {
      {.name = "largest",
       .preset = "100000",
       .meaning = "the largest n",
       .most = std::numeric_limits<std::int64_t>::max()},
      {.name = "modulus",
       .preset = "0",
       .meaning = "m of F(n) mod m; 0 for exact numbers",
       .most = std::numeric_limits<std::int64_t>::max()},
      {.name = "inputs",
       .preset = "log_uniform",
       .meaning = "how n is spread up to the largest",
       .choices = {"uniform", "log_uniform", "ascending", "giants"}},
  };
  problem.sizes = {32, 128, 512, 2'048, 8'192, 32'768};
  problem.work = [](const Instance& instance) {
    const FibBatch batch = batch_of(instance);
    const double inputs = 8 * static_cast<double>(batch.inputs.count());
    return Work{.operations = fib_batch_steps(batch),
                .unit = "doubling step",
                .compulsory_bytes = inputs + fib_batch_answer_bytes(batch)};
  };
  problem.memory = [](const Instance& instance, Model model, int ranks, int threads) {
    return fib_batch_memory(batch_of(instance), model, ranks, threads);
  };
  problem.variants = variants_of_all_models(tunables_of, place_for_harness);
  return problem;
}

}  // namespace duet
