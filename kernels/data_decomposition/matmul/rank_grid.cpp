#include "kernels/data_decomposition/matmul/rank_grid.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>

namespace duet {

std::string grid_text(const ProductGrid& grid) {
  return std::to_string(grid.rows) + "x" + std::to_string(grid.columns) +
         (grid.layers == 1 ? "" : "x" + std::to_string(grid.layers));
}

Range ProductLayout::inner_share(std::int64_t layer, std::int64_t parts, std::int64_t part) const {
  const Range of_layer = share_of(shape_.k, grid_.layers, layer);
  const Range share = share_of(of_layer.size(), parts, part);
  return {of_layer.begin + share.begin, of_layer.begin + share.end};
}

Block ProductLayout::a_of(std::int64_t rank) const {
  if (idle(rank)) return {};
  return {share_of(shape_.m, grid_.rows, grid_.row_of(rank)),
          inner_share(grid_.layer_of(rank), grid_.columns, grid_.column_of(rank))};
}

Block ProductLayout::b_of(std::int64_t rank) const {
  if (idle(rank)) return {};
  return {inner_share(grid_.layer_of(rank), grid_.rows, grid_.row_of(rank)),
          share_of(shape_.n, grid_.columns, grid_.column_of(rank))};
}

Block ProductLayout::summand_of(std::int64_t rank) const {
  if (idle(rank)) return {};
  return {share_of(shape_.m, grid_.rows, grid_.row_of(rank)), share_of(shape_.n, grid_.columns, grid_.column_of(rank))};
}

Block ProductLayout::c_of(std::int64_t rank) const {
  Block block = summand_of(rank);
  const Range mine = share_of(block.rows.size(), grid_.layers, idle(rank) ? 0 : grid_.layer_of(rank));
  block.rows = {block.rows.begin + mine.begin, block.rows.begin + mine.end};
  return block;
}

std::vector<Panel> ProductLayout::panels(std::int64_t width, std::int64_t layer) const {
  const Range of_layer = share_of(shape_.k, grid_.layers, layer);
  const std::int64_t k = of_layer.size();
  std::vector<Panel> panels;
  for (std::int64_t begin = 0; begin < k;) {
    const std::int64_t a_column = owner_of(k, grid_.columns, begin);
    const std::int64_t b_row = owner_of(k, grid_.rows, begin);
    const std::int64_t owned_until =
        std::min(share_of(k, grid_.columns, a_column).end, share_of(k, grid_.rows, b_row).end);
    // Equal widths inside a stretch of one owner: a thin last panel would run the local kernel at half its speed.
    const std::int64_t pieces = (owned_until - begin + width - 1) / width;
    for (std::int64_t piece = 0; piece < pieces; ++piece) {
      const Range share = share_of(owned_until - begin, pieces, piece);
      const std::int64_t first = of_layer.begin + begin;
      panels.push_back({{first + share.begin, first + share.end}, static_cast<int>(a_column), static_cast<int>(b_row)});
    }
    begin = owned_until;
  }
  return panels;
}

RankGrid::RankGrid(ProductGrid grid, MPI_Comm ranks) : shape_{grid}, rank_{rank_in(ranks)} {
  if (grid.rows < 1 || grid.columns < 1 || grid.layers < 1 || grid.size() > size_of(ranks)) {
    throw std::invalid_argument("a grid of " + grid_text(grid) + " needs more than " + std::to_string(size_of(ranks)) +
                                " ranks");
  }
  if (ranks == MPI_COMM_NULL) return;
  all_ = Communicator::duplicate(ranks);
  const auto of_equal = [&](std::int64_t colour, std::int64_t key) {
    return Communicator::split(ranks, idle() ? MPI_UNDEFINED : mpi_count(colour), mpi_count(key));
  };
  along_row_ = of_equal(layer() * grid.rows + row(), column());
  along_column_ = of_equal(layer() * grid.columns + column(), row());
  if (grid.layers == 1) return;
  along_layers_ = of_equal(row() * grid.columns + column(), layer());
  same_row_ = of_equal(row(), rank_);
  same_column_ = of_equal(column(), rank_);
}

}  // namespace duet
