/// Each worker has a counter of its own, and nobody reads another's. But cores own memory by lines of 64 bytes, not by
/// variables:
///
///     one line   | counter 0 | counter 1 | ...        each write takes the line away from the other core
///     apart      | counter 0 |   empty   |  ...  | counter 1 |   empty   |
///
/// What is judged is a ratio: the processor time of an update, against that of the same update with counters in lines
/// of their own, both measured in the same run, in short pairs of stretches, of which the median counts. A line takes
/// 50 to 300 ns from core to core, an update of a line that is there a few: the ratio is 3 to 50.
///
/// Only workers that run at the same time disturb each other, and on a busy machine they seldom do. So a stretch begins
/// with a rendezvous, and a pair counts only where the clock says that the workers' stretches lay beside each other;
/// there are as many pairs as it takes. Workers are bound to cores, and there are no more of them than cores: on one
/// core they share its cache, and there is nothing to be seen.

#include <algorithm>
#include <array>
#include <atomic>
#include <new>

#include "kernels/core/number_text.hpp"
#include "kernels/core/thread_clock.hpp"
#include "kernels/hazards/catalogue.hpp"
#include "kernels/hazards/cores.hpp"
#include "kernels/hazards/workers.hpp"

namespace duet::hazards {
namespace {

constexpr std::int64_t stretch_updates = 10'000;  // 0.05 ms with a line each, 0.2 to 2 ms with one for all
constexpr std::size_t wanted_pairs = 25;
constexpr double most_seconds = 3;
// Lines apart give 0.9 to 1.2, on a machine with six times the load as well; one line from 1.8 on, usually 3 to 5.
constexpr double suspicious = 1.6;

using Counter = std::atomic<std::int64_t>;

/// Counters `stride` of them apart, the first at the begin of a line.
class Counters {
 public:
  Counters(int workers, std::size_t stride)
      : stride_{stride}, lines_((static_cast<std::size_t>(workers) * stride * sizeof(Counter) + apart) / apart) {}
  [[nodiscard]] Counter& of(int worker) {
    const std::size_t at = static_cast<std::size_t>(worker) * stride_;
    return lines_[at * sizeof(Counter) / apart].counters[at % (apart / sizeof(Counter))];
  }

