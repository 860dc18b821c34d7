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

}  // namespace duet
