#include "kernels/core/timesheet.hpp"
#include "kernels/mapping/schedule/deal.hpp"
#include "kernels/mapping/schedule/rank_pieces.hpp"

namespace duet {

void deal_mpi(const Plan& plan, Schedule schedule, const RankActs& acts, RankWords& words, const Execution& execution) {
  Booking booking{execution.timesheet, 0, Activity::communicating};
  RankPieces pieces{plan, schedule, 1, words};
  while (const auto mine = pieces.next()) {
    if (acts.bring) acts.bring(*mine);
    booking.now(Activity::useful);
    acts.act(*mine, 0);
    booking.now(Activity::communicating);
  }
}

}  // namespace duet
