#include "kernels/pipeline/fib_stream/fib_stream.hpp"

namespace duet {

/// The same messages; on each rank a task for each chunk and stage.
StreamFigures fib_stream_hybrid(const FibStreamRun& run, const Execution& execution) {
  run.begin();
  return run.with_ends(stream_ranks(run.stream(), run.limits(), run.groups(), execution), execution.communicator);
}

}  // namespace duet
