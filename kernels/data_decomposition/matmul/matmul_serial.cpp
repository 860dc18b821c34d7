#include "kernels/data_decomposition/matmul/matmul.hpp"
#include "kernels/local_product/local_product.hpp"
#include "kernels/product/tiles.hpp"

namespace duet {

template <class Element>
void matmul_serial(Operand<Element> a, Operand<Element> b, MatrixView<Element> c, const Execution& execution) {
  require_conforming<Element>(a, b, c);
  const LocalKernel& kernel = local_kernel(execution.text_or("local_kernel", "auto"));
  const Booking booking{execution.timesheet, 0, Activity::useful};
  kernel.of<Element>()(a, b, c, Update::assign);
}

template void matmul_serial(ConstView, ConstView, View, const Execution&);
template void matmul_serial(Operand<float>, Operand<float>, MatrixView<float>, const Execution&);

}  // namespace duet
