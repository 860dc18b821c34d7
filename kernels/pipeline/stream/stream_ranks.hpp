#pragma once

/// A stream on ranks: rank 0 has the source and the end; every stage is a group of ranks, and an item moves from group
/// to group in messages.
///
///     farm     one group of all ranks, who do all stages: an item leaves rank 0 and its result comes back
///
///         rank 0   source --+--> read, decompress, multiply, compress, write --+--> take
///         rank 1            +--> read, decompress, multiply, compress, write --+
///
///     stages   consecutive stages are grouped, and each group has ranks of its own, as many as its cost asks for
///
///         rank 0   source --> read, decompress --+                    +--> take
///         rank 1                                 +--> multiply -------+
///         rank 2                                 +--> multiply -------+
///
/// A sender has *credits* for each rank that it sends to, and spends one for each item; the receiver gives it back when
/// it is done with the item. So no rank ever holds more than its window, and no message waits where nobody asked for
/// it. Rank 0 lets no more than `tokens` items be between source and end, since results may have to wait there for one
/// that is slow. All sends are immediate; ranks look for messages between two items, and each has threads that read
/// and write (stream.hpp).
///
/// Per item and boundary between groups: one message of 32 bytes and its data, and in `stages` an empty one for the
/// credit. MPI from the calling thread alone (MPI_THREAD_FUNNELED).

#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/pipeline/stream/stream.hpp"

namespace duet {

/// Ranks [first, first + ranks) do stages [begin, end).
struct StageGroup {
  std::size_t begin = 0;
  std::size_t end = 0;
  int first = 0;
  int ranks = 1;
  friend bool operator==(const StageGroup&, const StageGroup&) = default;
};

/// All stages on all ranks.
[[nodiscard]] std::vector<StageGroup> farm(std::size_t stages, int ranks);

/// The division of stages into groups, and of ranks to groups, in which the busiest rank has the least to do, where
/// `costs` are the seconds that an item takes in each stage; of divisions that are as good the one with the most
/// groups. Each rank is in one group; two groups at the least where there are as many ranks and stages, and no more
/// than either. Exhaustive over divisions: up to 12 stages.
[[nodiscard]] std::vector<StageGroup> stages_by_cost(const std::vector<double>& costs, int ranks);

/// "farm", or "read, decompress on 1 | multiply on 2": stages and how many ranks have them.
[[nodiscard]] std::string mapping_text(const std::vector<StageGroup>& groups, const Stream& stream);

/// What the other ranks throw where one of them threw.
struct EndedByAnotherRank : std::runtime_error {
  EndedByAnotherRank() : std::runtime_error{"the stream was ended by another rank"} {}
};

/// Collective over execution.communicator. `stream.next` and `stream.take` are called on rank 0 alone, stages on the
/// ranks of their group. Every rank gets the figures of all. `groups` are the same on all ranks.
StreamFigures stream_ranks(const Stream& stream, const StreamLimits& limits, const std::vector<StageGroup>& groups,
                           const Execution& execution);

}  // namespace duet
