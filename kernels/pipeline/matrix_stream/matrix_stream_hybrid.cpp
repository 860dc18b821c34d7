#include "kernels/pipeline/matrix_stream/matrix_stream.hpp"
#include "kernels/pipeline/matrix_stream/stages.hpp"
#include "kernels/pipeline/stream/stream_ranks.hpp"

namespace duet {

StreamFigures matrix_stream_hybrid(const MatrixStream& stream, const MatrixStreamPlan& plan,
                                   const Execution& execution) {
  const Stream stages = stages_of(stream, *plan.kernel);
  return stream_ranks(stages, stream_limits(execution), plan.groups, execution);
}

}  // namespace duet
