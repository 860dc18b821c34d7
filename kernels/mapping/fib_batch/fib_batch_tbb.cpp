#include <oneapi/tbb/blocked_range.h>
#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/partitioner.h>

#include <atomic>

#include "kernels/core/tbb_team.hpp"
#include "kernels/core/timesheet.hpp"
#include "kernels/mapping/fib_batch/fib_batch.hpp"
#include "kernels/mapping/fib_batch/plan.hpp"
#include "kernels/mapping/fib_batch/solver.hpp"
#include "kernels/mapping/fib_batch/spawn_each.hpp"

namespace duet {
namespace {

namespace tbb = oneapi::tbb;

/// Runs act(share) for each of `shares` shares, one on each worker of the arena where all of them come.
template <class Act>
void each_share(int shares, Act&& act) {
  tbb::parallel_for(0, shares, std::forward<Act>(act), tbb::static_partitioner{});
}

}  // namespace

void fib_batch_tbb(const FibBatch& batch, Answers& answers, const Execution& execution) {
  if (!execution.on_worker_start) return fib_batch_tbb(batch, answers, execution, TbbTeam::kept(execution.threads));
  TbbTeam team{execution};
  fib_batch_tbb(batch, answers, execution, team);
}

void fib_batch_tbb(const FibBatch& batch, Answers& answers, const Execution& execution, TbbTeam& team) {
  const Schedule schedule = schedule_called(execution.text_or("schedule", "longest_first"));
  const int workers = execution.threads;
  const Plan plan{batch, schedule, execution.whole_or("grain", 0), workers};
  const Solver solver{batch, plan};
  if (schedule == Schedule::spawn_each) return spawn_each(plan, solver, answers, execution);

  const auto answer = [&](Range pieces) {
    const int worker = TbbTeam::worker();
    const Booking booking{execution.timesheet, worker, Activity::useful};
    solver.answer(plan.positions(pieces), answers.shelf(worker));
  };
  team.run([&] {
    if (schedule == Schedule::stealing) {
      // TBB's own: ranges are split where a thief shows up.
      tbb::parallel_for(tbb::blocked_range<std::int64_t>{0, plan.pieces()},
                        [&](const auto& pieces) { answer({pieces.begin(), pieces.end()}); });
    } else if (schedule == Schedule::block || schedule == Schedule::cyclic) {
      each_share(workers, [&](int share) {
        for (std::int64_t k = share; k < plan.pieces(); k += workers) answer({k, k + 1});
      });
    } else {
      // A counter of chunks, which for dynamic and longest_first are single pieces.
      const bool guided = schedule == Schedule::guided;
      const std::vector<std::int64_t> chunks = guided ? plan.guided_chunks(workers) : std::vector<std::int64_t>{};
      const std::int64_t count = guided ? static_cast<std::int64_t>(chunks.size()) - 1 : plan.pieces();
      std::atomic<std::int64_t> next = 0;
      each_share(workers, [&](int) {
        for (std::int64_t c = next++; c < count; c = next++) {
          const auto at = static_cast<std::size_t>(c);
          answer(guided ? Range{chunks[at], chunks[at + 1]} : Range{c, c + 1});
        }
      });
    }
  });
}

}  // namespace duet
