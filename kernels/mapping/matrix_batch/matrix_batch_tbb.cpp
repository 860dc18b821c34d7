#include "kernels/core/tbb_team.hpp"
#include "kernels/mapping/matrix_batch/matrix_batch.hpp"
#include "kernels/mapping/schedule/deal.hpp"

namespace duet {

template <class Element>
void matrix_batch_tbb(std::span<const ProductRun<Element>> runs, const Execution& execution) {
  const DividedRuns<Element> tasks{runs, division_for(Model::tbb, execution)};
  if (!execution.on_worker_start) return matrix_batch_tbb(tasks, execution, TbbTeam::kept(execution.threads));
  TbbTeam team{execution};
  matrix_batch_tbb(tasks, execution, team);
}

template <class Element>
void matrix_batch_tbb(const DividedRuns<Element>& tasks, const Execution& execution, TbbTeam& team) {
  const LocalKernel& kernel = local_kernel(execution.text_or("local_kernel", "duet"));
  deal_tbb(
      tasks.plan(), tasks.schedule(), [&](Range pieces, int /*worker*/) { tasks.multiply(pieces, kernel); }, execution,
      team);
}

template void matrix_batch_tbb(std::span<const ProductRun<double>>, const Execution&);
template void matrix_batch_tbb(std::span<const ProductRun<float>>, const Execution&);
template void matrix_batch_tbb(const DividedRuns<double>&, const Execution&, TbbTeam&);
template void matrix_batch_tbb(const DividedRuns<float>&, const Execution&, TbbTeam&);

}  // namespace duet
