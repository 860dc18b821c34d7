#include <omp.h>

#include "kernels/core/first_exception.hpp"
#include "kernels/data_decomposition/matmul/matmul.hpp"
#include "kernels/local_product/local_product.hpp"
#include "kernels/product/tiles.hpp"

namespace duet {

template <class Element>
void matmul_openmp(Operand<Element> a, Operand<Element> b, MatrixView<Element> c, const Execution& execution) {
  require_conforming<Element>(a, b, c);
  const LocalKernel& kernel = local_kernel(execution.text_or("local_kernel", "auto"));
  const Tiles tiles = tiles_of(c.rows, c.columns, execution.threads, execution.whole_or("tile", 0));
  FirstException failure;
  // C(I, J) = A(I, :) B(:, J). Tiles are disjoint, and nobody writes A or B: no lock is needed.
  const auto multiply = [&](std::int64_t tile, Booking& booking) {
    booking.now(Activity::useful);
    failure.guard([&] {
      const TileViews<Element> part = views_of<Element>(tiles[tile], a, b, c);
      kernel.of<Element>()(part.a, part.b, part.c, Update::assign);
    });
    booking.now(Activity::waiting);
  };
#pragma omp parallel num_threads(execution.threads) default(none) shared(execution, tiles, multiply)
  {
    Booking booking{execution.timesheet, omp_get_thread_num(), Activity::waiting};
#pragma omp for schedule(static, 1) nowait
    for (std::int64_t tile = 0; tile < tiles.leading; ++tile) multiply(tile, booking);
#pragma omp for schedule(dynamic, 1)
    for (std::int64_t tile = tiles.leading; tile < tiles.count(); ++tile) multiply(tile, booking);
  }
  failure.rethrow();
}

template void matmul_openmp(ConstView, ConstView, View, const Execution&);
template void matmul_openmp(Operand<float>, Operand<float>, MatrixView<float>, const Execution&);

}  // namespace duet
