#pragma once

/// The threads that a variant will run on, before it runs: who writes a page first decides which NUMA node it lies on.

#include <omp.h>
#include <oneapi/tbb/parallel_for.h>

#include "kernels/core/first_exception.hpp"
#include "kernels/core/tbb_team.hpp"

namespace duet {

/// Calls act(0) to act(threads - 1), each on the thread of that number: of `team`, or where there is none, of an OpenMP
/// team, which is the calling thread alone where `threads` is 1. Rethrows the first exception.
template <class Act>
void on_each_thread(TbbTeam* team, int threads, const Act& act) {
  FirstException failure;
  if (team != nullptr) {
    team->run([&] { oneapi::tbb::parallel_for(0, threads, act, oneapi::tbb::static_partitioner{}); });
  } else {
#pragma omp parallel num_threads(threads) default(none) shared(act, failure)
    failure.guard([&] { act(omp_get_thread_num()); });
  }
  failure.rethrow();
}

/// Wakes those threads, so that an execution that is timed next does not begin with waiting for them, as ranks do not
/// wait for each other after a barrier. How long they stay awake is the runtime's business: longer than it takes to
/// start a clock, unless OMP_WAIT_POLICY is passive.
inline void assemble(TbbTeam* team, int threads) {
  if (threads > 1) on_each_thread(team, threads, [](int /*thread*/) {});
}

}  // namespace duet
