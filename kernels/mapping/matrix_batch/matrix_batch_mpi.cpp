#include "kernels/core/timesheet.hpp"
#include "kernels/mapping/matrix_batch/matrix_batch.hpp"
#include "kernels/mapping/schedule/deal.hpp"

namespace duet {
namespace {

/// Small tasks first: while they are computed, the operands of parts arrive.
template <class Element>
void compute_bound(RankBatch<Element>& batch, const LocalKernel& kernel, const Execution& execution) {
  Booking booking{execution.timesheet, 0, Activity::communicating};
  batch.start_exchange();
  booking.now(Activity::useful);
  bool all_came = batch.parts().empty();
  double since_test = 0;
  for (const auto& [task, run] : batch.whole_tasks()) {
    multiply_run(kernel, run);
    since_test += batch.nanoseconds_of_task(task);
    if (all_came || since_test < piece_nanoseconds) continue;
    booking.now(Activity::communicating);
    all_came = batch.test_exchange();
    booking.now(Activity::useful);
    since_test = 0;
  }
  booking.now(Activity::communicating);
  batch.finish_exchange();
  booking.now(Activity::useful);
  for (const auto& [task, run] : batch.parts()) multiply_run(kernel, run);
}

}  // namespace

template <class Element>
void matrix_batch_mpi(RankBatch<Element>& batch, const Execution& execution) {
  const LocalKernel& kernel = local_kernel(execution.text_or("local_kernel", "duet"));
  if (batch.bound()) return compute_bound(batch, kernel, execution);
  const RankActs acts{.act = [&](Range pieces, int worker) { batch.multiply(pieces, worker, kernel); },
                      .bring = [&](Range pieces) { batch.bring(pieces); }};
  deal_mpi(batch.plan(), batch.schedule(), acts, batch.words(), execution);
}

template void matrix_batch_mpi(RankBatch<double>&, const Execution&);
template void matrix_batch_mpi(RankBatch<float>&, const Execution&);

}  // namespace duet
