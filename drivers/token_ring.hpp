#pragma once

/// How far apart the cores of the workers are, by the only ruler that a guest has: a token is handed around through
/// shared memory, and timed. On real hardware the distance is a constant; a hypervisor moves virtual processors between
/// clusters of cores that share a cache and others that do not, which multiplies it (85 to 350 ns on a Zen 4 guest) and
/// makes a product of n = 512 on two workers a sixth slower, without a word in the guest.

#include <mpi.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <new>

#include "kernels/core/mpi.hpp"

namespace duet {

class TokenRing {
 public:
  /// All workers of one node: `threads` of each rank of `node`, or of this process where that is MPI_COMM_NULL.
  /// Collective over `node`. Throws MpiError where the ranks cannot share memory.
  TokenRing(MPI_Comm node, int threads);
  ~TokenRing();
  TokenRing(const TokenRing&) = delete;
  TokenRing& operator=(const TokenRing&) = delete;

  /// Called by every worker at the same time, each on its own core; `call` is the same for all and larger by one each
  /// time. Seconds from one worker to the next, the least of a few batches of laps, on the node's first worker; 0 on
  /// others, and where there is one worker alone. Takes some 50 microseconds.
  [[nodiscard]] double hop_seconds(int thread, std::uint64_t call);

 private:
  /// Neighbouring lines are fetched in pairs by some processors, so that each worker's place has two.
  struct alignas(128) Place {
    std::atomic<std::uint64_t> token;
  };
  static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

  void wait_for(int member, std::uint64_t token) const;

  int first_ = 0;    ///< the member that this process's thread 0 is
  int members_ = 1;  ///< of the node
  std::unique_ptr<Place[]> own_;
  MPI_Win window_ = MPI_WIN_NULL;
  Place* places_ = nullptr;
  Unwinding unwinding_;
};

}  // namespace duet
