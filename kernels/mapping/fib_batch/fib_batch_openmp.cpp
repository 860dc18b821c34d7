#include <omp.h>

#include <atomic>
#include <optional>
#include <vector>

#include "kernels/core/timesheet.hpp"
#include "kernels/mapping/fib_batch/fib_batch.hpp"
#include "kernels/mapping/fib_batch/first_failure.hpp"
#include "kernels/mapping/fib_batch/plan.hpp"
#include "kernels/mapping/fib_batch/solver.hpp"
#include "kernels/mapping/fib_batch/spawn_each.hpp"

namespace duet {
namespace {

/// How `schedule(runtime)` deals the pieces of a loop, for as long as this lives. Pieces are cut already, so that
/// OpenMP deals them singly: static is `block` where there are as many pieces as threads, and `cyclic` where there are
/// more.
class LoopSchedule {
 public:
  explicit LoopSchedule(Schedule schedule) {
    omp_get_schedule(&kind_before_, &chunk_before_);
    const bool fixed = schedule == Schedule::block || schedule == Schedule::cyclic;
    omp_set_schedule(fixed ? omp_sched_static : schedule == Schedule::guided ? omp_sched_guided : omp_sched_dynamic, 1);
  }
  ~LoopSchedule() { omp_set_schedule(kind_before_, chunk_before_); }
  LoopSchedule(const LoopSchedule&) = delete;
  LoopSchedule& operator=(const LoopSchedule&) = delete;

 private:
  omp_sched_t kind_before_{};
  int chunk_before_ = 0;
};

/// The pieces that one thread still has, as a word that thieves may change.
struct alignas(64) Stock {
  std::atomic<std::uint64_t> word;
};

std::optional<std::int64_t> take_own(Stock& mine) {
  std::uint64_t word = mine.word.load();
  for (;;) {
    const Range left = unpacked(word);
    if (left.empty()) return std::nullopt;
    if (mine.word.compare_exchange_weak(word, packed({left.begin + 1, left.end}))) return left.begin;
  }
}

/// Takes the upper half of what another thread has left, the first of it at once. Nothing where one look at each finds
/// nothing: pieces on their way between two words are done by the thief that took them.
std::optional<std::int64_t> steal(std::vector<Stock>& stocks, std::size_t me) {
  for (std::size_t distance = 1; distance < stocks.size(); ++distance) {
    Stock& victim = stocks[(me + distance) % stocks.size()];
    std::uint64_t word = victim.word.load();
    for (Range left = unpacked(word); !left.empty(); left = unpacked(word)) {
      const std::int64_t cut = cut_of(left);
      if (victim.word.compare_exchange_weak(word, packed({left.begin, cut}))) {
        stocks[me].word.store(packed({cut + 1, left.end}));
        return cut;
      }
    }
  }
  return std::nullopt;
}

void answer_by_stealing(const Plan& plan, const Solver& solver, Answers& answers, const Execution& execution) {
  FirstFailure failure;
  std::vector<Stock> stocks(static_cast<std::size_t>(execution.threads));
  for (int t = 0; t < execution.threads; ++t) {
    stocks[static_cast<std::size_t>(t)].word = packed(share_of(plan.pieces(), execution.threads, t));
  }
#pragma omp parallel num_threads(execution.threads) default(none) \
    shared(plan, solver, answers, execution, failure, stocks)
  {
    const int thread = omp_get_thread_num();
    const auto me = static_cast<std::size_t>(thread);
    const Booking booking{execution.timesheet, thread, Activity::useful};
    auto piece = take_own(stocks[me]);
    if (!piece) piece = steal(stocks, me);
    while (piece) {
      failure.guard([&] { solver.answer(plan.piece(*piece), answers.shelf(thread)); });
      piece = take_own(stocks[me]);
      if (!piece) piece = steal(stocks, me);
    }
  }
  failure.rethrow();
}

void answer_by_loop(const Plan& plan, const Solver& solver, Answers& answers, const Execution& execution) {
  FirstFailure failure;
#pragma omp parallel num_threads(execution.threads) default(none) shared(plan, solver, answers, execution, failure)
  {
    const int thread = omp_get_thread_num();
    const Booking booking{execution.timesheet, thread, Activity::useful};
#pragma omp for schedule(runtime) nowait
    for (std::int64_t k = 0; k < plan.pieces(); ++k) {
      failure.guard([&] { solver.answer(plan.piece(k), answers.shelf(thread)); });
    }
  }
  failure.rethrow();
}

}  // namespace

void fib_batch_openmp(const FibBatch& batch, Answers& answers, const Execution& execution) {
  const Schedule schedule = schedule_called(execution.text_or("schedule", "longest_first"));
  const Plan plan{batch, schedule, execution.whole_or("grain", 0), execution.threads};
  const Solver solver{batch, plan};
  if (schedule == Schedule::spawn_each) return spawn_each(plan, solver, answers, execution);
  if (schedule == Schedule::stealing) return answer_by_stealing(plan, solver, answers, execution);
  const LoopSchedule dealt{schedule};
  answer_by_loop(plan, solver, answers, execution);
}

}  // namespace duet
