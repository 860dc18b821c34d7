#include <dlfcn.h>
#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "drivers/bench/peer.hpp"
#include "kernels/pipeline/cholesky/cholesky.hpp"
#include "kernels/pipeline/cholesky/verify.hpp"
#include "kernels/registry.hpp"

namespace duet {
namespace {

/// uplo, n, A (column-major), lda, info, and Fortran's hidden length of uplo.
using Dpotrf = void (*)(const char*, const int*, double*, const int*, int*, std::size_t);

}  // namespace

void run_dpotrf_peer(const PeerOptions& options) {
  const std::string library_name = options.name.substr(std::string_view{"dpotrf-"}.size());
  const std::string file = fmt::format("{}/{}/libopenblas.so.0", DUET_LIBRARY_FOLDER, library_name);
  void* const library = ::dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) throw std::runtime_error(fmt::format("{} is not installed: jobs/setup.sh --bench", file));
  const auto dpotrf = reinterpret_cast<Dpotrf>(::dlsym(library, "dpotrf_"));  // NOLINT: what dlsym is for
  const auto core_name =
      reinterpret_cast<const char* (*)()>(::dlsym(library, "openblas_get_corename"));  // NOLINT: the same
  if (dpotrf == nullptr) throw std::runtime_error(fmt::format("{} has no dpotrf", file));

  const Problem& problem = problem_called("cholesky");
  const Instance instance = problem.pose(options.size, 1, {});
  const std::int64_t n = instance.extents[0];
  const FillTile fill = cholesky_matrix(instance);
  const TileMatrix tiles{TileLayout{n, 240}};
  // Row-major and lower is column-major and upper turned over: the library is asked for its lower factor, in its own
  // order, so the matrix goes in and out with rows and columns exchanged.
  Matrix<double> a(n, n);
  const auto exchange = [&](bool into_library) {
    for (std::int64_t j = 0; j < n; ++j) {
      for (std::int64_t i = j; i < n; ++i) {
        double& theirs = a.view()(j, i);
        double& ours = tiles.entry(i, j);
        into_library ? theirs = ours : ours = theirs;
      }
    }
  };

  Trial trial = trial_of(problem, instance, Model::openmp, options.threads);
  trial.facts["code_path"] = core_name == nullptr ? "?" : core_name();
  std::fill_n(a.data(), n * n, 0.0);
  time_and_judge(
      options, trial,
      [&] {
        for (const auto& [i, j] : tiles.mine()) fill(tiles.layout(), i, j, tiles.tile(i, j));
        exchange(true);
      },
      [&] {
        const int order = static_cast<int>(n);
        int info = 0;
        dpotrf("L", &order, a.data(), &order, &info, 1);
        if (info != 0) throw std::runtime_error(fmt::format("dpotrf says {}", info));
      },
      [&] {
        exchange(false);
        return judge_cholesky(tiles, fill, MPI_COMM_NULL, instance.seed);
      });
}

}  // namespace duet
