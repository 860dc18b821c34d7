#include "kernels/local_product/shapes.hpp"

#include <stdexcept>
#include <string>

namespace duet {

void refuse_shapes(const ConstView& a, const ConstView& b, const View& c) {
  const auto shape = [](std::int64_t rows, std::int64_t columns) {
    return std::to_string(rows) + " x " + std::to_string(columns);
  };
  throw std::invalid_argument("C = A B with A " + shape(a.rows, a.columns) + ", B " + shape(b.rows, b.columns) +
                              " and C " + shape(c.rows, c.columns) + ": the shapes do not fit");
}

}  // namespace duet
