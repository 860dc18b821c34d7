#include "kernels/pipeline/cholesky/cholesky.hpp"
#include "kernels/pipeline/cholesky/rank_work.hpp"

namespace duet {

void cholesky_mpi(const TileMatrix& a, PanelExchange& exchange, const Execution& execution) {
  RankWork work{a, exchange, 1};
  {
    Booking booking{execution.timesheet, 0, Activity::communicating};
    work.run(true, booking);
  }
  work.finish();
}

}  // namespace duet
