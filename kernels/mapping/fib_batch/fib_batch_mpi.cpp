#include <stdexcept>

#include "kernels/mapping/fib_batch/fib_batch.hpp"
#include "kernels/mapping/fib_batch/plan.hpp"
#include "kernels/mapping/fib_batch/solver.hpp"
#include "kernels/mapping/schedule/deal.hpp"

namespace duet {

void fib_batch_mpi(const FibBatch& batch, Answers& answers, RankWords& words, const Execution& execution) {
  const Schedule schedule = schedule_called(execution.text_or("schedule", "longest_first"));
  if (schedule == Schedule::spawn_each) throw std::invalid_argument("schedule: mpi has no spawn_each");

  // Planning is not work on the question, and is repeated by every rank: it is booked as nothing.
  const int ranks = size_of(execution.communicator);
  const Plan plan = fib_batch_plan(batch, schedule, execution.whole_or("grain", 0), ranks);
  const Solver solver{batch, plan, ranks};
  const RankActs acts{
      .act = [&](Range pieces, int /*worker*/) { solver.answer(plan.positions(pieces), answers.shelf(0)); }};
  deal_mpi(plan, schedule, acts, words, execution);
}

}  // namespace duet
