/// Workers that wait in a loop need a core each. With four of them a core, those that have come to a barrier spin away
/// the time slices that the others need in order to come:
///
///     core 0  |worker 0: arrives, spins ...... 3 ms ......|worker 2: arrives, spins ...... 3 ms ......| ...
///
/// so that a barrier of microseconds takes milliseconds. What is judged is what workers burn of the processor's time in
/// a wait. With a worker for each core, all of them but the last to come may spin for long, where the system has held
/// that one up; but not as many as there are cores. So in each round the workers' waits are sorted, and the one counts
/// that is the n-th largest on n cores; of these, the median over rounds. Time in which others have the core does not
/// count. A busy machine therefore does not look like a program with too many workers.
///
/// Cures: a worker a core; or waiting that gives the core away, at once (block: the system wakes the worker) or after a
/// while (yield: cheaper where the others come soon, and never as bad as spinning).
///
/// These threads are not bound, since more of them than cores is the point.

#include <algorithm>
#include <atomic>

#include "kernels/core/number_text.hpp"
#include "kernels/core/thread_clock.hpp"
#include "kernels/hazards/catalogue.hpp"
#include "kernels/hazards/cores.hpp"
#include "kernels/hazards/workers.hpp"

namespace duet::hazards {
namespace {

constexpr int workers_a_core = 4;
// Spinning burns whole time slices, 4 ms, or where somebody else wakes up all the time what is left of them, from 69 us
// on; 2750 runs of cures burnt 0.5 to 30 us.
constexpr double suspicious_seconds = 45e-6;

enum class Waiting { spin, yield, block };

/// A barrier whose waiting is chosen: in the end everybody looks at one number.
template <Waiting waiting>
class Barrier {
 public:
  explicit Barrier(int workers) : workers_{workers} {}

  void wait() {
    const int mine = round_.load(std::memory_order_acquire);
    if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == workers_) {
      arrived_.store(0, std::memory_order_relaxed);
      round_.store(mine + 1, std::memory_order_release);
      if constexpr (waiting == Waiting::block) round_.notify_all();
      return;
    }
    if constexpr (waiting == Waiting::block) {
      round_.wait(mine, std::memory_order_acquire);
    } else {
      constexpr int looks = 100;
      for (int look = 0; round_.load(std::memory_order_acquire) == mine; ++look) {
        if (waiting == Waiting::yield && look >= looks) std::this_thread::yield();
      }
    }
  }

 private:
  int workers_;
  alignas(apart) std::atomic<int> arrived_ = 0;
  alignas(apart) std::atomic<int> round_ = 0;
};

/// All workers together do the same work, however many they are, in `rounds` parts with a barrier after each.
template <Waiting waiting>
Observation in_rounds(int workers, int rounds) {
  constexpr std::int64_t steps_a_round = 40'000;
  Barrier<waiting> barrier{workers};
  std::vector<std::vector<double>> burnt(static_cast<std::size_t>(workers));
  const double seconds = on_fresh_threads(workers, {}, [&](int worker) {
    std::vector<double> mine;
    for (int round = 0; round < rounds; ++round) {
      compute(steps_a_round / workers);
      const double begin = thread_seconds();
      barrier.wait();
      mine.push_back(thread_seconds() - begin);
    }
    burnt[static_cast<std::size_t>(worker)] = std::move(mine);
  });
  const int cores = cores_here();
  std::vector<double> nth_largest;
  for (std::size_t round = 0; round < static_cast<std::size_t>(rounds); ++round) {
    std::vector<double> waits;
    for (const auto& of_worker : burnt) waits.push_back(of_worker[round]);
    std::ranges::sort(waits, std::ranges::greater{});
    nth_largest.push_back(waits[static_cast<std::size_t>(std::min(cores, workers) - 1)]);
  }
  const auto middle = nth_largest.begin() + rounds / 2;
  std::ranges::nth_element(nth_largest, middle);
  Observation seen;
  seen.workers = workers;
  seen.cores = cores;
  seen.seconds = seconds;
  seen.operations = rounds;
  seen.burnt_seconds = *middle;
  return seen;
}

constexpr int many_rounds = 100;
constexpr int few_rounds = 5;  // of 10 to 20 ms

Observation oversubscription_broken(const Stage&) {
  return in_rounds<Waiting::spin>(workers_a_core * cores_here(), few_rounds);
}
Observation oversubscription_right_count(const Stage&) { return in_rounds<Waiting::spin>(cores_here(), many_rounds); }
Observation oversubscription_yield(const Stage&) {
  return in_rounds<Waiting::yield>(workers_a_core * cores_here(), many_rounds);
}
Observation oversubscription_block(const Stage&) {
  return in_rounds<Waiting::block>(workers_a_core * cores_here(), many_rounds);
}

Finding judge_oversubscription(const Observation& seen) {
  const std::string burnt = "a wait burns " + number_text(1e6 * seen.burnt_seconds) + " us of processor time; " +
                            std::to_string(seen.workers) + " workers on " + std::to_string(seen.cores) +
                            (seen.cores == 1 ? " core" : " cores");
  return {seen.burnt_seconds > suspicious_seconds, burnt};
}

}  // namespace

Hazard oversubscription() {
  return {
      .name = "oversubscription",
      .by = By::shared_state,
      .summary = "spinning workers keep cores from the others",
      .why =
          "There are more workers than cores, and they wait in loops. The system takes a core from a spinning "
          "worker only when its time slice is over, milliseconds later.",
      .symptom =
          "All cores at 100 %, and a program that takes a hundred times as long as with fewer threads. Two "
          "libraries with a team each are enough, or two jobs on one node.",
      .detection =
          "Workers take the processor time that they burn in each wait. On n cores the n-th largest of a round is "
          "microseconds where waiting is right, and a time slice where it is not.",
      .operation = "round",
      .forms =
          {
              {.name = "broken",
               .broken = true,
               .does = "four workers a core, that spin",
               .run = oversubscription_broken},
              {.name = "right_count", .does = "a worker a core, that spin", .run = oversubscription_right_count},
              {.name = "yield", .does = "four a core, that look 100 times, then yield", .run = oversubscription_yield},
              {.name = "block", .does = "four a core, that sleep until they are woken", .run = oversubscription_block},
          },
      .judge = judge_oversubscription,
  };
}

}  // namespace duet::hazards
