#include "kernels/core/tbb_team.hpp"
#include "kernels/pipeline/matrix_stream/matrix_stream.hpp"
#include "kernels/pipeline/matrix_stream/stages.hpp"
#include "kernels/pipeline/stream/stream.hpp"

namespace duet {

StreamFigures matrix_stream_tbb(const MatrixStream& stream, const Execution& execution) {
  if (!execution.on_worker_start) return matrix_stream_tbb(stream, execution, TbbTeam::kept(execution.threads));
  TbbTeam team{execution};
  return matrix_stream_tbb(stream, execution, team);
}

StreamFigures matrix_stream_tbb(const MatrixStream& stream, const Execution& execution, TbbTeam& team) {
  const Stream stages = stages_of(stream, kernel_for(execution));
  return stream_tbb(stages, stream_limits(execution), execution, team);
}

}  // namespace duet
