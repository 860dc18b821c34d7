#include <stdexcept>

#include "kernels/arithmetic/teams.hpp"
#include "kernels/mapping/fib_batch/fib_batch.hpp"
#include "kernels/mapping/fib_batch/plan.hpp"
#include "kernels/mapping/fib_batch/solver.hpp"
#include "kernels/mapping/schedule/deal.hpp"

namespace duet {

void fib_batch_hybrid(const FibBatch& batch, Answers& answers, RankWords& words, const Execution& execution) {
  const Schedule schedule = schedule_called(execution.text_or("schedule", "longest_first"));
  if (schedule == Schedule::spawn_each) throw std::invalid_argument("schedule: hybrid has no spawn_each");

  const int workers = size_of(execution.communicator) * execution.threads;
  Plan plan = fib_batch_plan(batch, schedule, execution.whole_or("grain", 0), workers);
  const Solver solver{batch, plan, workers};
  // The threads of one rank may help each other; ranks may not.
  if (workers == execution.threads) solver.answer_giants(plan, answers.shelf(0), openmp_team(execution));
  const RankActs acts{
      .act = [&](Range pieces, int worker) { solver.answer(plan.positions(pieces), answers.shelf(worker)); },
      .nanoseconds = [&](std::int64_t piece) { return nanoseconds_of(batch, plan, piece); }};
  deal_hybrid(plan, schedule, acts, words, execution);
}

}  // namespace duet
