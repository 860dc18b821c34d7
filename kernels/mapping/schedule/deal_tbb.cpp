#include <oneapi/tbb/blocked_range.h>
#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/partitioner.h>

#include <atomic>
#include <vector>

#include "kernels/core/tbb_team.hpp"
#include "kernels/core/timesheet.hpp"
#include "kernels/mapping/schedule/deal.hpp"
#include "kernels/mapping/schedule/spawn_each.hpp"

namespace duet {
namespace {

namespace tbb = oneapi::tbb;

/// Runs act(share) for each of `shares` shares, one on each worker of the arena where all of them come.
template <class Act>
void each_share(int shares, Act&& act) {
  tbb::parallel_for(0, shares, std::forward<Act>(act), tbb::static_partitioner{});
}

}  // namespace

void deal_tbb(const Plan& plan, Schedule schedule, const PieceAct& act, const Execution& execution, TbbTeam& team) {
  if (schedule == Schedule::spawn_each) return spawn_each(plan, act, execution);
  const int workers = execution.threads;
  const auto book_and_act = [&](Range pieces) {
    const int worker = TbbTeam::worker();
    const Booking booking{execution.timesheet, worker, Activity::useful};
    act(pieces, worker);
  };
  team.run([&] {
    if (schedule == Schedule::stealing) {
      // TBB's own: ranges are split where a thief shows up.
      tbb::parallel_for(tbb::blocked_range<std::int64_t>{0, plan.pieces()}, [&](const auto& pieces) {
        book_and_act({pieces.begin(), pieces.end()});
      });
    } else if (schedule == Schedule::block || schedule == Schedule::cyclic) {
      each_share(workers, [&](int share) {
        for (std::int64_t k = share; k < plan.pieces(); k += workers) book_and_act({k, k + 1});
      });
    } else {
      // A counter of chunks, which for dynamic and longest_first are single pieces.
      const bool guided = schedule == Schedule::guided;
      const std::vector<std::int64_t> chunks = guided ? plan.guided_chunks(workers) : std::vector<std::int64_t>{};
      const std::int64_t count = guided ? std::ssize(chunks) - 1 : plan.pieces();
      std::atomic<std::int64_t> next = 0;
      each_share(workers, [&](int) {
        for (std::int64_t c = next++; c < count; c = next++) {
          const auto at = static_cast<std::size_t>(c);
          book_and_act(guided ? Range{chunks[at], chunks[at + 1]} : Range{c, c + 1});
        }
      });
    }
  });
}

}  // namespace duet
