#include "kernels/arithmetic/teams.hpp"
#include "kernels/mapping/fib_batch/fib_batch.hpp"
#include "kernels/mapping/fib_batch/plan.hpp"
#include "kernels/mapping/fib_batch/solver.hpp"
#include "kernels/mapping/schedule/deal.hpp"

namespace duet {

void fib_batch_openmp(const FibBatch& batch, Answers& answers, const Execution& execution) {
  const Schedule schedule = schedule_called(execution.text_or("schedule", "longest_first"));
  Plan plan = fib_batch_plan(batch, schedule, execution.whole_or("grain", 0), execution.threads);
  const Solver solver{batch, plan, execution.threads};
  solver.answer_giants(plan, answers.shelf(0), openmp_team(execution));
  deal_openmp(
      plan, schedule, [&](Range pieces, int thread) { solver.answer(plan.positions(pieces), answers.shelf(thread)); },
      execution);
}

}  // namespace duet
