#include <oneapi/tbb/task_group.h>

#include "kernels/core/tbb_team.hpp"
#include "kernels/data_decomposition/matmul/matmul.hpp"
#include "kernels/data_decomposition/matmul/shared_pieces.hpp"

namespace duet {

template <class Element>
void matmul_tbb(Operand<Element> a, Operand<Element> b, MatrixView<Element> c, const Execution& execution) {
  if (!execution.on_worker_start) return matmul_tbb(a, b, c, execution, TbbTeam::kept(execution.threads));
  TbbTeam team{execution};
  matmul_tbb(a, b, c, execution, team);
}

template <class Element>
void matmul_tbb(Operand<Element> a, Operand<Element> b, MatrixView<Element> c, const Execution& execution,
                TbbTeam& team) {
  // Pieces are disjoint, and nobody writes A or B: no lock is needed.
  SharedPieces<Element> pieces{a, b, c, execution};
  const auto each_once = [&](std::int64_t count, const auto& act) {
    if (count == 0) return;
    const auto booked = [&](std::int64_t i) {
      const Booking booking{execution.timesheet, TbbTeam::worker(), Activity::useful};
      act(i);
    };
    oneapi::tbb::task_group tasks;
    for (std::int64_t i = 1; i < count; ++i) tasks.run([&booked, i] { booked(i); });
    tasks.run_and_wait([&booked] { booked(0); });
  };
  if (pieces.count() == 0) return;
  // The pieces are tasks, the large ones first: this thread takes the first, thieves take the oldest that is left, and
  // the small ones even it out. What a task throws cancels the others and comes out of the wait.
  team.run([&] {
    each_once(pieces.count(), [&](std::int64_t piece) { pieces.multiply(piece); });
    each_once(pieces.sums(), [&](std::int64_t part) { pieces.add(part); });
  });
}

template void matmul_tbb(ConstView, ConstView, View, const Execution&);
template void matmul_tbb(Operand<float>, Operand<float>, MatrixView<float>, const Execution&);
template void matmul_tbb(ConstView, ConstView, View, const Execution&, TbbTeam&);
template void matmul_tbb(Operand<float>, Operand<float>, MatrixView<float>, const Execution&, TbbTeam&);

}  // namespace duet
