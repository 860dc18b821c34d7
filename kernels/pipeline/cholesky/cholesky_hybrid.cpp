#include <omp.h>

#include "kernels/pipeline/cholesky/cholesky.hpp"
#include "kernels/pipeline/cholesky/rank_work.hpp"

namespace duet {

void cholesky_hybrid(const TileMatrix& a, PanelExchange& exchange, const Execution& execution) {
  RankWork work{a, exchange, execution.threads};
#pragma omp parallel num_threads(execution.threads) default(none) shared(execution, work)
  {
    Booking booking{execution.timesheet, omp_get_thread_num(), Activity::waiting};
    // Only the thread that called may call MPI: thread 0 of the team.
    work.run(omp_get_thread_num() == 0, booking);
  }
  work.finish();
}

}  // namespace duet
