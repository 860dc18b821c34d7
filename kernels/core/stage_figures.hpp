#pragma once

/// What a stage of a pipeline did in one run, as plain figures, and what they say about the whole.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace duet {

/// On what a stage spends its time: a core, a disk, or nothing at all until somebody answers.
enum class StageKind { computing, disk, waiting };
[[nodiscard]] std::string_view name_of(StageKind kind);

struct StageFigures {
  std::string name;
  StageKind kind = StageKind::computing;
  bool in_order = false;  ///< one item after the other
  int workers = 1;        ///< who may be in it at the same time: cores for computing, threads for what waits
  std::int64_t items = 0;
  std::int64_t bytes_in = 0;
  std::int64_t bytes_out = 0;
  double useful_seconds = 0;  ///< in the stage, over all workers
  double queued_seconds = 0;  ///< items finished with the stage before, and waiting for this one, over all items
  double mean_depth = 0;      ///< items that wait before the stage, as an item meets them that enters it
  std::int64_t most_depth = 0;
};

/// What a pipeline waits for.
struct PipelineBound {
  /// The least time that these stages take with these workers: the longest of each stage in order by itself, all
  /// computing stages shared by the cores, and each other stage shared by its threads.
  double seconds = 0;
  StageKind kind = StageKind::computing;
  std::string stage;   ///< the slowest one of that kind
  double share = 0;    ///< `seconds` of the run's time: 1 where the pipeline loses nothing
  std::string advice;  ///< what would help, as one line
  /// The tunable of the stage's threads, where more of them may help: "writers" behind the last computing stage, else
  /// "readers". Else empty.
  std::string tunable;
};

/// `workers` cores did all computing in `seconds`. Without stages everything is zero.
[[nodiscard]] PipelineBound bound_of(const std::vector<StageFigures>& stages, int workers, double seconds);

}  // namespace duet
