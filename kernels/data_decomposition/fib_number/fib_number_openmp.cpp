#include "kernels/arithmetic/teams.hpp"
#include "kernels/data_decomposition/fib_number/fib_number.hpp"

namespace duet {

SlicedNumber fib_number_openmp(const FibNumber& asked, const Execution& execution, FibNumberSpace& space) {
  const TransformTeam team = openmp_team(execution);
  space.here.radix = asked.radix();
  space.here.team = &team;
  return in_order(sequence_digits(asked.sequence, asked.n, space.here, asked.record));
}

}  // namespace duet
