#include "kernels/divide_and_conquer/strassen/local_leaf.hpp"
#include "kernels/divide_and_conquer/strassen/shared_product.hpp"
#include "kernels/divide_and_conquer/strassen/strassen.hpp"
#include "kernels/local_product/shapes.hpp"

namespace duet {

template <class Element>
void strassen_serial(MatrixView<const Element> a, MatrixView<const Element> b, MatrixView<Element> c,
                     const Execution& execution, PackingSpace& space) {
  check_shapes(a, b, c);
  OneThread team{execution};
  LocalLeaf<Element> leaf{local_kernel(execution.text_or("local_kernel", "auto")), team, 0};
  multiply_shared(a, b, c, shared_plan({c.rows, c.columns, a.columns}, execution), team, leaf, space);
}

template void strassen_serial(MatrixView<const double>, MatrixView<const double>, MatrixView<double>, const Execution&,
                              PackingSpace&);
template void strassen_serial(MatrixView<const float>, MatrixView<const float>, MatrixView<float>, const Execution&,
                              PackingSpace&);

}  // namespace duet
