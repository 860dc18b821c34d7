// What matrix_batch is compared with: a call of a BLAS for each product, as one would write it, and the ideal that no
// schedule can beat.

#include <dlfcn.h>
#include <fmt/format.h>
#include <omp.h>

#include <memory>
#include <stdexcept>
#include <vector>

#include "drivers/bench/cblas.hpp"
#include "drivers/bench/peer.hpp"
#include "kernels/mapping/matrix_batch/matrix_batch.hpp"
#include "kernels/mapping/matrix_batch/verify.hpp"
#include "kernels/registry.hpp"

namespace duet {
namespace {

/// OpenBLAS, told that it has one thread, as `OPENBLAS_CORETYPE` says.
struct Library {
  Dgemm dgemm = nullptr;
  std::string code_path{};
};

Library openblas() {
  constexpr const char* file = DUET_LIBRARY_FOLDER "/openblas-pthread/libopenblas.so.0";
  void* const library = ::dlopen(file, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) throw std::runtime_error(fmt::format("{} is not installed: jobs/setup.sh --bench", file));
  const auto dgemm = reinterpret_cast<Dgemm>(::dlsym(library, "cblas_dgemm"));  // NOLINT: what dlsym is for
  const auto core = reinterpret_cast<const char* (*)()>(::dlsym(library, "openblas_get_corename"));  // NOLINT
  if (dgemm == nullptr || core == nullptr) throw std::runtime_error(fmt::format("{} has no cblas_dgemm", file));
  return {dgemm, core()};
}

MatrixBatch batch_of(const Instance& instance) {
  for (const SizeSpread spread :
       {SizeSpread::tiny, SizeSpread::uniform, SizeSpread::log_uniform, SizeSpread::zipf, SizeSpread::giants}) {
    if (name_of(spread) != instance.parameters.text("spread")) continue;
    return MatrixBatch::random(spread, instance.extents.at(0), instance.parameters.whole("largest"), instance.seed);
  }
  throw std::invalid_argument("no spread is called '" + instance.parameters.text("spread") + "'");
}

Judgement judged(const MatrixBatch& batch, SharedBatch<double>& memory, int threads) {
  const DividedRuns<double> tasks{memory.runs(), {}};
  const std::vector<ComputedTask<double>> computed = tasks.computed();
  return judge_matrix_batch<double>(batch, tasks.division().tasks, computed, batch.seed, {.threads = threads});
}

void run_blas_loop(const PeerOptions& options, const MatrixBatch& batch, Trial trial) {
  const Library library = openblas();
  trial.facts["code_path"] = library.code_path;
  SharedBatch<double> memory{batch};
  memory.fill({0, batch.count()});
  std::vector<ProductRun<double>> products;
  for (std::int64_t item = 0; item < batch.count(); ++item) {
    products.push_back({memory.a(item), memory.b(item), memory.c(item)});
  }
  const auto multiply = [&](const ProductRun<double>& one) {
    const auto m = static_cast<int>(one.c.rows);
    const auto n = static_cast<int>(one.c.columns);
    const auto k = static_cast<int>(one.a.columns);
    library.dgemm(row_major, not_transposed, not_transposed, m, n, k, 1, one.a.data, k, one.b.data, n, 0, one.c.data,
                  n);
  };
  const bool alike = options.name == "batch-blas-static";
  time_and_judge(
      options, trial,
      [&] {
        memory.spoil({0, batch.count()});
      },
      [&] {
        // Equal products need no dealing, and would suffer from it.
        if (alike) {
#pragma omp parallel for num_threads(options.threads) default(none) shared(products, multiply) schedule(static)
          for (const ProductRun<double>& one : products) multiply(one);
        } else {
#pragma omp parallel for num_threads(options.threads) default(none) shared(products, multiply) schedule(dynamic)
          for (const ProductRun<double>& one : products) multiply(one);
        }
      },
      [&] { return judged(batch, memory, options.threads); });
}

/// Every thread multiplies the whole batch on memory of its own, all at the same time: a `threads`-th of that is what
/// the batch would take if it could be divided evenly at the rates that products of its sizes have with all cores at
/// work.
void run_ideal(const PeerOptions& options, const MatrixBatch& batch, Trial trial) {
  trial.facts["code_path"] = local_kernel("duet").code_path;
  std::vector<std::unique_ptr<SharedBatch<double>>> memories(static_cast<std::size_t>(options.threads));
  std::vector<std::unique_ptr<DividedRuns<double>>> tasks(memories.size());
#pragma omp parallel num_threads(options.threads) default(none) shared(batch, memories, tasks)
  {
    const auto me = static_cast<std::size_t>(omp_get_thread_num());
    memories[me] = std::make_unique<SharedBatch<double>>(batch);
    memories[me]->fill({0, batch.count()});
    tasks[me] = std::make_unique<DividedRuns<double>>(memories[me]->runs(), DivisionFor{});
  }
  time_and_judge(
      options, trial,
      [&] {
        for (const auto& memory : memories) memory->spoil({0, batch.count()});
      },
      [&] {
        const Execution alone;
#pragma omp parallel num_threads(options.threads) default(none) shared(tasks, alone)
        matrix_batch_serial(*tasks[static_cast<std::size_t>(omp_get_thread_num())], alone);
      },
      [&] { return judged(batch, *memories.back(), options.threads); }, 1.0 / options.threads);
}

}  // namespace

void run_batch_peer(const PeerOptions& options) {
  const Problem& problem = problem_called("matrix_batch");
  const Instance instance = problem.pose(options.size, 1, options.parameters);
  const MatrixBatch batch = batch_of(instance);
  Trial trial = trial_of(problem, instance, Model::openmp, options.threads);
  if (options.name == "batch-ideal") return run_ideal(options, batch, trial);
  if (options.name == "batch-blas-static" || options.name == "batch-blas-dynamic") {
    return run_blas_loop(options, batch, trial);
  }
  throw std::invalid_argument(fmt::format("no peer is called '{}'", options.name));
}

}  // namespace duet
