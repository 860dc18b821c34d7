#include <omp.h>

#include "kernels/core/first_exception.hpp"
#include "kernels/data_decomposition/matmul/matmul.hpp"
#include "kernels/data_decomposition/matmul/shared_pieces.hpp"

namespace duet {

template <class Element>
void matmul_openmp(Operand<Element> a, Operand<Element> b, MatrixView<Element> c, const Execution& execution) {
  // Pieces are disjoint, and nobody writes A or B: no lock is needed.
  SharedPieces<Element> pieces{a, b, c, execution};
  FirstException failure;
  const auto useful = [&](Booking& booking, const auto& act) {
    booking.now(Activity::useful);
    failure.guard(act);
    booking.now(Activity::waiting);
  };
#pragma omp parallel num_threads(execution.threads) default(none) shared(execution, pieces, useful)
  {
    Booking booking{execution.timesheet, omp_get_thread_num(), Activity::waiting};
#pragma omp for schedule(static, 1) nowait
    for (std::int64_t piece = 0; piece < pieces.leading(); ++piece) useful(booking, [&] { pieces.multiply(piece); });
#pragma omp for schedule(dynamic, 1)
    for (std::int64_t piece = pieces.leading(); piece < pieces.count(); ++piece) {
      useful(booking, [&] { pieces.multiply(piece); });
    }
#pragma omp for schedule(static, 1) nowait
    for (std::int64_t part = 0; part < pieces.sums(); ++part) useful(booking, [&] { pieces.add(part); });
  }
  failure.rethrow();
}

template void matmul_openmp(ConstView, ConstView, View, const Execution&);
template void matmul_openmp(Operand<float>, Operand<float>, MatrixView<float>, const Execution&);

}  // namespace duet
