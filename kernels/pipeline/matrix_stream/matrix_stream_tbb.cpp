#include "kernels/core/tbb_team.hpp"
#include "kernels/pipeline/matrix_stream/matrix_stream.hpp"
#include "kernels/pipeline/matrix_stream/stages.hpp"
#include "kernels/pipeline/stream/stream.hpp"

namespace duet {

StreamFigures matrix_stream_tbb(const MatrixStream& stream, const MatrixStreamPlan& plan, const Execution& execution,
                                TbbTeam& team) {
  const Stream stages = stages_of(stream, *plan.kernel);
  return stream_tbb(stages, stream_limits(execution), execution, team);
}

}  // namespace duet
