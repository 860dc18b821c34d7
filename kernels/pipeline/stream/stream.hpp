#pragma once

/// A stream of items through stages, in every model: items come one after the other from a source, go through all
/// stages, and are taken in the order in which they came. No more than `tokens` of them are under way at once, so that
/// memory does not depend on how many there are, and a slow taker holds back the source.
///
///     source --> | read      |--> decompress --> multiply --> compress -->| write      |--> take
///      in order  | I/O threads|           the workers                     | I/O threads|   in order
///                      ^                                                         |
///                      +------------------- a token comes back ------------------+
///
/// Who does what:
///
///     source, take     one at a time, in order
///     leading stages   that read or wait, not compute: `readers` threads of their own, ahead of the workers, so that
///                      reading overlaps computing; without any (0) the worker who fetches an item does it
///     computing        the workers; several items at once, but for a stage `in_order`
///     trailing stages  that write or wait: `writers` threads of their own, behind the workers; else the worker
///
/// The models differ in how workers meet items. serial: one after the other. openmp: a task for each item and stage,
/// whose dependences are the item and, in order, the stage. tbb: a parallel_pipeline with a filter for each stage. mpi:
/// `stream_ranks.hpp`. Right in each of them, since an item belongs to one stage at a time and nobody else touches it.
///
/// A stage that throws a std::exception spoils its item and nothing else: the text becomes the item's `fault`, the
/// stages that follow pass it by, and `take` gets it in its place. What source or take throw ends the stream, and
/// comes out of it.
///
/// Cost: about 0.1 us an item and stage in figures, and 0.3 us (tbb) to 1 us (openmp) in tasks: items of a microsecond
/// go in batches. Memory: `tokens` items with two buffers each.

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "kernels/core/execution.hpp"
#include "kernels/core/stage_figures.hpp"
#include "kernels/pipeline/stream/bytes.hpp"

namespace duet {

class TbbTeam;

struct StreamItem {
  std::int64_t index = 0;  ///< from 0 in the order of the source
  std::int64_t count = 1;  ///< items that go together as this one, for the figures
  Bytes data;              ///< what the last stage left
  Bytes spare;             ///< where a stage writes what shall be data; it swaps the two when it is done
  std::string fault;       ///< why this item has no result; empty for a good one

  // For those who run the stream.
  std::int64_t ticket = 0;  ///< from 0 in the order in which this process got it
  std::int64_t since = 0;   ///< nanoseconds: when the last stage ended
};

struct StreamStage {
  std::string name;
  StageKind kind = StageKind::computing;
  bool in_order = false;
  std::function<void(StreamItem&)> act;
};

struct Stream {
  /// The next item: its data and count, and a fault where there is nothing to be done with it. Its index is set. False
  /// where there are no more.
  std::function<bool(StreamItem&)> next;
  std::vector<StreamStage> stages;
  std::function<void(StreamItem&)> take;

  /// How many stages from the first on, and from the last back, do not compute.
  [[nodiscard]] std::size_t leading() const;
  [[nodiscard]] std::size_t trailing() const;
};

struct StreamLimits {
  int tokens = 0;  ///< items under way at once; 0: four a worker and two for each thread that reads or writes
  int readers = 1;
  int writers = 1;

  [[nodiscard]] int tokens_for(int workers) const;
};

/// What a stream did: a line for each stage.
using StreamFigures = std::vector<StageFigures>;

/// The whole stream, from the first item to the last one taken. Books computing stages as useful.
StreamFigures stream_serial(const Stream& stream, const StreamLimits& limits, const Execution& execution);
StreamFigures stream_openmp(const Stream& stream, const StreamLimits& limits, const Execution& execution);
StreamFigures stream_tbb(const Stream& stream, const StreamLimits& limits, const Execution& execution, TbbTeam& team);

}  // namespace duet