 private:
  struct alignas(apart) Line {
    std::array<Counter, apart / sizeof(Counter)> counters{};
  };
  std::size_t stride_;
  std::vector<Line> lines_;
};

constexpr std::size_t counters_apart = apart / sizeof(Counter);

void update_in_memory(Counter& counter) {
  for (std::int64_t i = 0; i < stretch_updates; ++i) counter.fetch_add(1, std::memory_order_relaxed);
}

void update_in_register(Counter& counter) {
  std::int64_t count = counter.load(std::memory_order_relaxed);
  for (std::int64_t i = 0; i < stretch_updates; ++i) {
    count += 1;
    must_exist(count);
  }
  counter.store(count, std::memory_order_relaxed);
}

/// When a worker was in a stretch, and how long it computed there.
struct alignas(apart) Stretches {
  double reference = 0;
  double tried = 0;
  Clock::time_point begin{};
  Clock::time_point end{};
};

/// What one pair of stretches shows of all workers.
struct Pair {
  double ratio = 0;
  double seconds = 0;
  bool beside = false;  ///< for three quarters of the time at least, all workers were in their stretches at once
};

Pair pair_of(const std::vector<Stretches>& all) {
  double tried = 0;
  double reference = 0;
  Clock::time_point first = all.front().begin;
  Clock::time_point last_begin = all.front().begin;
  Clock::time_point first_end = all.front().end;
  Clock::time_point last = all.front().end;
  for (const Stretches& each : all) {
    tried = std::max(tried, each.tried);
    reference = std::max(reference, each.reference);
    first = std::min(first, each.begin);
    last_begin = std::max(last_begin, each.begin);
    first_end = std::min(first_end, each.end);
    last = std::max(last, each.end);
  }
  const double seconds = seconds_between(first, last);
  return {tried / reference, seconds, seconds_between(last_begin, first_end) >= 0.75 * seconds};
}

double middle_of(std::vector<Pair>& pairs, double Pair::*figure) {
  const auto middle = pairs.begin() + static_cast<std::ptrdiff_t>(pairs.size() / 2);
  std::ranges::nth_element(pairs, middle, {}, figure);
  return (*middle).*figure;
}

/// `tried` beside updates of counters in lines of their own.
Observation in_pairs(const Stage& stage, std::size_t stride, void (*tried)(Counter&)) {
  const int workers = std::max(2, std::min(stage.workers(), cores_here()));
  Counters one{workers, stride};
  Counters other{workers, counters_apart};
  constexpr int milliseconds_of_looks = 1'000'000;  // who has a core keeps it until the others come
  Rendezvous all{workers, milliseconds_of_looks};
  std::vector<Stretches> now(static_cast<std::size_t>(workers));
  std::vector<Pair> beside;
  std::vector<Pair> apart_in_time;
  bool done = false;  // worker 0 writes it between two meetings, others read it between the next two
  const Clock::time_point start = Clock::now();
  const auto& bind = stage.execution.on_worker_start;
  static_cast<void>(on_fresh_threads(workers, bind ? bind : bind_to_core, [&](int worker) {
    Stretches& mine = now[static_cast<std::size_t>(worker)];
    while (true) {
      all.meet();
      if (done) return;
      double computed = thread_seconds();
      update_in_memory(other.of(worker));
      mine.reference = thread_seconds() - computed;
      all.meet();
      mine.begin = Clock::now();
      computed = thread_seconds();
      tried(one.of(worker));
      mine.tried = thread_seconds() - computed;
      mine.end = Clock::now();
      all.meet();
      if (worker != 0) continue;
      const Pair pair = pair_of(now);
      (pair.beside ? beside : apart_in_time).push_back(pair);
      done = beside.size() >= wanted_pairs || seconds_between(start, Clock::now()) > most_seconds;
    }
  }));
  std::vector<Pair>& counted = beside.empty() ? apart_in_time : beside;
  Observation seen;
  seen.workers = workers;
  seen.cores = cores_here();
  seen.slowdown = middle_of(counted, &Pair::ratio);
  seen.seconds = middle_of(counted, &Pair::seconds);
  seen.operations = workers * stretch_updates;
  return seen;
}

Observation false_sharing_broken(const Stage& stage) { return in_pairs(stage, 1, update_in_memory); }
Observation false_sharing_padded(const Stage& stage) { return in_pairs(stage, counters_apart, update_in_memory); }
Observation false_sharing_local(const Stage& stage) { return in_pairs(stage, 1, update_in_register); }

Finding judge_false_sharing(const Observation& seen) {
  const std::string ratio = number_text(seen.slowdown) + " times what it takes with a line for each worker";
  if (seen.slowdown >= suspicious) return {true, "an update takes " + ratio};
  if (seen.cores < 2) return {false, "the workers have one core, and so one cache: nothing to be seen"};
  return {false, "an update takes " + ratio};
}

}  // namespace

Hazard false_sharing() {
  return {
      .name = "false_sharing",
      .by = By::shared_state,
      .summary = "own counters travel in one cache line",
      .why =
          "A core writes only to lines that it owns alone, 64 bytes at a time. Counters of several workers in one "
          "line share nothing in the program and everything in the machine: each write fetches the line anew.",
      .symptom =
          "Right answers, and a program that becomes slower with each thread. Whether it happens depends on how "
          "the allocator has placed things.",
      .detection =
          "Short pairs of stretches in one run: the form, and the same updates with a line for each worker. The "
          "median ratio of their processor times is judged, over pairs in which the workers ran at once; from 1.6 on "
          "it is sharing.",
      .operation = "update",
      .forms =
          {
              {.name = "broken", .broken = true, .does = "counters side by side", .run = false_sharing_broken},
              {.name = "padded", .does = "128 bytes apart (alignas), for 120 bytes each", .run = false_sharing_padded},
              {.name = "local", .does = "counted in a register, written once", .run = false_sharing_local},
          },
      .judge = judge_false_sharing,
  };
}

}  // namespace duet::hazards
