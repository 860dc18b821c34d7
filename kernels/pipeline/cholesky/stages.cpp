#include "kernels/pipeline/cholesky/stages.hpp"

#include <stdexcept>

namespace duet {

Stages::Stages(const TileMatrix& a) : a_{a}, layout_{a.layout()}, kernels_{tile_kernels()} {
  if (layout_.grid().size() != 1) {
    throw std::invalid_argument("a matrix over " + std::to_string(layout_.grid().size()) +
                                " ranks where one process needs the whole");
  }
}

}  // namespace duet
