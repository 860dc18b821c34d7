#pragma once

/// What the tests of matrix_batch ask for: executions with tunables, and batches of awkward shapes.

#include <mpi.h>

#include <string>
#include <vector>

#include "kernels/core/execution.hpp"
#include "kernels/mapping/matrix_batch/question.hpp"

namespace duet {

inline const std::vector<std::string> shared_schedules{"block",         "cyclic",   "dynamic",   "guided",
                                                       "longest_first", "stealing", "spawn_each"};
inline const std::vector<std::string> rank_schedules{"block",  "cyclic",        "dynamic",
                                                     "guided", "longest_first", "stealing"};

[[nodiscard]] inline Execution execution_with(const std::string& schedule, int threads, const std::string& grain = "0",
                                              MPI_Comm communicator = MPI_COMM_NULL) {
  static const std::vector<Setting> declared{
      {.name = "schedule", .preset = "", .meaning = "", .choices = shared_schedules},
      {.name = "grain", .preset = "0", .meaning = ""}};
  return {.threads = threads,
          .communicator = communicator,
          .tunables = Settings{"test", declared, {{"schedule", schedule}, {"grain", grain}}}};
}

/// Extents of 0 and 1, rows and columns, runs of equal shapes, and one that is more than a share.
[[nodiscard]] inline MatrixBatch awkward_batch() {
  MatrixBatch batch{
      .shapes = {{0, 0, 0}, {3, 0, 2}, {0, 4, 1}, {5, 6, 0}, {1, 1, 1}, {1, 90, 1}, {90, 1, 1}, {1, 1, 90}}};
  batch.shapes.insert(batch.shapes.end(), 50, {5, 3, 4});
  batch.shapes.insert(batch.shapes.end(), 3, {33, 40, 50});
  batch.shapes.push_back({300, 200, 100});
  batch.shapes.push_back({40, 700, 120});
  batch.shapes.insert(batch.shapes.end(), 2, {0, 0, 7});
  return batch;
}

}  // namespace duet
