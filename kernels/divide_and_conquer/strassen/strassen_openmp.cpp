#include "kernels/divide_and_conquer/strassen/local_leaf.hpp"
#include "kernels/divide_and_conquer/strassen/shared_product.hpp"
#include "kernels/divide_and_conquer/strassen/strassen.hpp"
#include "kernels/divide_and_conquer/strassen/task_team.hpp"
#include "kernels/local_product/shapes.hpp"

namespace duet {

template <class Element>
void strassen_openmp(MatrixView<const Element> a, MatrixView<const Element> b, MatrixView<Element> c,
                     const Execution& execution, PackingSpace& space) {
  check_shapes(a, b, c);
  TaskTeam team{execution};
  LocalLeaf<Element> leaf{local_kernel(execution.text_or("local_kernel", "auto")), team, execution.whole_or("tile", 0)};
  const SharedPlan plan = shared_plan({c.rows, c.columns, a.columns}, execution);
  // One thread goes through the recursion; strips and tiles are tasks of all.
  TaskTeam::run(execution.threads, [&] { multiply_shared(a, b, c, plan, team, leaf, space); });
}

template void strassen_openmp(MatrixView<const double>, MatrixView<const double>, MatrixView<double>, const Execution&,
                              PackingSpace&);
template void strassen_openmp(MatrixView<const float>, MatrixView<const float>, MatrixView<float>, const Execution&,
                              PackingSpace&);

}  // namespace duet
