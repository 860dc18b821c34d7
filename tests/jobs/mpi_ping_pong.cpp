/// mpi_ping_pong: half the round trip of 8 bytes between ranks 0 and 1, in microseconds: of 2000, or as many as fit
/// into four seconds, the one that a tenth are faster than. The rest tells what else the machine does, not what the
/// network.

#include <fmt/format.h>
#include <mpi.h>

#include <algorithm>
#include <vector>

#include "kernels/core/mpi.hpp"

int main(int count, char** words) {
  duet::check(MPI_Init(&count, &words));
  int rank = 0;
  duet::check(MPI_Comm_rank(MPI_COMM_WORLD, &rank));
  constexpr int warm_up = 20;
  constexpr std::size_t most = 2000;
  constexpr double seconds = 4;
  std::vector<double> round_trips;
  const double begin = MPI_Wtime();
  double message = 1;  // 0 ends
  for (int i = 0; rank < 2 && message != 0; ++i) {
    if (rank == 0) {
      const double sent = MPI_Wtime();
      if (round_trips.size() == most || sent - begin > seconds) message = 0;
      duet::check(MPI_Send(&message, 1, MPI_DOUBLE, 1, 0, MPI_COMM_WORLD));
      duet::check(MPI_Recv(&message, 1, MPI_DOUBLE, 1, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE));
      if (i >= warm_up) round_trips.push_back(MPI_Wtime() - sent);
    } else {
      duet::check(MPI_Recv(&message, 1, MPI_DOUBLE, 0, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE));
      duet::check(MPI_Send(&message, 1, MPI_DOUBLE, 0, 0, MPI_COMM_WORLD));
    }
  }
  if (rank == 0) {
    std::ranges::sort(round_trips);
    fmt::print("{:.2f}\n", 1e6 * round_trips.at(round_trips.size() / 10) / 2);
  }
  duet::check(MPI_Finalize());
}
