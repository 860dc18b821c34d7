#include "kernels/mapping/schedule/rank_words.hpp"

namespace duet {

RankWords::RankWords(MPI_Comm communicator) : communicator_{communicator}, window_{2, communicator} {}

void RankWords::start(std::uint64_t mine) {
  now_ = 1 - now_;
  write(rank_in(communicator_), mine);
  check(MPI_Barrier(communicator_));
}

std::uint64_t RankWords::fetch(int rank, std::uint64_t operand, MPI_Op operation) const {
  std::uint64_t before = 0;
  check(MPI_Fetch_and_op(&operand, &before, MPI_UINT64_T, rank, now_, operation, window_.get()));
  check(MPI_Win_flush(rank, window_.get()));
  return before;
}

std::uint64_t RankWords::read(int rank) const { return fetch(rank, 0, MPI_NO_OP); }

std::uint64_t RankWords::fetch_and_add(int rank, std::uint64_t summand) { return fetch(rank, summand, MPI_SUM); }

void RankWords::write(int rank, std::uint64_t word) { fetch(rank, word, MPI_REPLACE); }

std::uint64_t RankWords::compare_and_swap(int rank, std::uint64_t expected, std::uint64_t desired) {
  std::uint64_t before = 0;
  check(MPI_Compare_and_swap(&desired, &expected, &before, MPI_UINT64_T, rank, now_, window_.get()));
  check(MPI_Win_flush(rank, window_.get()));
  return before;
}

}  // namespace duet
