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
///                      reading overlaps computing; without any (0) the workers do them as if they computed
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
/// A disk is given several items at once, by one thread as by many: a first stage with an `expect` is told of all that
/// have a token, and a last one with a `begin` begins all that have come before it waits for the first.
///
/// A first stage that waits for an answer need not keep a thread: where it has a `begin`, one thread begins all that
/// are under way, and another one has them in a queue by the time at which their answers are due. A source that waits
/// itself, for lines of a pipe say, has a thread of its own, and items that came before are finished meanwhile.
///
/// Cost: about 0.1 us an item and stage in figures, and 0.3 us (tbb) to 1 us (openmp) in tasks: items of a microsecond
/// go in batches. Memory: `tokens` items with two buffers each.

#include <chrono>
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
  std::function<void(StreamItem&)> act{};
  /// For the first stage or the last one, where it waits: begins what it waits for, and says when that is due; `act` is
  /// called then. A first stage begins many items before the first of them ends, a last one some at once.
  std::function<std::chrono::steady_clock::time_point(StreamItem&)> begin{};
  /// For a first stage that reads: called when an item gets its token, and those before it are still to be read. It may
  /// have a disk begin. Does not throw; any thread.
  std::function<void(std::int64_t index)> expect{};
};

struct Stream {
  /// The next item: its data and count, and a fault where there is nothing to be done with it. Its index is set. False
  /// where there are no more.
  std::function<bool(StreamItem&)> next;
  /// For a source that waits itself: false where `next` would wait now. Empty for one that never does.
  std::function<bool()> ready{};
  std::vector<StreamStage> stages{};
  std::function<void(StreamItem&)> take{};

  /// How many stages from the first on, and from the last back, do not compute.
  [[nodiscard]] std::size_t leading() const;
  [[nodiscard]] std::size_t trailing() const;
  /// Whether answers to the first stage are waited for without a thread each.
  [[nodiscard]] bool waits_asynchronously() const;
};

struct StreamLimits {
  int tokens = 0;  ///< items under way at once; 0: four a worker and two for each thread that reads or writes
  /// Threads for leading stages, and for a source that waits. Where answers are waited for asynchronously, any number
  /// but 0 is one to begin and one to end, and `tokens` says how many are under way at once.
  int readers = 1;
  int writers = 1;
  /// Bytes of a message that is counted in bytes; one that is longer goes in units of 1 MiB. Less is for tests.
  std::int64_t longest_message = 0x7fffffff;

  [[nodiscard]] int tokens_for(int workers) const;
};

/// What a stream did: a line for each stage.
using StreamFigures = std::vector<StageFigures>;

/// The whole stream, from the first item to the last one taken. Books computing stages as useful.
StreamFigures stream_serial(const Stream& stream, const StreamLimits& limits, const Execution& execution);
StreamFigures stream_openmp(const Stream& stream, const StreamLimits& limits, const Execution& execution);
StreamFigures stream_tbb(const Stream& stream, const StreamLimits& limits, const Execution& execution, TbbTeam& team);

}  // namespace duet
