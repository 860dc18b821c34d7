#include <omp.h>

#include <array>

#include "kernels/data_decomposition/matmul/first_exception.hpp"
#include "kernels/data_decomposition/matmul/matmul.hpp"
#include "kernels/data_decomposition/matmul/panel_broadcast.hpp"
#include "kernels/data_decomposition/matmul/tiles.hpp"
#include "kernels/local_product/local_product.hpp"

namespace duet {

void matmul_hybrid(const OwnedBlocks& mine, const Execution& execution) {
  require_conforming(mine);
  const LocalKernel& kernel = local_kernel(execution.text_or("local_kernel", "auto"));
  const std::int64_t width = panel_width(execution);
  const std::vector<Panel> panels = mine.layout.panels(width);
  const std::vector<Block> tiles =
      tiles_of(mine.c.rows, mine.c.columns, execution.threads, execution.whole_or("tile", 0));
  std::array<PanelBroadcast, 2> slots{PanelBroadcast{mine, width}, PanelBroadcast{mine, width}};
  FirstException failure;
  if (panels.empty()) kernel.multiply(mine.a, mine.b, mine.c, Update::assign);
  if (!panels.empty()) slots[0].start(panels[0]);
#pragma omp parallel num_threads(execution.threads) default(none) \
    shared(mine, kernel, panels, tiles, slots, failure, execution)
  {
    Booking booking{execution.timesheet, omp_get_thread_num(), Activity::communicating};
    for (std::size_t step = 0; step < panels.size(); ++step) {
      PanelBroadcast& here = slots[step % 2];
#pragma omp master
      failure.guard([&] {
        here.wait();
        if (step + 1 < panels.size()) slots[(step + 1) % 2].start(panels[step + 1]);
      });
#pragma omp barrier
#pragma omp for schedule(dynamic, 1)
      for (const Block& tile : tiles) {
        booking.now(Activity::useful);
        failure.guard([&] {
          const TileViews part = views_of(tile, here.a(), here.b(), mine.c);
          kernel.multiply(part.a, part.b, part.c, step == 0 ? Update::assign : Update::add);
        });
        booking.now(Activity::communicating);
      }
    }
  }
  failure.rethrow();
}

}  // namespace duet
