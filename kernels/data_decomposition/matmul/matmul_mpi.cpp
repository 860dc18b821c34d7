#include <algorithm>
#include <array>

#include "kernels/data_decomposition/matmul/layer_sum.hpp"
#include "kernels/data_decomposition/matmul/matmul.hpp"
#include "kernels/data_decomposition/matmul/panel_broadcast.hpp"
#include "kernels/local_product/local_product.hpp"
#include "kernels/product/tiles.hpp"

namespace duet {
namespace {

/// What this rank's layer makes of its share of k, for the rows and columns of this rank.
template <class Element>
void multiply_in_layer(const OwnedBlocksOf<Element>& mine, MatrixView<Element> c, const Execution& execution) {
  const auto multiply = local_kernel(execution.text_or("local_kernel", "auto")).of<Element>();
  const std::int64_t width = panel_width(execution, mine.layout);
  const std::vector<Panel> panels = mine.layout.panels(width, mine.ranks.layer());
  const std::int64_t strips = execution.whole_or("strips", 1);
  Booking booking{execution.timesheet, 0, Activity::communicating};
  if (panels.empty()) fill_with_zeros(c);

  // While the panels of one step are multiplied, those of the next are on their way.
  std::array slots{PanelBroadcast<Element>{mine, width}, PanelBroadcast<Element>{mine, width}};
  if (!panels.empty()) slots[0].start(panels[0]);
  for (std::size_t step = 0; step < panels.size(); ++step) {
    PanelBroadcast<Element>& here = slots[step % 2];
    PanelBroadcast<Element>& next = slots[(step + 1) % 2];
    here.wait();
    if (step + 1 < panels.size()) next.start(panels[step + 1]);
    for (std::int64_t strip = 0; strip < strips; ++strip) {
      // C(I, J) += A(I, P) B(P, J), for the rows I of a strip
      const Block tile{share_of(c.rows, strips, strip), {0, c.columns}};
      const auto part = views_of<Element>(tile, here.a(), here.b(), c);
      booking.now(Activity::useful);
      multiply(part.a, part.b, part.c, step == 0 ? Update::assign : Update::add);
      booking.now(Activity::communicating);
      if (strip + 1 < strips) next.progress();
    }
  }
}

}  // namespace

template <class Element>
void matmul_mpi(const OwnedBlocksOf<Element>& mine, const Execution& execution) {
  require_conforming(mine);
  if (mine.ranks.idle()) return;
  LayerSum<Element> sum{mine};
  multiply_in_layer(mine, sum.summand(), execution);
  sum.add_up(execution);
}

template void matmul_mpi(const OwnedBlocksOf<double>&, const Execution&);
template void matmul_mpi(const OwnedBlocksOf<float>&, const Execution&);

}  // namespace duet
