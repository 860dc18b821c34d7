#include "kernels/core/timesheet.hpp"
#include "kernels/mapping/fib_batch/fib_batch.hpp"
#include "kernels/mapping/fib_batch/plan.hpp"
#include "kernels/mapping/fib_batch/solver.hpp"

namespace duet {

void fib_batch_serial(const FibBatch& batch, Answers& answers, const Execution& execution) {
  const Booking booking{execution.timesheet, 0, Activity::useful};
  const Plan plan = fib_batch_plan(batch, Schedule::dynamic, execution.whole_or("grain", 0), 1);
  const Solver solver{batch, plan, 1};
  for (std::int64_t k = 0; k < plan.pieces(); ++k) solver.answer(plan.piece(k), answers.shelf(0));
}

}  // namespace duet
