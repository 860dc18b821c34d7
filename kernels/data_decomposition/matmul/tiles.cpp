#include "kernels/data_decomposition/matmul/tiles.hpp"

#include <stdexcept>
#include <string>

namespace duet {
namespace {

std::string shape_text(ConstView view) { return std::to_string(view.rows) + " x " + std::to_string(view.columns); }

}  // namespace

std::vector<Block> tiles_of(std::int64_t m, std::int64_t n, int threads, std::int64_t tile) {
  std::vector<Block> tiles;
  if (m == 0 || n == 0) return tiles;
  Grid grid = grid_for(m, n, threads);
  if (tile > 0) grid = {(m + tile - 1) / tile, (n + tile - 1) / tile};
  for (std::int64_t part = 0; part < grid.size(); ++part) {
    const Block block{share_of(m, grid.rows, grid.row_of(part)), share_of(n, grid.columns, grid.column_of(part))};
    if (!block.rows.empty() && !block.columns.empty()) tiles.push_back(block);
  }
  return tiles;
}

void require_conforming(ConstView a, ConstView b, ConstView c) {
  if (a.columns != b.rows || c.rows != a.rows || c.columns != b.columns) {
    throw std::invalid_argument("A of " + shape_text(a) + " times B of " + shape_text(b) + " is not a C of " +
                                shape_text(c));
  }
}

}  // namespace duet
