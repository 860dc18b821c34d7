#pragma once

/// Who is in the stages of a stream beside its workers.

#include <algorithm>
#include <cstddef>
#include <functional>

#include "kernels/pipeline/stream/stage_meter.hpp"
#include "kernels/pipeline/stream/stream.hpp"

namespace duet {

struct IoThreads {
  int readers = 0;
  int writers = 0;
  std::size_t leading = 0;  ///< stages that the readers do
  int answers = 0;          ///< that may be waited for at once without a thread each; 0 where each has one
  std::function<void()> on_start{};
};

/// The threads that the limits ask for, none for an end of the stream that has nothing to wait for.
[[nodiscard]] inline IoThreads io_threads(const Stream& stream, const StreamLimits& limits, int tokens,
                                          const Execution& execution) {
  const int asked = stream.waits_asynchronously() ? std::min(limits.readers, 1) : limits.readers;
  IoThreads threads{.readers = stream.leading() == 0 ? 0 : asked,
                    .writers = stream.trailing() == 0 ? 0 : limits.writers,
                    .on_start = execution.on_helper_start};
  if (threads.readers != 0) {
    threads.leading = stream.leading();
    if (stream.waits_asynchronously()) threads.answers = tokens;
  }
  if (stream.ready && threads.readers == 0) threads.readers = 1;
  return threads;
}

/// What the meter counted, with how many may have been in each stage; without readers or writers the workers were.
[[nodiscard]] inline StreamFigures figures_with_workers(const StageMeter& meter, int workers,
                                                        const IoThreads& threads) {
  StreamFigures figures = meter.figures();
  bool computed = false;
  for (std::size_t index = 0; index < figures.size(); ++index) {
    StageFigures& stage = figures[index];
    computed = computed || stage.kind == StageKind::computing;
    const int own = computed ? threads.writers : index < threads.leading ? threads.readers : 0;
    stage.workers = stage.in_order ? 1 : stage.kind == StageKind::computing || own == 0 ? workers : own;
  }
  if (threads.answers != 0) figures.front().workers = threads.answers;
  return figures;
}

}  // namespace duet
