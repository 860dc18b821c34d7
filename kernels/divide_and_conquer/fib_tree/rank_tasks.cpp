#include "kernels/divide_and_conquer/fib_tree/rank_tasks.hpp"

#include <array>
#include <limits>

namespace duet {
namespace {

/// One task a piece, while pieces can be numbered with 32 bits.
Plan pieces_of_tree(std::int64_t n, std::int64_t level) {
  constexpr std::int64_t most = std::numeric_limits<std::uint32_t>::max();
  const auto tasks = static_cast<std::int64_t>(tasks_of_tree(n, level));
  return Plan::in_order(tasks, (tasks + most - 1) / most);
}

}  // namespace

RankTasks::RankTasks(std::int64_t n, std::int64_t level, Schedule distribution, RankWords& words)
    : n_{n}, level_{level}, words_{words}, plan_{pieces_of_tree(n, level)}, pieces_{plan_, distribution, 1, words} {}

std::optional<Range> RankTasks::next() {
  const std::optional<Range> pieces = pieces_.next();
  if (!pieces) return std::nullopt;
  return plan_.grain() == 1 ? *pieces : plan_.positions(*pieces);
}

TreeCount RankTasks::found_by_all(TreeCount mine) const {
  std::array<std::uint64_t, 3> sums{mine.value, mine.calls + calls_above_, mine.tasks};
  check(MPI_Allreduce(MPI_IN_PLACE, sums.data(), 3, MPI_UINT64_T, MPI_SUM, words_.communicator()));
  return {sums[0], sums[1], sums[2]};
}

}  // namespace duet
