#include <dlfcn.h>
#include <fmt/format.h>
#include <mpi.h>

#include <array>
#include <stdexcept>
#include <vector>

#include "drivers/bench/peer.hpp"
#include "drivers/placement.hpp"
#include "kernels/core/mpi.hpp"
#include "kernels/pipeline/cholesky/cholesky.hpp"
#include "kernels/pipeline/cholesky/verify.hpp"
#include "kernels/registry.hpp"

namespace duet {
namespace {

template <class Function>
Function symbol(void* library, const char* name) {
  const auto found = reinterpret_cast<Function>(::dlsym(library, name));  // NOLINT: what dlsym is for
  if (found == nullptr) throw std::runtime_error(fmt::format("ScaLAPACK has no {}", name));
  return found;
}

/// MPI from here to the end of the scope.
class MpiSession {
 public:
  MpiSession() {
    int provided = 0;
    check(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &provided));
  }
  ~MpiSession() { MPI_Finalize(); }
  MpiSession(const MpiSession&) = delete;
  MpiSession& operator=(const MpiSession&) = delete;
};

void factor_and_judge(const PeerOptions& options, std::int64_t grid_rows, std::int64_t block) {
  const int ranks = size_of(MPI_COMM_WORLD);
  const int rank = rank_in(MPI_COMM_WORLD);
  bind_this_thread(places_for(usable_cores(), rank, 1).front());
  const std::string file = fmt::format("{}/libscalapack-openmpi.so.2.2", DUET_LIBRARY_FOLDER);
  void* const library = ::dlopen(file.c_str(), RTLD_NOW | RTLD_GLOBAL);
  if (library == nullptr) throw std::runtime_error(fmt::format("{}: {}", file, ::dlerror()));
  const auto get = symbol<void (*)(int, int, int*)>(library, "Cblacs_get");
  const auto make_grid = symbol<void (*)(int*, const char*, int, int)>(library, "Cblacs_gridinit");
  const auto pdpotrf =
      symbol<void (*)(const char*, const int*, double*, const int*, const int*, const int*, int*, std::size_t)>(
          library, "pdpotrf_");
  const auto core_name =
      reinterpret_cast<const char* (*)()>(::dlsym(RTLD_DEFAULT, "openblas_get_corename"));  // NOLINT: dlsym

  const Problem& problem = problem_called("cholesky");
  const Instance instance = problem.pose(options.size, 1, {});
  const std::int64_t n = instance.extents[0];
  const FillTile fill = cholesky_matrix(instance);
  const Grid grid{grid_rows, ranks / grid_rows};
  // Its blocks are owned as our tiles are: each rank converts its own.
  const TileLayout layout{n, block, grid};
  const TileMatrix tiles{layout, rank};
  const std::int64_t my_row = layout.row_of(rank);
  const std::int64_t my_column = layout.column_of(rank);
  const auto owned = [&](std::int64_t mine, std::int64_t parts) {
    std::int64_t sum = 0;
    for (std::int64_t i = mine; i < layout.count(); i += parts) sum += std::min(block, n - i * block);
    return sum;
  };
  const std::int64_t rows = std::max<std::int64_t>(owned(my_row, grid.rows), 1);
  Matrix<double> a(owned(my_column, grid.columns), rows);  // column-major, so a row here is a column of theirs
  std::fill_n(a.data(), a.rows() * a.columns(), 0.0);
  const auto exchange = [&](bool into_library) {
    for (const auto& [i, j] : tiles.mine()) {
      for (std::int64_t column = j * block; column < std::min((j + 1) * block, n); ++column) {
        for (std::int64_t row = std::max(i * block, column); row < std::min((i + 1) * block, n); ++row) {
          double& theirs =
              a.view()(j / grid.columns * block + column - j * block, i / grid.rows * block + row - i * block);
          double& ours = tiles.entry(row, column);
          into_library ? theirs = ours : ours = theirs;
        }
      }
    }
  };
  int context = 0;
  get(-1, 0, &context);
  make_grid(&context, "Row", static_cast<int>(grid.rows), static_cast<int>(grid.columns));
  const auto small = [](std::int64_t value) { return static_cast<int>(value); };
  const std::array<int, 9> description{1, context, small(n), small(n), small(block), small(block), 0, 0, small(rows)};

  Trial trial;
  trial.cell = {.problem = problem.name, .model = Model::mpi, .size = instance.size_text(), .ranks = ranks};
  trial.operations = problem.work(instance).operations;
  trial.unit = problem.work(instance).unit;
  trial.facts["code_path"] = fmt::format("{}, grid {}x{}, blocks of {}", core_name == nullptr ? "?" : core_name(),
                                         grid.rows, grid.columns, block);
  PeerOptions mine = options;
  if (rank != 0) mine.json = "/dev/null";
  time_and_judge(
      mine, trial,
      [&] {
        for (const auto& [i, j] : tiles.mine()) fill(layout, i, j, tiles.tile(i, j));
        exchange(true);
        check(MPI_Barrier(MPI_COMM_WORLD));
      },
      [&] {
        const int order = small(n);
        const int one = 1;
        int info = 0;
        pdpotrf("L", &order, a.data(), &one, &one, description.data(), &info, 1);
        if (info != 0) throw std::runtime_error(fmt::format("pdpotrf says {}", info));
        check(MPI_Barrier(MPI_COMM_WORLD));
      },
      [&] {
        exchange(false);
        return judge_cholesky(tiles, fill, MPI_COMM_WORLD, instance.seed);
      });
}

}  // namespace

void run_pdpotrf_peer(const PeerOptions& options) {
  const std::size_t rows_at = options.name.find('-') + 1;
  const std::size_t block_at = options.name.find('-', rows_at) + 1;
  const std::int64_t rows = std::stoll(options.name.substr(rows_at));
  const std::int64_t block = std::stoll(options.name.substr(block_at));
  const MpiSession session;
  try {
    if (rows < 1 || size_of(MPI_COMM_WORLD) % rows != 0 || block < 1 || block % strip != 0) {
      throw std::invalid_argument(fmt::format("{}: a grid or blocks that cannot be", options.name));
    }
    factor_and_judge(options, rows, block);
  } catch (const std::exception& error) {
    fmt::print(stderr, "duet_bench: {}\n", error.what());
    MPI_Abort(MPI_COMM_WORLD, 1);
  }
}

}  // namespace duet
