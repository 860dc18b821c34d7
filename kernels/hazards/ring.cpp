#include "kernels/hazards/ring.hpp"

#include <array>

namespace duet::hazards {

Observation of_all_ranks(const Ring& ring, Observation mine) {
  std::array<std::int64_t, 3> sums{mine.operations, mine.expected, mine.got};
  check(MPI_Allreduce(MPI_IN_PLACE, sums.data(), 3, MPI_INT64_T, MPI_SUM, ring.communicator));
  check(MPI_Allreduce(MPI_IN_PLACE, &mine.seconds, 1, MPI_DOUBLE, MPI_MAX, ring.communicator));
  mine.operations = sums[0];
  mine.expected = sums[1];
  mine.got = sums[2];
  mine.workers = ring.ranks;
  return mine;
}

}  // namespace duet::hazards
