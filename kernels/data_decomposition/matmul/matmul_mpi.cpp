#include <algorithm>
#include <array>

#include "kernels/data_decomposition/matmul/matmul.hpp"
#include "kernels/data_decomposition/matmul/panel_broadcast.hpp"
#include "kernels/product/tiles.hpp"
#include "kernels/local_product/local_product.hpp"

namespace duet {

void matmul_mpi(const OwnedBlocks& mine, const Execution& execution) {
  require_conforming(mine);
  const LocalKernel& kernel = local_kernel(execution.text_or("local_kernel", "auto"));
  const std::int64_t width = panel_width(execution, mine.layout.shape().k);
  const std::vector<Panel> panels = mine.layout.panels(width);
  const std::int64_t strips = execution.whole_or("strips", 1);
  Booking booking{execution.timesheet, 0, Activity::communicating};
  if (panels.empty()) kernel.multiply(mine.a, mine.b, mine.c, Update::assign);

  // While the panels of one step are multiplied, those of the next are on their way.
  std::array<PanelBroadcast, 2> slots{PanelBroadcast{mine, width}, PanelBroadcast{mine, width}};
  if (!panels.empty()) slots[0].start(panels[0]);
  for (std::size_t step = 0; step < panels.size(); ++step) {
    PanelBroadcast& here = slots[step % 2];
    PanelBroadcast& next = slots[(step + 1) % 2];
    here.wait();
    if (step + 1 < panels.size()) next.start(panels[step + 1]);
    for (std::int64_t strip = 0; strip < strips; ++strip) {
      // C(I, J) += A(I, P) B(P, J), for the rows I of a strip
      const Block tile{share_of(mine.c.rows, strips, strip), {0, mine.c.columns}};
      const TileViews part = views_of(tile, here.a(), here.b(), mine.c);
      booking.now(Activity::useful);
      kernel.multiply(part.a, part.b, part.c, step == 0 ? Update::assign : Update::add);
      booking.now(Activity::communicating);
      if (strip + 1 < strips) next.progress();
    }
  }
}

}  // namespace duet
