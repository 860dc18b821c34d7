#include "kernels/pipeline/fib_stream/fib_stream.hpp"

namespace duet {

StreamFigures fib_stream_serial(const FibStreamRun& run, const Execution& execution) {
  run.begin();
  return run.with_ends(stream_serial(run.stream(), run.limits(), execution), MPI_COMM_NULL);
}

}  // namespace duet
