#include <fmt/format.h>
#include <mpi.h>

#include <array>
#include <stdexcept>
#include <vector>

#include "drivers/bench/peer.hpp"
#include "drivers/bench/scalapack.hpp"
#include "kernels/core/mpi.hpp"
#include "kernels/pipeline/cholesky/cholesky.hpp"
#include "kernels/pipeline/cholesky/verify.hpp"
#include "kernels/registry.hpp"

namespace duet {
namespace {

void factor_and_judge(const PeerOptions& options, const ScaLapack& library, std::int64_t block) {
  const int ranks = size_of(MPI_COMM_WORLD);
  const int rank = rank_in(MPI_COMM_WORLD);
  const auto pdpotrf =
      library.symbol<void (*)(const char*, const int*, double*, const int*, const int*, const int*, int*, std::size_t)>(
          "pdpotrf_");

  const Problem& problem = problem_called("cholesky");
  const Instance instance = problem.pose(options.size, 1, {});
  const std::int64_t n = instance.extents[0];
  const FillTile fill = cholesky_matrix(instance);
  const Grid grid{library.rows(), library.columns()};
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
  const std::array<int, 9> description = library.description(n, n, block, rows);

  Trial trial = trial_of(problem, instance, Model::mpi, ranks);
  trial.facts["code_path"] =
      fmt::format("{}, grid {}x{}, blocks of {}", library.core_name(), grid.rows, grid.columns, block);
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
        const auto order = static_cast<int>(n);
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
  on_scalapack(options, strip,
               [&](const ScaLapack& library, std::int64_t block) { factor_and_judge(options, library, block); });
}

}  // namespace duet
