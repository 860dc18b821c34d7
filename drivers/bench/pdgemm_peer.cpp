#include <fmt/format.h>
#include <mpi.h>

#include <array>
#include <stdexcept>

#include "drivers/bench/peer.hpp"
#include "drivers/bench/scalapack.hpp"
#include "kernels/core/mpi.hpp"
#include "kernels/core/random.hpp"
#include "kernels/product/judge.hpp"
#include "kernels/registry.hpp"

namespace duet {
namespace {

/// This rank's part of a matrix in square blocks dealt out over the grid: `rows` and `columns` say which.
struct DealtMatrix {
  DealtMatrix(Runs of_rows, Runs of_columns) : rows{of_rows}, columns{of_columns}, own{rows.size(), columns.size()} {}

  void fill(std::uint64_t seed, std::uint32_t stream) {
    for (std::int64_t i = 0; i < rows.count; ++i) {
      for (std::int64_t j = 0; j < columns.count; ++j) {
        const View block = own.view().block(i * rows.width, j * columns.width, rows.width, columns.width);
        fill_random(block, seed, stream, rows[i * rows.width], columns[j * columns.width]);
      }
    }
  }

  Runs rows;
  Runs columns;
  Matrix<double> own;
};

// What is stored row by row is to ScaLAPACK, which stores columns, the transposed matrix: it computes C^T = B^T A^T,
// with rows of C^T, which are columns of C, dealt out over the rows of its grid.
void multiply_and_judge(const PeerOptions& options, const ScaLapack& library, std::int64_t block) {
  const int ranks = size_of(MPI_COMM_WORLD);
  const int rank = rank_in(MPI_COMM_WORLD);
  const auto pdgemm =
      library.symbol<void (*)(const char*, const char*, const int*, const int*, const int*, const double*,
                              const double*, const int*, const int*, const int*, const double*, const int*, const int*,
                              const int*, const double*, double*, const int*, const int*, const int*)>("pdgemm_");
  const Problem& problem = problem_called("matmul");
  const Instance instance = problem.pose(options.size, 1, {});
  const std::int64_t m = instance.extents[0];
  const std::int64_t n = instance.extents[1];
  const std::int64_t k = instance.extents[2];
  const std::int64_t row = rank / library.columns();
  const std::int64_t column = rank % library.columns();
  const auto dealt = [&](std::int64_t extent, std::int64_t parts, std::int64_t part) {
    if (extent % (block * parts) != 0) {
      throw std::invalid_argument(fmt::format("{} is not divided by {} blocks of {}", extent, parts, block));
    }
    return Runs{part * block, block, parts * block, extent / block / parts};
  };
  const Runs m_runs = dealt(m, library.columns(), column);
  const Runs n_runs = dealt(n, library.rows(), row);
  DealtMatrix a{m_runs, dealt(k, library.rows(), row)};
  DealtMatrix b{dealt(k, library.columns(), column), n_runs};
  DealtMatrix c{m_runs, n_runs};
  a.fill(instance.seed, 0);
  b.fill(instance.seed, 1);
  const auto transposed = [&](std::int64_t rows, std::int64_t columns, const DealtMatrix& matrix) {
    return library.description(columns, rows, block, matrix.own.columns());
  };
  const std::array<int, 9> of_a = transposed(m, k, a);
  const std::array<int, 9> of_b = transposed(k, n, b);
  const std::array<int, 9> of_c = transposed(m, n, c);
  const Communicator same_rows = Communicator::split(MPI_COMM_WORLD, static_cast<int>(column), rank);
  const Communicator same_columns = Communicator::split(MPI_COMM_WORLD, static_cast<int>(row), rank);

  Trial trial = trial_of(problem, instance, Model::mpi, ranks);
  trial.facts["code_path"] =
      fmt::format("{}, grid {}x{}, blocks of {}", library.core_name(), library.rows(), library.columns(), block);
  PeerOptions mine = options;
  if (rank != 0) mine.json = "/dev/null";
  time_and_judge(
      mine, trial,
      [&] {
        c.fill(instance.seed, 2);
        check(MPI_Barrier(MPI_COMM_WORLD));
      },
      [&] {
        const auto rows = static_cast<int>(m);
        const auto columns = static_cast<int>(n);
        const auto inner = static_cast<int>(k);
        const int first = 1;
        const double one = 1;
        const double zero = 0;
        pdgemm("N", "N", &columns, &rows, &inner, &one, b.own.data(), &first, &first, of_b.data(), a.own.data(), &first,
               &first, of_a.data(), &zero, c.own.data(), &first, &first, of_c.data());
        check(MPI_Barrier(MPI_COMM_WORLD));
      },
      [&] {
        return judge(OwnedProduct<double>{.all = MPI_COMM_WORLD,
                                          .along_row = same_rows.get(),
                                          .along_column = same_columns.get(),
                                          .m = m,
                                          .n = n,
                                          .k = k,
                                          .a = a.own.view(),
                                          .b = b.own.view(),
                                          .c = c.own.view(),
                                          .rows = m_runs,
                                          .columns = n_runs,
                                          .a_columns = a.columns,
                                          .b_rows = b.rows},
                     instance.seed);
      });
}

}  // namespace

void run_pdgemm_peer(const PeerOptions& options) {
  on_scalapack(options, 1,
               [&](const ScaLapack& library, std::int64_t block) { multiply_and_judge(options, library, block); });
}

}  // namespace duet
