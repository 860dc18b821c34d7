#pragma once

/// What the ranks of a batch share: one 64-bit word of each, which all of them read and change atomically.

#include <mpi.h>

#include <cstdint>

#include "kernels/core/mpi.hpp"

namespace duet {

/// One-sided, so that a rank that computes need not answer for the others to go on. (Where an MPI library has no such
/// hardware or shared memory below it, operations on a rank's word wait until that rank enters MPI.)
class RankWords {
 public:
  /// Collective over `communicator`, which it does not own.
  explicit RankWords(MPI_Comm communicator);

  /// Starts a new use: sets this rank's word and waits for all ranks to have set theirs. Collective. A rank that is
  /// still busy with the last use is not disturbed: uses alternate between two words, and nobody can be two barriers
  /// behind.
  void start(std::uint64_t mine);

  [[nodiscard]] std::uint64_t read(int rank) const;
  /// Adds, and returns what was there before.
  std::uint64_t fetch_and_add(int rank, std::uint64_t summand);
  /// Puts `desired` in place of `expected`, if that is there; returns what was there before.
  std::uint64_t compare_and_swap(int rank, std::uint64_t expected, std::uint64_t desired);
  void write(int rank, std::uint64_t word);

  [[nodiscard]] MPI_Comm communicator() const { return communicator_; }

 private:
  std::uint64_t fetch(int rank, std::uint64_t operand, MPI_Op operation) const;

  MPI_Comm communicator_;
  Window<std::uint64_t> window_;
  MPI_Aint now_ = 0;
};

}  // namespace duet
