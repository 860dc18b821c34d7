#include <stdexcept>

#include "kernels/core/timesheet.hpp"
#include "kernels/mapping/fib_batch/fib_batch.hpp"
#include "kernels/mapping/fib_batch/plan.hpp"
#include "kernels/mapping/fib_batch/rank_pieces.hpp"
#include "kernels/mapping/fib_batch/solver.hpp"

namespace duet {

void fib_batch_mpi(const FibBatch& batch, Answers& answers, RankWords& words, const Execution& execution) {
  const Schedule schedule = schedule_called(execution.text_or("schedule", "longest_first"));
  if (schedule == Schedule::spawn_each) throw std::invalid_argument("schedule: mpi has no spawn_each");

  // Planning is not work on the question, and is repeated by every rank: it is booked as nothing.
  Booking booking{execution.timesheet, 0, Activity::waiting};
  const Plan plan{batch, schedule, execution.whole_or("grain", 0), size_of(execution.communicator)};
  const Solver solver{batch, plan};
  booking.now(Activity::communicating);
  RankPieces pieces{plan, schedule, 1, words};
  while (const auto mine = pieces.next()) {
    booking.now(Activity::useful);
    solver.answer(plan.positions(*mine), answers.shelf(0));
    booking.now(Activity::communicating);
  }
}

}  // namespace duet
