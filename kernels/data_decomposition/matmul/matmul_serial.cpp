#include "kernels/data_decomposition/matmul/matmul.hpp"
#include "kernels/product/tiles.hpp"
#include "kernels/local_product/local_product.hpp"

namespace duet {

void matmul_serial(ConstView a, ConstView b, View c, const Execution& execution) {
  require_conforming(a, b, c);
  const LocalKernel& kernel = local_kernel(execution.text_or("local_kernel", "auto"));
  const Booking booking{execution.timesheet, 0, Activity::useful};
  kernel.multiply(a, b, c, Update::assign);
}

}  // namespace duet
