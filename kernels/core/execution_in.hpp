#pragma once

#include <utility>

#include "kernels/core/execution.hpp"
#include "kernels/core/vocabulary.hpp"

namespace duet {

/// What the variant of `model` runs with, of what the caller has: no communicator where it passes no messages, one
/// thread where it runs none beside.
[[nodiscard]] inline Execution execution_in(Model model, Execution execution) {
  if (!passes_messages(model)) execution.communicator = MPI_COMM_NULL;
  if (!runs_threads(model)) execution.threads = 1;
  return execution;
}

}  // namespace duet
