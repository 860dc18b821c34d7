#include "kernels/data_decomposition/fib_number/fib_number.hpp"
#include "kernels/data_decomposition/fib_number/teams.hpp"

namespace duet {

SlicedNumber fib_number_tbb(const FibNumber& asked, const Execution& execution) {
  return fib_number_tbb(asked, execution, TbbTeam::kept(execution.threads));
}

SlicedNumber fib_number_tbb(const FibNumber& asked, const Execution& execution, TbbTeam& workers) {
  const Team team = tbb_team(execution, workers);
  return in_order(sequence_digits(asked.sequence, asked.n, asked.radix(), team));
}

}  // namespace duet
