#include <omp.h>

#include "kernels/data_decomposition/matmul/first_exception.hpp"
#include "kernels/data_decomposition/matmul/matmul.hpp"
#include "kernels/data_decomposition/matmul/tiles.hpp"
#include "kernels/local_product/local_product.hpp"

namespace duet {

void matmul_openmp(ConstView a, ConstView b, View c, const Execution& execution) {
  require_conforming(a, b, c);
  const LocalKernel& kernel = local_kernel(execution.text_or("local_kernel", "auto"));
  const std::vector<Block> tiles = tiles_of(c.rows, c.columns, execution.threads, execution.whole_or("tile", 0));
  FirstException failure;
#pragma omp parallel num_threads(execution.threads) default(none) shared(a, b, c, kernel, tiles, failure, execution)
  {
    Booking booking{execution.timesheet, omp_get_thread_num(), Activity::waiting};
#pragma omp for schedule(dynamic, 1)
    for (const Block& tile : tiles) {
      booking.now(Activity::useful);
      failure.guard([&] {
        // C(I, J) = A(I, :) B(:, J). Tiles are disjoint, and nobody writes A or B: no lock is needed.
        const TileViews part = views_of(tile, a, b, c);
        kernel.multiply(part.a, part.b, part.c, Update::assign);
      });
      booking.now(Activity::waiting);
    }
  }
  failure.rethrow();
}

}  // namespace duet
