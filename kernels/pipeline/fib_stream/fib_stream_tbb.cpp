#include "kernels/core/tbb_team.hpp"
#include "kernels/pipeline/fib_stream/fib_stream.hpp"

namespace duet {

/// A filter for each stage.
StreamFigures fib_stream_tbb(const FibStreamRun& run, const Execution& execution, TbbTeam& team) {
  run.begin();
  return run.with_ends(stream_tbb(run.stream(), run.limits(), execution, team), MPI_COMM_NULL);
}

}  // namespace duet
