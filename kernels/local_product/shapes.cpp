#include "kernels/local_product/shapes.hpp"

#include <stdexcept>
#include <string>

namespace duet {

void refuse_shapes(const std::array<std::int64_t, 6>& extents) {
  const auto shape = [&](std::size_t operand) {
    return std::to_string(extents.at(2 * operand)) + " x " + std::to_string(extents.at(2 * operand + 1));
  };
  throw std::invalid_argument("C = A B with A " + shape(0) + ", B " + shape(1) + " and C " + shape(2) +
                              ": the shapes do not fit");
}

}  // namespace duet
