#include "kernels/core/timesheet.hpp"
#include "kernels/mapping/matrix_batch/matrix_batch.hpp"

namespace duet {

template <class Element>
void matrix_batch_serial(std::span<const ProductRun<Element>> runs, const Execution& execution) {
  matrix_batch_serial(DividedRuns<Element>{runs, division_for(Model::serial, execution)}, execution);
}

template <class Element>
void matrix_batch_serial(const DividedRuns<Element>& tasks, const Execution& execution) {
  const LocalKernel& kernel = local_kernel(execution.text_or("local_kernel", "duet"));
  const Booking booking{execution.timesheet, 0, Activity::useful};
  tasks.multiply({0, tasks.plan().pieces()}, kernel);
}

template void matrix_batch_serial(std::span<const ProductRun<double>>, const Execution&);
template void matrix_batch_serial(std::span<const ProductRun<float>>, const Execution&);
template void matrix_batch_serial(const DividedRuns<double>&, const Execution&);
template void matrix_batch_serial(const DividedRuns<float>&, const Execution&);

}  // namespace duet
