#include <omp.h>

#include <atomic>

#include "kernels/core/first_exception.hpp"
#include "kernels/core/timesheet.hpp"
#include "kernels/mapping/matrix_batch/matrix_batch.hpp"
#include "kernels/mapping/schedule/deal.hpp"

namespace duet {
namespace {

/// The tasks of a rank, taken by its team from a counter: first those that need nothing from others, while the main
/// thread, the only one that may call MPI, lets the operands of parts arrive between its own; then the parts.
template <class Element>
class Team {
 public:
  Team(RankBatch<Element>& batch, const LocalKernel& kernel, const Execution& execution)
      : batch_{batch}, kernel_{kernel}, execution_{execution} {}

  void work(int thread) {
    Booking booking{execution_.timesheet, thread, Activity::communicating};
    const bool main = thread == 0;
    bool all_came = batch_.parts().empty();
    if (main) failure_.guard([&] { batch_.start_exchange(); });
    booking.now(Activity::useful);
    double since_test = 0;
    take_all(batch_.whole_tasks(), next_whole_, [&](const ComputedTask<Element>& task) {
      since_test += batch_.nanoseconds_of_task(task.task);
      if (!main || all_came || since_test < piece_nanoseconds) return;
      booking.now(Activity::communicating);
      all_came = batch_.test_exchange();
      booking.now(Activity::useful);
      since_test = 0;
    });
    if (batch_.parts().empty()) return;
    booking.now(main ? Activity::communicating : Activity::waiting);
    if (main) failure_.guard([&] { batch_.finish_exchange(); });
#pragma omp barrier
    booking.now(Activity::useful);
    take_all(batch_.parts(), next_part_, [](const ComputedTask<Element>&) {});
  }

  void rethrow() const { failure_.rethrow(); }

 private:
  template <class After>
  void take_all(std::span<const ComputedTask<Element>> tasks, std::atomic<std::size_t>& next, After&& after) {
    for (std::size_t taken = next++; taken < tasks.size(); taken = next++) {
      failure_.guard([&] {
        multiply_run(kernel_, tasks[taken].run);
        after(tasks[taken]);
      });
    }
  }

  RankBatch<Element>& batch_;
  const LocalKernel& kernel_;
  const Execution& execution_;
  FirstException failure_;
  std::atomic<std::size_t> next_whole_ = 0;
  std::atomic<std::size_t> next_part_ = 0;
};

}  // namespace

template <class Element>
void matrix_batch_hybrid(RankBatch<Element>& batch, const Execution& execution) {
  const LocalKernel& kernel = local_kernel(execution.text_or("local_kernel", "duet"));
  if (!batch.bound()) {
    const RankActs acts{.act = [&](Range pieces, int worker) { batch.multiply(pieces, worker, kernel); },
                        .bring = [&](Range pieces) { batch.bring(pieces); },
                        .nanoseconds = [&](std::int64_t piece) { return batch.nanoseconds_of_piece(piece); }};
    return deal_hybrid(batch.plan(), batch.schedule(), acts, batch.words(), execution);
  }
  Team<Element> team{batch, kernel, execution};
#pragma omp parallel num_threads(execution.threads) default(none) shared(team)
  team.work(omp_get_thread_num());
  team.rethrow();
}

template void matrix_batch_hybrid(RankBatch<double>&, const Execution&);
template void matrix_batch_hybrid(RankBatch<float>&, const Execution&);

}  // namespace duet
