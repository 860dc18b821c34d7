#include <oneapi/tbb/task_group.h>

#include <atomic>
#include <vector>

#include "kernels/core/tbb_team.hpp"
#include "kernels/pipeline/cholesky/cholesky.hpp"
#include "kernels/pipeline/cholesky/stages.hpp"

namespace duet {
namespace {

/// Tiles that count. `finished(i)` is the number of columns of L that row i of tiles has: it only grows, from left to
/// right. Tile (i, j) knows how many columns it has taken, s. Its next task is
///
///     s + 1 < j      update by column s                     when finished(i) > s and finished(j) > s
///     else, i = j    update by column j - 1, then factor    when finished(j) = j
///     else           update by column j - 1, then solve     when finished(i) = j and finished(j) > j
///
/// Whoever changes one of these numbers looks at the tiles that may have waited for it. Both the tile's state and the
/// row's number are sequentially consistent, so of two threads that change them at once one sees both; the exchange of
/// the state decides who starts the task.
class Flow {
 public:
  Flow(Stages& stages, Timesheet* timesheet)
      : stages_{stages},
        timesheet_{timesheet},
        finished_(static_cast<std::size_t>(stages.count())),
        states_(static_cast<std::size_t>(stages.count() * (stages.count() + 1) / 2)) {}

  void run() {
    if (stages_.count() > 0) start_if_ready(0, 0);
    tasks_.wait();
  }

 private:
  using State = std::atomic<std::int64_t>;  ///< columns taken, and whether a task is on its way
  static constexpr std::int64_t busy = std::int64_t{1} << 62;

  [[nodiscard]] State& state(std::int64_t i, std::int64_t j) {
    return states_[static_cast<std::size_t>(i * (i + 1) / 2 + j)];
  }
  [[nodiscard]] std::atomic<std::int64_t>& finished(std::int64_t i) { return finished_[static_cast<std::size_t>(i)]; }

  [[nodiscard]] bool is_ready(std::int64_t i, std::int64_t j, std::int64_t taken) {
    if (taken + 1 < j) return finished(i) > taken && finished(j) > taken;
    return i == j ? finished(j) == j : finished(i) == j && finished(j) > j;
  }

  void start_if_ready(std::int64_t i, std::int64_t j) {
    std::int64_t taken = state(i, j);
    if (taken >= busy || !is_ready(i, j, taken)) return;
    if (!state(i, j).compare_exchange_strong(taken, taken + busy)) return;
    tasks_.run([this, i, j, taken] { advance(i, j, taken); });
  }

  void advance(std::int64_t i, std::int64_t j, std::int64_t taken) {
    {
      const Booking booking{timesheet_, TbbTeam::worker(), Activity::useful};
      if (j > 0) stages_.update(i, j, taken);
      if (taken + 1 >= j) {
        if (i == j) {
          stages_.factor(j);
        } else {
          stages_.solve(i, j);
        }
      }
    }
    if (taken + 1 < j) {
      state(i, j) = taken + 1;
      start_if_ready(i, j);
    } else {
      finished(i) = j + 1;
      start_those_that_waited_for(i, j);
    }
  }

  /// What waited for L(i, j). This thread goes on with what it starts last, and that is on the critical path; thieves
  /// take what it started first.
  void start_those_that_waited_for(std::int64_t i, std::int64_t j) {
    for (std::int64_t row = stages_.count() - 1; row > i; --row) start_if_ready(row, i);
    for (std::int64_t column = i; column > j; --column) start_if_ready(i, column);
  }

  Stages& stages_;
  Timesheet* timesheet_;
  std::vector<std::atomic<std::int64_t>> finished_;
  std::vector<State> states_;
  oneapi::tbb::task_group tasks_;
};

}  // namespace

void cholesky_tbb(const TileMatrix& a, const Execution& execution) {
  if (!execution.on_worker_start) return cholesky_tbb(a, execution, TbbTeam::kept(execution.threads));
  TbbTeam team{execution};
  cholesky_tbb(a, execution, team);
}

void cholesky_tbb(const TileMatrix& a, const Execution& execution, TbbTeam& team) {
  Stages stages{a};
  team.run([&] { Flow{stages, execution.timesheet}.run(); });
  stages.require_success();
}

}  // namespace duet
