#include <dlfcn.h>
#include <fmt/format.h>

#include <stdexcept>

#include "drivers/bench/cblas.hpp"
#include "drivers/bench/peer.hpp"
#include "kernels/core/random.hpp"
#include "kernels/data_decomposition/matmul/matmul.hpp"
#include "kernels/data_decomposition/matmul/verify.hpp"
#include "kernels/registry.hpp"

namespace duet {
namespace {

template <class Function>
Function symbol(void* library, const char* name) {
  return reinterpret_cast<Function>(::dlsym(library, name));  // NOLINT: what dlsym is for
}

/// What the library says that it runs.
std::string code_path_of(void* library) {
  if (const auto core = symbol<const char* (*)()>(library, "openblas_get_corename"); core != nullptr) return core();
  const auto initialise = symbol<void (*)()>(library, "bli_init");
  const auto architecture = symbol<int (*)()>(library, "bli_arch_query_id");
  const auto name = symbol<const char* (*)(int)>(library, "bli_arch_string");
  if (initialise == nullptr || architecture == nullptr || name == nullptr) return "?";
  initialise();
  return name(architecture());
}

}  // namespace

void run_blas_peer(const PeerOptions& options) {
  const std::string file = fmt::format("{}/{}/{}", DUET_LIBRARY_FOLDER, options.name,
                                       options.name.starts_with("blis") ? "libblis.so.4" : "libopenblas.so.0");
  void* const library = ::dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) throw std::runtime_error(fmt::format("{} is not installed: jobs/setup.sh --bench", file));
  const auto dgemm = symbol<Dgemm>(library, "cblas_dgemm");
  if (dgemm == nullptr) throw std::runtime_error(fmt::format("{} has no cblas_dgemm", file));

  const Problem& problem = problem_called("matmul");
  const Instance instance = problem.pose(options.size, 1, {});
  const std::int64_t m = instance.extents[0];
  const std::int64_t n = instance.extents[1];
  const std::int64_t k = instance.extents[2];
  Matrix<double> a(m, k);
  Matrix<double> b(k, n);
  Matrix<double> c(m, n);
  fill_random(a.view(), instance.seed, 0, 0, 0);
  fill_random(b.view(), instance.seed, 1, 0, 0);
  fill_random(c.view(), instance.seed, 2, 0, 0);

  Trial trial = trial_of(problem, instance, Model::openmp, options.threads);
  trial.facts["code_path"] = code_path_of(library);
  const RankGrid alone;
  const ProductLayout layout{{m, n, k}, {1, 1}};
  const auto whole = [](std::int64_t extent) { return static_cast<int>(extent); };
  time_and_judge(
      options, trial, [] {},
      [&] {
        dgemm(row_major, not_transposed, not_transposed, whole(m), whole(n), whole(k), 1, a.data(), whole(k), b.data(),
              whole(n), 0, c.data(), whole(n));
      },
      [&] {
        return judge_product({.ranks = alone, .layout = layout, .a = a.view(), .b = b.view(), .c = c.view()}, 1);
      });
}

}  // namespace duet
