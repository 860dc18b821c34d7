/// Tests on ranks that never end, for the test of what is said of them.

#include <gtest/gtest.h>
#include <mpi.h>

#include "kernels/core/mpi.hpp"

namespace duet {
namespace {

TEST(Deadlocked, ReceivesBeforeItSends) {
  const int ranks = size_of(MPI_COMM_WORLD);
  const int next = (rank_in(MPI_COMM_WORLD) + 1) % ranks;
  const int before = (rank_in(MPI_COMM_WORLD) + ranks - 1) % ranks;
  int token = 0;
  check(MPI_Recv(&token, 1, MPI_INT, before, 7, MPI_COMM_WORLD, MPI_STATUS_IGNORE));
  check(MPI_Send(&token, 1, MPI_INT, next, 7, MPI_COMM_WORLD));
}

}  // namespace
}  // namespace duet
