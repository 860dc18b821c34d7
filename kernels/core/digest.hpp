#pragma once

/// Digests of answers that lie on many ranks: sums of hashes, the same in whatever order they come.

#include <mpi.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "kernels/core/mpi.hpp"

namespace duet {

/// A hash of an index (the finaliser of splitmix64), so that a sum of hashes tells sets of indices apart.
[[nodiscard]] constexpr std::uint64_t hash_of(std::uint64_t index) {
  std::uint64_t x = index + 0x9e3779b97f4a7c15U;
  x = (x ^ x >> 30U) * 0xbf58476d1ce4e5b9U;
  x = (x ^ x >> 27U) * 0x94d049bb133111ebU;
  return x ^ x >> 31U;
}

/// A hash of what has the hash `content` and stands at `place`: sums of them tell answers apart whose parts are
/// exchanged.
[[nodiscard]] constexpr std::uint64_t hash_at(std::uint64_t place, std::uint64_t content) {
  return hash_of(content ^ hash_of(place));
}

/// A sum over all ranks, of words that may overflow. Collective; MPI_COMM_NULL stands for one process.
[[nodiscard]] inline std::uint64_t summed(std::uint64_t mine, MPI_Comm communicator) {
  if (communicator != MPI_COMM_NULL) {
    check(MPI_Allreduce(MPI_IN_PLACE, &mine, 1, MPI_UINT64_T, MPI_SUM, communicator));
  }
  return mine;
}

/// Sixteen hexadecimal digits.
[[nodiscard]] inline std::string digest_text(std::uint64_t digest) {
  constexpr std::string_view hexadecimal = "0123456789abcdef";
  std::string text(16, '0');
  for (auto digit = text.rbegin(); digit != text.rend(); ++digit, digest >>= 4U) *digit = hexadecimal[digest & 0xfU];
  return text;
}

}  // namespace duet
