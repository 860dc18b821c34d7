#pragma once

/// Times of what two ranks do over and over, on a machine that others may use as well: which of them say how long it
/// takes, and which how long it takes when a core is shared.

#include <mpi.h>

#include <functional>
#include <vector>

#include "kernels/core/thread_clock.hpp"

namespace duet {

/// One time of something that all ranks did at once.
struct Turn {
  double seconds = 0;     ///< of the slowest rank
  double core_share = 1;  ///< of that time in which each rank had its core, at the least: threads here wait by spinning
};

/// A thread that had its core for less was interrupted by another one; the rest is what the clocks cost.
inline constexpr double undisturbed_share = 0.95;
[[nodiscard]] inline bool undisturbed(const Turn& turn) { return turn.core_share >= undisturbed_share; }

/// What undisturbed turns take, and how sure that is.
struct Typical {
  double seconds = 0;  ///< their median; where there are none the least of all turns, which is too long
  int undisturbed = 0;
  int turns = 0;
  double core_share = 1;  ///< the largest of all turns
};
/// Zeros for no turns.
[[nodiscard]] Typical typical(const std::vector<Turn>& turns);

/// Does `act` once on this rank. Not collective: `seconds` and `core_share` are this rank's.
[[nodiscard]] Turn timed(const std::function<void()>& act);

/// Takes the slowest and the least over all ranks. Collective.
[[nodiscard]] Turn worst_of(MPI_Comm ranks, const Turn& mine);

/// `act`, which all ranks do at once, so many times as take about `budget` seconds, five at the least and 1000 at the
/// most, after one that does not count. Collective; the same on all ranks.
[[nodiscard]] std::vector<Turn> turns_of(MPI_Comm ranks, double budget, const std::function<void()>& act);

/// The median of what a thread computes in `act`, on the slower rank, by the clock of the thread: time in which others
/// had its core is no part of it. Collective.
[[nodiscard]] double computing_seconds(MPI_Comm ranks, double budget, const std::function<void()>& act);

}  // namespace duet
