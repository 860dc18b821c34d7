/// A product with one wrong entry, for a program that must find it.

#include "kernels/data_decomposition/matmul/matmul.hpp"

namespace duet {

template <class Element>
void matmul_serial(Operand<Element> a, Operand<Element> b, MatrixView<Element> c, const Execution& execution) {
  static_cast<void>(execution);
  for (std::int64_t i = 0; i < c.rows; ++i) {
    for (std::int64_t j = 0; j < c.columns; ++j) {
      c(i, j) = 0;
      for (std::int64_t k = 0; k < a.columns; ++k) c(i, j) += a(i, k) * b(k, j);
    }
  }
  c(c.rows / 2, c.columns / 2) *= Element{1.001F};
}

template void matmul_serial(ConstView, ConstView, View, const Execution&);
template void matmul_serial(Operand<float>, Operand<float>, MatrixView<float>, const Execution&);

}  // namespace duet
