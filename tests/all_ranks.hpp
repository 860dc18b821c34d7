#pragma once

/// What all ranks of a test have to say together, so that the same assertion holds or fails on every one of them.

#include <mpi.h>

#include <array>
#include <string>

namespace duet {

/// Whether it is true on every rank. Collective over MPI_COMM_WORLD, as all of this file.
[[nodiscard]] inline bool on_every_rank(bool here) {
  int all = here ? 1 : 0;
  MPI_Allreduce(MPI_IN_PLACE, &all, 1, MPI_INT, MPI_LAND, MPI_COMM_WORLD);
  return all == 1;
}

/// Whether all ranks have the same text.
[[nodiscard]] inline bool agree(const std::string& text) {
  std::array<int, 2> lengths{static_cast<int>(text.size()), -static_cast<int>(text.size())};
  MPI_Allreduce(MPI_IN_PLACE, lengths.data(), 2, MPI_INT, MPI_MAX, MPI_COMM_WORLD);
  if (lengths[0] != -lengths[1]) return false;
  std::string first = text;
  MPI_Bcast(first.data(), lengths[0], MPI_CHAR, 0, MPI_COMM_WORLD);
  return on_every_rank(first == text);
}

}  // namespace duet
