#include <gmp.h>

#include <memory>
#include <stdexcept>
#include <vector>

#include "drivers/bench/peer.hpp"
#include "kernels/mapping/fib_batch/fib_batch.hpp"
#include "kernels/registry.hpp"

namespace duet {
namespace {

/// GMP's numbers, which free themselves.
class Numbers {
 public:
  explicit Numbers(std::int64_t count) : numbers_(static_cast<std::size_t>(count)) {
    for (__mpz_struct& number : numbers_) mpz_init(&number);
  }
  ~Numbers() {
    for (__mpz_struct& number : numbers_) mpz_clear(&number);
  }
  Numbers(const Numbers&) = delete;
  Numbers& operator=(const Numbers&) = delete;

  [[nodiscard]] mpz_ptr operator[](std::int64_t i) { return &numbers_[static_cast<std::size_t>(i)]; }

 private:
  std::vector<__mpz_struct> numbers_;
};

Natural natural_of(mpz_srcptr number) {
  std::vector<std::uint64_t> limbs(mpz_size(number));
  for (std::size_t i = 0; i < limbs.size(); ++i) limbs[i] = mpz_getlimbn(number, static_cast<mp_size_t>(i));
  return Natural{std::move(limbs)};
}

/// What the variants are asked too.
FibInputs inputs_of(const Instance& instance) {
  for (const Spread spread : {Spread::uniform, Spread::log_uniform, Spread::ascending, Spread::giants}) {
    if (name_of(spread) != instance.parameters.text("inputs")) continue;
    const auto largest = static_cast<std::uint64_t>(instance.parameters.whole("largest"));
    return FibInputs::random(spread, instance.extents.at(0), largest, instance.seed);
  }
  throw std::invalid_argument("no inputs are called '" + instance.parameters.text("inputs") + "'");
}

}  // namespace

void run_gmp_peer(const PeerOptions& options) {
  if (options.name != "gmp-loop" && options.name != "gmp-openmp") {
    throw std::invalid_argument("no peer is called '" + options.name + "'");
  }
  const int threads = options.name == "gmp-loop" ? 1 : options.threads;
  const Problem& problem = problem_called("fib_batch");
  const Instance instance = problem.pose(options.size, 1, {});
  const std::int64_t count = instance.extents[0];
  const FibBatch batch{.inputs = inputs_of(instance)};
  std::unique_ptr<Numbers> numbers;

  Trial trial = trial_of(problem, instance, Model::openmp, threads);
  trial.facts["code_path"] = "GMP " + std::string{gmp_version};
  time_and_judge(
      options, trial, [&] { numbers = std::make_unique<Numbers>(count); },
      [&] {
#pragma omp parallel for num_threads(threads) schedule(dynamic) default(none) shared(batch, numbers, count)
        for (std::int64_t i = 0; i < count; ++i) mpz_fib_ui((*numbers)[i], batch.inputs[i]);
      },
      [&] {
        Answers answers{1};
        Shelf& shelf = answers.shelf(0);
        shelf.answered.push_back({.items = {0, count}, .first = 0});
        for (std::int64_t i = 0; i < count; ++i) shelf.naturals.push_back(natural_of((*numbers)[i]));
        return judge_fib_batch(batch, answers, 1, {.threads = threads});
      });
}

}  // namespace duet
