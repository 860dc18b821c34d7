#include "kernels/arithmetic/teams.hpp"
#include "kernels/data_decomposition/fib_number/fib_number.hpp"

namespace duet {

SlicedNumber fib_number_tbb(const FibNumber& asked, const Execution& execution, FibNumberSpace& space,
                            TbbTeam& workers) {
  const TransformTeam team = tbb_team(execution, workers);
  space.here.radix = asked.radix();
  space.here.team = &team;
  return in_order(sequence_digits(asked.sequence, asked.n, space.here, asked.record));
}

}  // namespace duet
