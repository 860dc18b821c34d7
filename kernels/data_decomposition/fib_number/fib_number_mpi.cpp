#include "kernels/arithmetic/teams.hpp"
#include "kernels/data_decomposition/fib_number/fib_number.hpp"

namespace duet {

SlicedNumber fib_number_mpi(const FibNumber& asked, const Execution& execution, FibNumberSpace& space) {
  const TransformTeam team = single_team(execution);
  const RankDoubling ranks{
      .communicator = execution.communicator, .team = team, .timesheet = execution.timesheet, .record = asked.record};
  return sliced_sequence(asked.sequence, asked.n, asked.radix(), ranks, space.on_ranks);
}

}  // namespace duet
