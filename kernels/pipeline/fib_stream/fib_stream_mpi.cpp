#include "kernels/pipeline/fib_stream/fib_stream.hpp"

namespace duet {

/// Chunks travel as messages, between rank 0 and a farm or from group to group; each rank computes by itself.
StreamFigures fib_stream_mpi(const FibStreamRun& run, const Execution& execution) {
  run.begin();
  return run.with_ends(stream_ranks(run.stream(), run.limits(), run.groups(), execution), execution.communicator);
}

}  // namespace duet
