/// Each worker has a counter of its own, and nobody reads another's. But cores own memory by lines of 64 bytes, not by
/// variables:
///
///     one line   | counter 0 | counter 1 | ...        each write takes the line away from the other core
///     apart      | counter 0 |   empty   |  ...  | counter 1 |   empty   |
///
/// What is judged is a ratio: the processor time of an update, against that of the same update with counters in lines
/// of their own, both measured in the same run, in short pairs of stretches, of which the median counts. A stretch
/// begins with a rendezvous, so that both workers really run at once; the processor's time and not the clock's is
/// taken, so that a neighbour who has the core does not count. A line takes 50 to 300 ns from core to core, an update
/// of a line that is there a few: the ratio is 5 to 50. Workers on one core share its cache and nothing is to be seen.

#include <sched.h>

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

constexpr std::int64_t stretch_updates = 4'000;  // 0.02 ms with a line each, 0.1 to 1 ms with one for all
constexpr int pairs = 15;
constexpr double suspicious = 2;

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

/// Processor seconds of one stretch, of the slowest worker, for `tried` beside counters in lines of their own.
Observation in_pairs(const Stage& stage, std::size_t stride, void (*tried)(Counter&)) {
  const int workers = stage.workers();
  Counters one{workers, stride};
  Counters other{workers, counters_apart};
  Rendezvous all{workers};
  struct alignas(apart) Times {
    std::array<double, pairs> tried{};
    std::array<double, pairs> reference{};
    std::array<double, pairs> wall{};
  };
  std::vector<Times> times(static_cast<std::size_t>(workers));
  static_cast<void>(on_workers(stage, [&](int worker) {
    Times& mine = times[static_cast<std::size_t>(worker)];
    for (std::size_t pair = 0; pair < pairs; ++pair) {
      all.meet();
      const double begin = thread_seconds();
      update_in_memory(other.of(worker));
      mine.reference[pair] = thread_seconds() - begin;
      all.meet();
      const Clock::time_point wall = Clock::now();
      const double second = thread_seconds();
      tried(one.of(worker));
      mine.tried[pair] = thread_seconds() - second;
      mine.wall[pair] = seconds_between(wall, Clock::now());
    }
  }));
  std::array<double, pairs> ratios{};
  std::array<double, pairs> walls{};
  for (std::size_t pair = 0; pair < pairs; ++pair) {
    double slowest = 0;
    double reference = 0;
    for (const Times& each : times) {
      slowest = std::max(slowest, each.tried[pair]);
      reference = std::max(reference, each.reference[pair]);
      walls[pair] = std::max(walls[pair], each.wall[pair]);
    }
    ratios[pair] = slowest / reference;
  }
  const auto middle = [](std::array<double, pairs>& values) {
    std::ranges::nth_element(values, values.begin() + pairs / 2);
    return values[pairs / 2];
  };
  Observation seen;
  seen.workers = workers;
  seen.cores = cores_here();
  seen.slowdown = middle(ratios);
  seen.seconds = middle(walls);
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
          "Short pairs of stretches in one run: the form, and the same updates with lines for each worker. The "
          "median ratio of their processor times is judged; from 2 on it is sharing.",
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
