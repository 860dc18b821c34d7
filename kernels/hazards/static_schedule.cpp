/// Many short items and one that takes as long as all of them, the first. Under a static schedule each worker has its
/// part of the list, and the one with the long item has its share of the short ones as well:
///
///     block      worker 0 |------- long -------|s|s|s|s|         worker 1 |s|s|s|s|.................. idle
///     dynamic    worker 0 |------- long -------|                 worker 1 |s|s|s|s|s|s|s|s|
///
/// Worker 1 starves while there is work that nobody has begun. That is what is counted: items not begun when the first
/// worker has nothing more to do. Whichever worker the system slows down, a static schedule leaves some, and a dynamic
/// one leaves none: a worker only stops when there is none left. The load balance (POP: average / largest useful time,
/// here the processor's) is reported beside it.

#include <algorithm>
#include <atomic>
#include <numeric>

#include "kernels/core/number_text.hpp"
#include "kernels/core/partition.hpp"
#include "kernels/core/thread_clock.hpp"
#include "kernels/hazards/catalogue.hpp"
#include "kernels/hazards/workers.hpp"

namespace duet::hazards {
namespace {

constexpr std::int64_t short_items = 128;
constexpr std::int64_t short_steps = 20'000;
constexpr std::int64_t items = short_items + 1;

constexpr std::int64_t nobody_idle = -1;

/// In steps of `compute`.
constexpr std::int64_t cost_of(std::int64_t item) { return item == 0 ? short_items * short_steps : short_steps; }

/// next(worker, taken so far by it) is the item that a worker does next, or -1.
template <class Next>
Observation in_schedule(const Stage& stage, const Next& next) {
  const int workers = stage.workers();
  std::vector<double> useful(static_cast<std::size_t>(workers));
  std::atomic<std::int64_t> begun = 0;
  std::atomic<std::int64_t> left = nobody_idle;
  const double seconds = on_workers(stage, [&](int worker) {
    const double begin = thread_seconds();
    std::int64_t mine = 0;
    while (true) {
      begun.fetch_add(1);  // before it is taken: an item that somebody has must not look as if nobody had
      const std::int64_t item = next(worker, mine);
      if (item < 0) break;
      compute(cost_of(item));
      // Where the system has held up all others so long, the long item is longer: one of them has nothing to do first.
      while (item == 0 && left.load() == nobody_idle) std::this_thread::yield();
      ++mine;
    }
    begun.fetch_sub(1);
    std::int64_t nobody_yet = nobody_idle;
    left.compare_exchange_strong(nobody_yet, std::max<std::int64_t>(0, items - begun.load()));
    useful[static_cast<std::size_t>(worker)] = thread_seconds() - begin;
  });
  Observation seen;
  seen.workers = workers;
  seen.seconds = seconds;
  seen.operations = items;
  seen.items_left = left.load();
  const double sum = std::accumulate(useful.begin(), useful.end(), 0.0);
  seen.load_balance = sum / workers / *std::ranges::max_element(useful);
  return seen;
}

Observation static_schedule_broken(const Stage& stage) {
  return in_schedule(stage, [workers = stage.workers()](int worker, std::int64_t taken) -> std::int64_t {
    const Range mine = share_of(items, workers, worker);
    return taken < mine.size() ? mine.begin + taken : -1;
  });
}

Observation static_schedule_dynamic(const Stage& stage) {
  std::atomic<std::int64_t> next = 0;
  return in_schedule(stage, [&](int, std::int64_t) -> std::int64_t {
    const std::int64_t item = next.fetch_add(1);
    return item < items ? item : -1;
  });
}

Observation static_schedule_longest_first(const Stage& stage) {
  std::vector<std::int64_t> order(items);
  std::iota(order.begin(), order.end(), std::int64_t{0});
  std::ranges::stable_sort(order, std::ranges::greater{}, cost_of);
  std::atomic<std::size_t> next = 0;
  return in_schedule(stage, [&](int, std::int64_t) -> std::int64_t {
    const std::size_t at = next.fetch_add(1);
    return at < order.size() ? order[at] : -1;
  });
}

Finding judge_static_schedule(const Observation& seen) {
  return {seen.items_left > 0, std::to_string(seen.items_left) + " of " + std::to_string(seen.operations) +
                                   " items were not begun when the first worker had nothing to do; load balance " +
                                   number_text(seen.load_balance)};
}

}  // namespace

Hazard static_schedule() {
  return {
      .name = "static_schedule",
      .by = By::shared_state,
      .summary = "one long item, and others have nothing to do",
      .why =
          "Items are dealt before anybody knows what they cost. Who gets the long one has its share of the short "
          "ones as well, and the others may not take them.",
      .symptom = "More workers bring less than they should, always the same one is the last, and load balance is low.",
      .detection =
          "When the first worker has nothing more to do, the items that nobody has begun are counted. Any is "
          "one too many.",
      .operation = "item",
      .forms =
          {
              {.name = "broken",
               .broken = true,
               .does = "block: equal counts, in advance",
               .run = static_schedule_broken},
              {.name = "dynamic", .does = "the next item, whenever a worker is free", .run = static_schedule_dynamic},
              {.name = "longest_first",
               .does = "the same, the most expensive items first",
               .run = static_schedule_longest_first},
          },
      .judge = judge_static_schedule,
  };
}

}  // namespace duet::hazards
