/// Workers count together. An update is three steps, and what another worker writes between the first and the third is
/// overwritten:
///
///     worker 0      load 7    add 1    store 8
///     worker 1          load 7    add 1     store 8        two updates, and the counter has moved by one
///
/// The broken form meets between load and store for its first updates, so that all but one of the workers lose each of
/// these for certain; the rest are left to themselves, as in a real program. The counter is volatile: the loads and
/// stores are all made, none are atomic, and ThreadSanitizer sees a data race.
///
/// The cures make as many updates. In the forms that count in a register each addition is really made; a compiler
/// would make one of them all, which is the best cure of all and would hide what the others cost.
///
/// Cost of an update: a lock and the counter's line travel between cores (mutex, atomic); nothing travels but one line
/// at the end (reduction, private) or one message a rank (message).

#include <mpi.h>
#include <omp.h>

#include <atomic>
#include <mutex>

#include "kernels/core/mpi.hpp"
#include "kernels/hazards/catalogue.hpp"
#include "kernels/hazards/workers.hpp"

namespace duet::hazards {
namespace {

constexpr std::int64_t updates = 200'000;  // a worker
constexpr std::int64_t met_updates = 16;   // of them with a rendezvous, in the broken form

Observation counted_up(int workers, double seconds, std::int64_t got) {
  Observation seen;
  seen.workers = workers;
  seen.seconds = seconds;
  seen.operations = seen.expected = workers * updates;
  seen.got = got;
  return seen;
}

Observation lost_update_broken(const Stage& stage) {
  const int workers = stage.workers();
  volatile std::int64_t counter = 0;
  Rendezvous all{workers};
  const double seconds = on_workers(stage, [&](int) {
    for (std::int64_t i = 0; i < met_updates; ++i) {
      const std::int64_t before = counter;
      all.meet();
      counter = before + 1;
      all.meet();
    }
    for (std::int64_t i = met_updates; i < updates; ++i) counter = counter + 1;
  });
  return counted_up(workers, seconds, counter);
}

Observation lost_update_mutex(const Stage& stage) {
  std::int64_t counter = 0;
  std::mutex mutex;
  const double seconds = on_workers(stage, [&](int) {
    for (std::int64_t i = 0; i < updates; ++i) {
      const std::scoped_lock lock{mutex};
      counter += 1;
    }
  });
  return counted_up(stage.workers(), seconds, counter);
}

Observation lost_update_atomic(const Stage& stage) {
  std::atomic<std::int64_t> counter = 0;
  const double seconds = on_workers(stage, [&](int) {
    for (std::int64_t i = 0; i < updates; ++i) counter.fetch_add(1, std::memory_order_relaxed);
  });
  return counted_up(stage.workers(), seconds, counter);
}

Observation lost_update_reduction(const Stage& stage) {
  const int workers = stage.workers();
  const std::function<void(int)>& on_start = stage.execution.on_worker_start;
  std::int64_t counter = 0;
  double seconds = 0;
  FirstException failure;
  // On a thread of its own, which has a team of its own: the caller's stays as it is bound.
  std::jthread{[&] {
#pragma omp parallel num_threads(workers) default(none) shared(on_start, failure)
    if (on_start) failure.guard([&] { on_start(omp_get_thread_num()); });
    const Clock::time_point begin = Clock::now();
#pragma omp parallel for num_threads(workers) default(none) shared(workers) reduction(+ : counter)
    for (std::int64_t i = 0; i < workers * updates; ++i) {
      counter += 1;
      must_exist(counter);
    }
    seconds = seconds_between(begin, Clock::now());
  }}.join();
  failure.rethrow();
  return counted_up(workers, seconds, counter);
}

Observation lost_update_private(const Stage& stage) {
  struct alignas(apart) Own {
    std::int64_t count = 0;
  };
  std::vector<Own> own(static_cast<std::size_t>(stage.workers()));
  const double seconds = on_workers(stage, [&](int worker) {
    std::int64_t count = 0;
    for (std::int64_t i = 0; i < updates; ++i) {
      count += 1;
      must_exist(count);
    }
    own[static_cast<std::size_t>(worker)].count = count;
  });
  std::int64_t counter = 0;
  for (const Own& part : own) counter += part.count;
  return counted_up(stage.workers(), seconds, counter);
}

Observation lost_update_message(const Stage& stage) {
  const MPI_Comm communicator = stage.execution.communicator;
  check(MPI_Barrier(communicator));
  const Clock::time_point begin = Clock::now();
  std::int64_t mine = 0;
  for (std::int64_t i = 0; i < updates; ++i) {
    mine += 1;
    must_exist(mine);
  }
  std::int64_t counter = 0;
  check(MPI_Allreduce(&mine, &counter, 1, MPI_INT64_T, MPI_SUM, communicator));
  return counted_up(size_of(communicator), seconds_between(begin, Clock::now()), counter);
}

Finding judge_lost_update(const Observation& seen) {
  const std::string all = std::to_string(seen.expected) + " updates";
  if (seen.got == seen.expected) return {false, "all " + all + " arrived"};
  if (seen.got > seen.expected) return {true, std::to_string(seen.got - seen.expected) + " more than the " + all};
  return {true, "lost " + std::to_string(seen.expected - seen.got) + " of " + all};
}

}  // namespace

Hazard lost_update() {
  return {
      .name = "lost_update",
      .by = By::shared_state,
      .summary = "additions to one counter disappear",
      .why =
          "counter = counter + 1 is a load, an addition and a store. What another worker stores between the load "
          "and the store is overwritten. It is a data race as well: the language promises nothing any more.",
      .symptom =
          "A sum that is too small, by another amount each time, and right where one looks closely: a debugger, "
          "a print or one thread alone make the window close.",
      .detection =
          "The updates that were made are counted and compared with those that arrived. The broken form meets "
          "between load and store, so that some are lost for certain. ThreadSanitizer names both accesses.",
      .operation = "update",
      .forms =
          {
              {.name = "broken", .broken = true, .does = "load, add, store", .run = lost_update_broken, .races = true},
              {.name = "mutex", .does = "a lock around the three steps", .run = lost_update_mutex},
              {.name = "atomic", .does = "fetch_add: the three steps are one", .run = lost_update_atomic},
              {.name = "reduction", .does = "OpenMP's reduction(+ : counter)", .run = lost_update_reduction},
              {.name = "private",
               .does = "each thread counts for itself, summed at the end",
               .run = lost_update_private},
              {.name = "message",
               .by = By::messages,
               .does = "each rank counts for itself, then MPI_Allreduce",
               .run = lost_update_message},
          },
      .judge = judge_lost_update,
  };
}

}  // namespace duet::hazards
