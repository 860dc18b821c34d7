#include "kernels/product/tiles.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>

namespace duet {
namespace {

template <class Element>
std::string shape_text(MatrixView<const Element> view) {
  return std::to_string(view.rows) + " x " + std::to_string(view.columns);
}

std::int64_t ceiling_of(std::int64_t dividend, std::int64_t divisor) { return (dividend + divisor - 1) / divisor; }

std::vector<Block> blocks_of(std::int64_t m, std::int64_t n, const Grid& grid) {
  std::vector<Block> blocks;
  for (std::int64_t part = 0; part < grid.size(); ++part) {
    const Block block{share_of(m, grid.rows, grid.row_of(part)), share_of(n, grid.columns, grid.column_of(part))};
    if (!block.rows.empty() && !block.columns.empty()) blocks.push_back(block);
  }
  return blocks;
}

/// Cuts `block` across its longer side, `cut` from its beginning.
std::pair<Block, Block> cut_block(const Block& block, double cut) {
  std::pair<Block, Block> halves{block, block};
  const bool by_rows = block.rows.size() >= block.columns.size();
  const Range whole = by_rows ? block.rows : block.columns;
  const std::int64_t middle = whole.begin + static_cast<std::int64_t>(cut * static_cast<double>(whole.size()));
  (by_rows ? halves.first.rows : halves.first.columns).end = middle;
  (by_rows ? halves.second.rows : halves.second.columns).begin = middle;
  return halves;
}

}  // namespace

Tiles tiles_of(std::int64_t m, std::int64_t n, int threads, std::int64_t tile) {
  if (m == 0 || n == 0) return {};
  if (tile > 0) return {blocks_of(m, n, {ceiling_of(m, tile), ceiling_of(n, tile)}), 0};
  Tiles tiles{blocks_of(m, n, grid_for(m, n, threads)), 0};
  tiles.leading = tiles.count();
  if (threads == 1) return tiles;
  for (std::int64_t part = 0; part < tiles.leading; ++part) {
    Block& own = tiles.blocks[static_cast<std::size_t>(part)];
    if (std::max(own.rows.size(), own.columns.size()) < divisible_extent) continue;
    const auto [large, rest] = cut_block(own, 0.75);
    const auto [first, second] = cut_block(rest, 0.5);
    own = large;
    tiles.blocks.push_back(first);
    tiles.blocks.push_back(second);
  }
  return tiles;
}

template <class Element>
void require_conforming(MatrixView<const Element> a, MatrixView<const Element> b, MatrixView<const Element> c) {
  if (a.columns != b.rows || c.rows != a.rows || c.columns != b.columns) {
    throw std::invalid_argument("A of " + shape_text(a) + " times B of " + shape_text(b) + " is not a C of " +
                                shape_text(c));
  }
}

template void require_conforming(ConstView, ConstView, ConstView);
template void require_conforming(MatrixView<const float>, MatrixView<const float>, MatrixView<const float>);

}  // namespace duet
