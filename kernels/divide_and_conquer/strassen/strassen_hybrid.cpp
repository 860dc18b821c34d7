#include "kernels/divide_and_conquer/strassen/local_leaf.hpp"
#include "kernels/divide_and_conquer/strassen/strassen.hpp"
#include "kernels/divide_and_conquer/strassen/task_team.hpp"

namespace duet {

template <class Element>
void strassen_hybrid(const StrassenParts<Element>& mine, const Execution& execution) {
  TaskTeam team{execution};
  LocalLeaf<Element> leaf{local_kernel(execution.text_or("local_kernel", "auto")), team, execution.whole_or("tile", 0)};
  // The thread that called goes through the recursion and speaks to other ranks; strips and tiles are tasks of all.
  TaskTeam::run(execution.threads,
                [&] { multiply_over_ranks(mine.ranks, mine.a, mine.b, mine.c, team, leaf, execution.timesheet); });
}

template void strassen_hybrid(const StrassenParts<double>&, const Execution&);
template void strassen_hybrid(const StrassenParts<float>&, const Execution&);

}  // namespace duet
