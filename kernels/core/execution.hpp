#pragma once

/// With what a variant runs: threads, ranks, tunables, and where it books its time. A C++ caller who only wants an
/// answer writes `Execution{.threads = 8}`.

#include <mpi.h>

#include <functional>

#include "kernels/core/settings.hpp"
#include "kernels/core/timesheet.hpp"

namespace duet {

struct Execution {
  /// Threads of this process that compute; exactly so many take part.
  int threads = 1;
  /// The ranks that work together, not owned. MPI_COMM_NULL where nothing passes messages. Kernels call MPI only from
  /// the thread that called them (MPI_THREAD_FUNNELED).
  MPI_Comm communicator = MPI_COMM_NULL;
  /// Checked tunables of the variant; where one is not set, a kernel takes its own preset.
  Settings tunables{};
  /// Where workers book their time, with `threads` lines; null where nobody asks.
  Timesheet* timesheet = nullptr;
  /// Called by worker `thread` of a team that the kernel makes itself (a TBB arena), before it works: the caller binds
  /// it to a core there. An OpenMP team needs no call: libgomp and libomp keep their threads between regions of one
  /// size.
  std::function<void(int thread)> on_worker_start{};
  /// Called by a thread that a kernel has beside its workers, to read or write, before it does so: bound like the
  /// worker that made it, it would share one core with that worker, and the others were idle.
  std::function<void()> on_helper_start{};

  /// The tunable `name`, or `preset` where the caller set none.
  [[nodiscard]] std::int64_t whole_or(std::string_view name, std::int64_t preset) const {
    return tunables.all().contains(name) ? tunables.whole(name) : preset;
  }
  [[nodiscard]] std::string text_or(std::string_view name, std::string preset) const {
    return tunables.all().contains(name) ? tunables.text(name) : preset;
  }
};

}  // namespace duet
