#include "kernels/data_decomposition/matmul/rank_grid.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>

namespace duet {

Block ProductLayout::a_of(std::int64_t rank) const {
  return {share_of(shape_.m, grid_.rows, grid_.row_of(rank)), share_of(shape_.k, grid_.columns, grid_.column_of(rank))};
}

Block ProductLayout::b_of(std::int64_t rank) const {
  return {share_of(shape_.k, grid_.rows, grid_.row_of(rank)), share_of(shape_.n, grid_.columns, grid_.column_of(rank))};
}

Block ProductLayout::c_of(std::int64_t rank) const {
  return {share_of(shape_.m, grid_.rows, grid_.row_of(rank)), share_of(shape_.n, grid_.columns, grid_.column_of(rank))};
}

std::vector<Panel> ProductLayout::panels(std::int64_t width) const {
  std::vector<Panel> panels;
  for (std::int64_t begin = 0; begin < shape_.k;) {
    const std::int64_t a_column = owner_of(shape_.k, grid_.columns, begin);
    const std::int64_t b_row = owner_of(shape_.k, grid_.rows, begin);
    const std::int64_t owned_until = std::min(share_of(shape_.k, grid_.columns, a_column).end,  //
                                              share_of(shape_.k, grid_.rows, b_row).end);
    // Equal widths inside a stretch of one owner: a thin last panel would run the local kernel at half its speed.
    const std::int64_t pieces = (owned_until - begin + width - 1) / width;
    for (std::int64_t piece = 0; piece < pieces; ++piece) {
      const Range share = share_of(owned_until - begin, pieces, piece);
      panels.push_back({{begin + share.begin, begin + share.end}, static_cast<int>(a_column), static_cast<int>(b_row)});
    }
    begin = owned_until;
  }
  return panels;
}

RankGrid::RankGrid(Grid grid, MPI_Comm ranks) : shape_{grid}, rank_{rank_in(ranks)} {
  if (grid.rows < 1 || grid.columns < 1 || grid.size() != size_of(ranks)) {
    throw std::invalid_argument("a grid of " + std::to_string(grid.rows) + " x " + std::to_string(grid.columns) +
                                " does not hold " + std::to_string(size_of(ranks)) + " ranks");
  }
  if (ranks == MPI_COMM_NULL) return;
  all_ = Communicator::duplicate(ranks);
  along_row_ = Communicator::split(ranks, row(), column());
  along_column_ = Communicator::split(ranks, column(), row());
}

}  // namespace duet
