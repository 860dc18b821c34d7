#pragma once

/// Who is in the stages of a stream beside its workers.

#include "kernels/pipeline/stream/stage_meter.hpp"
#include "kernels/pipeline/stream/stream.hpp"

namespace duet {

struct IoThreads {
  int readers = 0;
  int writers = 0;
};

/// The threads that the limits ask for, none for an end of the stream that has no stage to do.
[[nodiscard]] inline IoThreads io_threads(const Stream& stream, const StreamLimits& limits) {
  return {.readers = stream.leading() == 0 ? 0 : limits.readers,
          .writers = stream.trailing() == 0 ? 0 : limits.writers};
}

/// What the meter counted, with how many may have been in each stage; without readers or writers the workers were.
[[nodiscard]] inline StreamFigures figures_with_workers(const StageMeter& meter, int workers,
                                                        const IoThreads& threads) {
  StreamFigures figures = meter.figures();
  bool computed = false;
  for (StageFigures& stage : figures) {
    computed = computed || stage.kind == StageKind::computing;
    const int own = computed ? threads.writers : threads.readers;
    stage.workers = stage.in_order ? 1 : stage.kind == StageKind::computing || own == 0 ? workers : own;
  }
  return figures;
}

}  // namespace duet
