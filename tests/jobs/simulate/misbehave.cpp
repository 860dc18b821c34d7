/// Stands in for duet_simulated: simulated ranks that do what the first argument says.

#include <mpi.h>

#include <cstdio>
#include <cstring>

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  int rank = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  const auto asked = [&](const char* what) {
    for (int i = 1; i < argc; ++i) {
      if (std::strcmp(argv[i], what) == 0) return true;
    }
    return false;
  };
  int number = 0;
  if (asked("deadlock")) MPI_Recv(&number, 1, MPI_INT, 1 - rank, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
  if (asked("abort") && rank == 1) MPI_Abort(MPI_COMM_WORLD, 5);
  if (asked("spin")) {
    while (number == 0) MPI_Iprobe(MPI_ANY_SOURCE, 0, MPI_COMM_WORLD, &number, MPI_STATUS_IGNORE);
  }
  if (asked("wrong") && rank == 0) std::puts("duet_simulated 2 1 0.5 1 8 wrong: C(1, 2) is 3");
  MPI_Finalize();
  return asked("wrong") ? 1 : 0;
}
