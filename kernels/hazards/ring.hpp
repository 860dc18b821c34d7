#pragma once

/// What the message-passing hazards have in common: ranks in a ring, and messages whose every word can be checked.

#include <mpi.h>

#include <chrono>
#include <cstdint>
#include <vector>

#include "kernels/core/mpi.hpp"
#include "kernels/hazards/hazard.hpp"

namespace duet::hazards {

struct Ring {
  explicit Ring(const Stage& stage)
      : communicator{stage.execution.communicator},
        ranks{size_of(communicator)},
        rank{rank_in(communicator)},
        next{(rank + 1) % ranks},
        previous{(rank + ranks - 1) % ranks} {}

  MPI_Comm communicator;
  int ranks;
  int rank;
  int next;
  int previous;
};

using Words = std::vector<std::int64_t>;

/// The word that rank `sender` sends in `round`, at any place of a message.
[[nodiscard]] constexpr std::int64_t word_of(int sender, int round) {
  return (sender + 1) * std::int64_t{1'000'003} + round;
}

[[nodiscard]] inline std::int64_t bytes_of(const Words& words) {
  return static_cast<std::int64_t>(words.size() * sizeof(std::int64_t));
}

[[nodiscard]] inline std::int64_t count_of(const Words& words, std::int64_t wanted) {
  std::int64_t right = 0;
  for (const std::int64_t word : words) right += word == wanted ? 1 : 0;
  return right;
}

[[nodiscard]] inline double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// The observation of a whole job: what all ranks counted, and the longest time. The same on every rank. Collective.
[[nodiscard]] Observation of_all_ranks(const Ring& ring, Observation mine);

}  // namespace duet::hazards
