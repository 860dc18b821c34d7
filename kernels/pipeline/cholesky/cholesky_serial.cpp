#include "kernels/pipeline/cholesky/cholesky.hpp"
#include "kernels/pipeline/cholesky/stages.hpp"

namespace duet {

void cholesky_serial(const TileMatrix& a, const Execution& execution) {
  Stages stages{a};
  const Booking booking{execution.timesheet, 0, Activity::useful};
  // By columns, each tile taking all its updates at once: it stays in the cache and is written to memory once.
  for (std::int64_t j = 0; j < stages.count(); ++j) {
    for (std::int64_t i = j; i < stages.count(); ++i) {
      for (std::int64_t k = 0; k < j; ++k) stages.update(i, j, k);
      if (i == j) {
        stages.factor(j);
      } else {
        stages.solve(i, j);
      }
    }
    stages.require_success();
  }
}

}  // namespace duet
