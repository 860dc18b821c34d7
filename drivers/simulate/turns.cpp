#include "drivers/simulate/turns.hpp"

#include <algorithm>
#include <array>

#include "drivers/statistics/medians.hpp"
#include "kernels/core/mpi.hpp"

namespace duet {

Typical typical(const std::vector<Turn>& turns) {
  if (turns.empty()) return {};
  Typical result;
  result.turns = static_cast<int>(turns.size());
  result.core_share = std::ranges::max_element(turns, {}, &Turn::core_share)->core_share;
  std::vector<double> seconds;
  for (const Turn& turn : turns) {
    if (undisturbed(turn)) seconds.push_back(turn.seconds);
  }
  result.undisturbed = static_cast<int>(seconds.size());
  result.seconds = seconds.empty() ? std::ranges::min_element(turns, {}, &Turn::seconds)->seconds : median(seconds);
  return result;
}

Turn timed(const std::function<void()>& act) {
  const double had = thread_seconds();
  const double begin = MPI_Wtime();
  act();
  const double seconds = MPI_Wtime() - begin;
  const double computed = thread_seconds() - had;
  return {seconds, seconds > 0 ? std::min(1.0, computed / seconds) : 1};
}

Turn worst_of(MPI_Comm ranks, const Turn& mine) {
  std::array<double, 2> worst{mine.seconds, -mine.core_share};
  check(MPI_Allreduce(MPI_IN_PLACE, worst.data(), 2, MPI_DOUBLE, MPI_MAX, ranks));
  return {worst[0], -worst[1]};
}

std::vector<Turn> turns_of(MPI_Comm ranks, double budget, const std::function<void()>& act) {
  constexpr int fewest = 5;
  constexpr int most = 1000;
  act();
  std::vector<Turn> turns;
  double spent = 0;
  while (std::ssize(turns) < fewest || (spent < budget && std::ssize(turns) < most)) {
    check(MPI_Barrier(ranks));
    turns.push_back(worst_of(ranks, timed(act)));
    spent += turns.back().seconds;
  }
  return turns;
}

double computing_seconds(MPI_Comm ranks, double budget, const std::function<void()>& act) {
  constexpr int fewest = 5;
  constexpr int most = 1000;
  act();
  std::vector<double> seconds;
  double spent = 0;
  while (std::ssize(seconds) < fewest || (spent < budget && std::ssize(seconds) < most)) {
    check(MPI_Barrier(ranks));
    const double had = thread_seconds();
    act();
    seconds.push_back(thread_seconds() - had);
    spent = worst_of(ranks, {spent + seconds.back(), 1}).seconds;
  }
  return worst_of(ranks, {median(seconds), 1}).seconds;
}

}  // namespace duet
