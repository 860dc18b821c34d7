#include <omp.h>

#include <array>

#include "kernels/core/first_exception.hpp"
#include "kernels/data_decomposition/matmul/layer_sum.hpp"
#include "kernels/data_decomposition/matmul/matmul.hpp"
#include "kernels/data_decomposition/matmul/panel_broadcast.hpp"
#include "kernels/local_product/local_product.hpp"
#include "kernels/product/tiles.hpp"

namespace duet {
namespace {

/// What this rank's layer makes of its share of k, for the rows and columns of this rank.
template <class Element>
void multiply_in_layer_by_threads(const OwnedBlocksOf<Element>& mine, MatrixView<Element> c,
                                  const Execution& execution) {
  const auto kernel = local_kernel(execution.text_or("local_kernel", "auto")).of<Element>();
  const std::int64_t width = panel_width(execution, mine.layout);
  const std::vector<Panel> panels = mine.layout.panels(width, mine.ranks.layer());
  const Tiles tiles = tiles_of(c.rows, c.columns, execution.threads, execution.whole_or("tile", 0));
  std::array slots{PanelBroadcast<Element>{mine, width}, PanelBroadcast<Element>{mine, width}};
  FirstException failure;
  if (panels.empty()) fill_with_zeros(c);
  if (!panels.empty()) slots[0].start(panels[0]);
  const auto multiply = [&](std::int64_t tile, std::size_t step, Booking& booking) {
    booking.now(Activity::useful);
    failure.guard([&] {
      // C(I, J) += A(I, P) B(P, J)
      const PanelBroadcast<Element>& here = slots[step % 2];
      const auto part = views_of<Element>(tiles[tile], here.a(), here.b(), c);
      kernel(part.a, part.b, part.c, step == 0 ? Update::assign : Update::add);
      if (omp_get_thread_num() == 0) slots[(step + 1) % 2].progress();
    });
    booking.now(Activity::waiting);
  };
  const auto exchange = [&](std::size_t step, Booking& booking) {
    booking.now(Activity::communicating);
    failure.guard([&] {
      slots[step % 2].wait();
      if (step + 1 < panels.size()) slots[(step + 1) % 2].start(panels[step + 1]);
    });
    booking.now(Activity::waiting);
  };
#pragma omp parallel num_threads(execution.threads) default(none) shared(execution, panels, tiles, multiply, exchange)
  {
    Booking booking{execution.timesheet, omp_get_thread_num(), Activity::waiting};
    for (std::size_t step = 0; step < panels.size(); ++step) {
      // Only the thread that called may call MPI. The others read the panels after the barrier, and all are done with
      // them at the end of the loop over tiles, before their buffers are started again.
#pragma omp master
      exchange(step, booking);
#pragma omp barrier
#pragma omp for schedule(static, 1) nowait
      for (std::int64_t tile = 0; tile < tiles.leading; ++tile) multiply(tile, step, booking);
#pragma omp for schedule(dynamic, 1)
      for (std::int64_t tile = tiles.leading; tile < tiles.count(); ++tile) multiply(tile, step, booking);
    }
  }
  failure.rethrow();
}

}  // namespace

template <class Element>
void matmul_hybrid(const OwnedBlocksOf<Element>& mine, const Execution& execution) {
  require_conforming(mine);
  if (mine.ranks.idle()) return;
  LayerSum<Element> sum{mine};
  multiply_in_layer_by_threads(mine, sum.summand(), execution);
  sum.add_up(execution);
}

template void matmul_hybrid(const OwnedBlocksOf<double>&, const Execution&);
template void matmul_hybrid(const OwnedBlocksOf<float>&, const Execution&);

}  // namespace duet
