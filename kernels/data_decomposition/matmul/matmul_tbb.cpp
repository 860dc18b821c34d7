#include <oneapi/tbb/parallel_for_each.h>

#include "kernels/core/tbb_team.hpp"
#include "kernels/data_decomposition/matmul/matmul.hpp"
#include "kernels/data_decomposition/matmul/tiles.hpp"
#include "kernels/local_product/local_product.hpp"

namespace duet {

void matmul_tbb(ConstView a, ConstView b, View c, const Execution& execution) {
  require_conforming(a, b, c);
  const LocalKernel& kernel = local_kernel(execution.text_or("local_kernel", "auto"));
  const std::vector<Block> tiles = tiles_of(c.rows, c.columns, execution.threads, execution.whole_or("tile", 0));
  TbbTeam{execution}.run([&] {
    // C(I, J) = A(I, :) B(:, J). Tiles are disjoint, and nobody writes A or B: no lock is needed. An exception of a
    // task cancels the others and comes out of the loop here.
    oneapi::tbb::parallel_for_each(tiles, [&](const Block& tile) {
      const Booking booking{execution.timesheet, TbbTeam::worker(), Activity::useful};
      const TileViews part = views_of(tile, a, b, c);
      kernel.multiply(part.a, part.b, part.c, Update::assign);
    });
  });
}

}  // namespace duet
