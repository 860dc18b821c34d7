#include <omp.h>

#include <atomic>
#include <optional>
#include <vector>

#include "kernels/core/first_exception.hpp"
#include "kernels/core/timesheet.hpp"
#include "kernels/mapping/schedule/deal.hpp"
#include "kernels/mapping/schedule/spawn_each.hpp"

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
struct alignas(64) Share {
  std::atomic<std::uint64_t> word;
};

std::optional<std::int64_t> take_own(Share& mine) {
  std::uint64_t word = mine.word.load();
  for (;;) {
    const Range left = unpacked(word);
    if (left.empty()) return std::nullopt;
    if (mine.word.compare_exchange_weak(word, packed({left.begin + 1, left.end}))) return left.begin;
  }
}

/// Takes the upper half of what another thread has left, the first of it at once. Nothing where one look at each finds
/// nothing: pieces on their way between two words are done by the thief that took them.
std::optional<std::int64_t> steal(std::vector<Share>& shares, std::size_t me) {
  for (std::size_t distance = 1; distance < shares.size(); ++distance) {
    Share& victim = shares[(me + distance) % shares.size()];
    std::uint64_t word = victim.word.load();
    for (Range left = unpacked(word); !left.empty(); left = unpacked(word)) {
      const std::int64_t cut = cut_of(left);
      if (victim.word.compare_exchange_weak(word, packed({left.begin, cut}))) {
        shares[me].word.store(packed({cut + 1, left.end}));
        return cut;
      }
    }
  }
  return std::nullopt;
}

void deal_by_stealing(const Plan& plan, const PieceAct& act, const Execution& execution) {
  FirstException failure;
  std::vector<Share> shares(static_cast<std::size_t>(execution.threads));
  for (int t = 0; t < execution.threads; ++t) {
    shares[static_cast<std::size_t>(t)].word = packed(share_of(plan.pieces(), execution.threads, t));
  }
#pragma omp parallel num_threads(execution.threads) default(none) shared(act, execution, failure, shares)
  {
    const int thread = omp_get_thread_num();
    const auto me = static_cast<std::size_t>(thread);
    const Booking booking{execution.timesheet, thread, Activity::useful};
    auto piece = take_own(shares[me]);
    if (!piece) piece = steal(shares, me);
    while (piece) {
      failure.guard([&] { act({*piece, *piece + 1}, thread); });
      piece = take_own(shares[me]);
      if (!piece) piece = steal(shares, me);
    }
  }
  failure.rethrow();
}

void deal_by_loop(const Plan& plan, const PieceAct& act, const Execution& execution) {
  FirstException failure;
#pragma omp parallel num_threads(execution.threads) default(none) shared(plan, act, execution, failure)
  {
    const int thread = omp_get_thread_num();
    const Booking booking{execution.timesheet, thread, Activity::useful};
#pragma omp for schedule(runtime) nowait
    for (std::int64_t k = 0; k < plan.pieces(); ++k) {
      failure.guard([&] { act({k, k + 1}, thread); });
    }
  }
  failure.rethrow();
}

}  // namespace

void deal_openmp(const Plan& plan, Schedule schedule, const PieceAct& act, const Execution& execution) {
  if (schedule == Schedule::spawn_each) return spawn_each(plan, act, execution);
  if (schedule == Schedule::stealing) return deal_by_stealing(plan, act, execution);
  const LoopSchedule dealt{schedule};
  deal_by_loop(plan, act, execution);
}

}  // namespace duet
