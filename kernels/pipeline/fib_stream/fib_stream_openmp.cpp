#include "kernels/pipeline/fib_stream/fib_stream.hpp"

namespace duet {

/// A task for each chunk and stage.
StreamFigures fib_stream_openmp(const FibStreamRun& run, const Execution& execution) {
  run.begin();
  return run.with_ends(stream_openmp(run.stream(), run.limits(), execution), MPI_COMM_NULL);
}

}  // namespace duet
