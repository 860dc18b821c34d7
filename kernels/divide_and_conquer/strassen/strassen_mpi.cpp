#include "kernels/divide_and_conquer/strassen/local_leaf.hpp"
#include "kernels/divide_and_conquer/strassen/strassen.hpp"

namespace duet {

template <class Element>
void strassen_mpi(const StrassenParts<Element>& mine, const Execution& execution) {
  OneThread team{{.timesheet = execution.timesheet}};
  LocalLeaf<Element> leaf{local_kernel(execution.text_or("local_kernel", "auto")), team, 0};
  // The additions are of what this rank has; only the leaf products speak to other ranks.
  multiply_over_ranks(mine.ranks, mine.a, mine.b, mine.c, team, leaf, execution.timesheet);
}

template void strassen_mpi(const StrassenParts<double>&, const Execution&);
template void strassen_mpi(const StrassenParts<float>&, const Execution&);

}  // namespace duet
