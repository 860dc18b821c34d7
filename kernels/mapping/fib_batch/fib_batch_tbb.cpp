#include "kernels/arithmetic/teams.hpp"
#include "kernels/core/tbb_team.hpp"
#include "kernels/mapping/fib_batch/fib_batch.hpp"
#include "kernels/mapping/fib_batch/plan.hpp"
#include "kernels/mapping/fib_batch/solver.hpp"
#include "kernels/mapping/schedule/deal.hpp"

namespace duet {

void fib_batch_tbb(const FibBatch& batch, Answers& answers, const Execution& execution) {
  if (!execution.on_worker_start) return fib_batch_tbb(batch, answers, execution, TbbTeam::kept(execution.threads));
  TbbTeam team{execution};
  fib_batch_tbb(batch, answers, execution, team);
}

void fib_batch_tbb(const FibBatch& batch, Answers& answers, const Execution& execution, TbbTeam& team) {
  const Schedule schedule = schedule_called(execution.text_or("schedule", "longest_first"));
  Plan plan = fib_batch_plan(batch, schedule, execution.whole_or("grain", 0), execution.threads);
  const Solver solver{batch, plan, execution.threads};
  solver.answer_giants(plan, answers.shelf(0), tbb_team(execution, team));
  deal_tbb(
      plan, schedule, [&](Range pieces, int worker) { solver.answer(plan.positions(pieces), answers.shelf(worker)); },
      execution, team);
}

}  // namespace duet
