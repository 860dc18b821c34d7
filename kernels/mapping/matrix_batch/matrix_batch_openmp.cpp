#include "kernels/mapping/matrix_batch/matrix_batch.hpp"
#include "kernels/mapping/schedule/deal.hpp"

namespace duet {

template <class Element>
void matrix_batch_openmp(std::span<const ProductRun<Element>> runs, const Execution& execution) {
  matrix_batch_openmp(DividedRuns<Element>{runs, division_for(Model::openmp, execution)}, execution);
}

template <class Element>
void matrix_batch_openmp(const DividedRuns<Element>& tasks, const Execution& execution) {
  const LocalKernel& kernel = local_kernel(execution.text_or("local_kernel", "duet"));
  deal_openmp(
      tasks.plan(), tasks.schedule(), [&](Range pieces, int /*thread*/) { tasks.multiply(pieces, kernel); }, execution);
}

template void matrix_batch_openmp(std::span<const ProductRun<double>>, const Execution&);
template void matrix_batch_openmp(std::span<const ProductRun<float>>, const Execution&);
template void matrix_batch_openmp(const DividedRuns<double>&, const Execution&);
template void matrix_batch_openmp(const DividedRuns<float>&, const Execution&);

}  // namespace duet
