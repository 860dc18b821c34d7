#include <oneapi/tbb/task_group.h>

#include "kernels/core/tbb_team.hpp"
#include "kernels/data_decomposition/matmul/matmul.hpp"
#include "kernels/local_product/local_product.hpp"
#include "kernels/product/tiles.hpp"

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
  require_conforming<Element>(a, b, c);
  const LocalKernel& kernel = local_kernel(execution.text_or("local_kernel", "auto"));
  const Tiles tiles = tiles_of(c.rows, c.columns, execution.threads, execution.whole_or("tile", 0));
  // C(I, J) = A(I, :) B(:, J). Tiles are disjoint, and nobody writes A or B: no lock is needed.
  const auto multiply = [&](std::int64_t tile) {
    const Booking booking{execution.timesheet, TbbTeam::worker(), Activity::useful};
    const TileViews<Element> part = views_of<Element>(tiles[tile], a, b, c);
    kernel.of<Element>()(part.a, part.b, part.c, Update::assign);
  };
  if (tiles.count() == 0) return;
  // The tiles are tasks, the large ones first: this thread takes the first, thieves take the oldest that is left, and
  // the small ones even it out. What a task throws cancels the others and comes out of the wait.
  team.run([&] {
    oneapi::tbb::task_group tasks;
    for (std::int64_t tile = 1; tile < tiles.count(); ++tile) tasks.run([&multiply, tile] { multiply(tile); });
    tasks.run_and_wait([&multiply] { multiply(0); });
  });
}

template void matmul_tbb(ConstView, ConstView, View, const Execution&);
template void matmul_tbb(Operand<float>, Operand<float>, MatrixView<float>, const Execution&);
template void matmul_tbb(ConstView, ConstView, View, const Execution&, TbbTeam&);
template void matmul_tbb(Operand<float>, Operand<float>, MatrixView<float>, const Execution&, TbbTeam&);

}  // namespace duet
