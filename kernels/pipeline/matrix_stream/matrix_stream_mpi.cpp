#include "kernels/pipeline/matrix_stream/matrix_stream.hpp"
#include "kernels/pipeline/matrix_stream/stages.hpp"
#include "kernels/pipeline/stream/stream_ranks.hpp"

namespace duet {

StreamFigures matrix_stream_mpi(const MatrixStream& stream, const Execution& execution) {
  const Stream stages = stages_of(stream, kernel_for(execution));
  return stream_ranks(stages, stream_limits(execution), groups_for(stages, stream.count, execution), execution);
}

}  // namespace duet
