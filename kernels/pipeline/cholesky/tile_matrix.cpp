#include "kernels/pipeline/cholesky/tile_matrix.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>

namespace duet {
namespace {

void require_square(ConstView matrix, std::int64_t n) {
  if (matrix.rows == n && matrix.columns == n) return;
  throw std::invalid_argument("a matrix of " + std::to_string(matrix.rows) + " x " + std::to_string(matrix.columns) +
                              " where one of " + std::to_string(n) + " x " + std::to_string(n) + " is wanted");
}

}  // namespace

TileLayout::TileLayout(std::int64_t n, std::int64_t tile, Grid grid)
    : n_{n}, tile_{whole_strips(tile)}, count_{0}, last_{0}, grid_{grid} {
  if (n < 0) throw std::invalid_argument("a matrix of order " + std::to_string(n));
  if (tile < 1) throw std::invalid_argument("tile: " + std::to_string(tile) + " rows; it takes 1 at the least");
  count_ = (n + tile_ - 1) / tile_;
  last_ = whole_strips(n - std::max<std::int64_t>(count_ - 1, 0) * tile_);
}

TileMatrix::TileMatrix(const TileLayout& layout, std::int64_t rank) : layout_{layout}, rank_{rank} {
  const Grid& grid = layout.grid();
  const std::int64_t my_row = layout.row_of(rank);
  std::int64_t words = 0;
  for (std::int64_t j = layout.column_of(rank); j < layout.count(); j += grid.columns) {
    columns_.push_back(words);
    if (owns(j, j)) {
      mine_.push_back({j, j});
      words += diagonal_words(j);
    }
    for (std::int64_t i = layout.first_row_after(j, my_row); i < layout.count(); i += grid.rows)
      mine_.push_back({i, j});
    words += below_words(j, my_row);
  }
  if (words > 0) words_ = space_.of(static_cast<std::size_t>(words));
}

double* TileMatrix::diagonal_message(std::int64_t k) const {
  return words_ + columns_[static_cast<std::size_t>(k / layout_.grid().columns)];
}

std::int64_t TileMatrix::diagonal_words(std::int64_t k) const {
  return state_words + layout_.extent(k) * layout_.extent(k);
}

double* TileMatrix::below_message(std::int64_t k) const {
  return diagonal_message(k) + (owns(k, k) ? diagonal_words(k) : 0);
}

std::int64_t TileMatrix::below_words(std::int64_t k, std::int64_t row) const {
  const std::int64_t first = layout_.first_row_after(k, row);
  const std::int64_t last = layout_.count() - 1;
  if (first > last) return state_words;
  const std::int64_t tiles = (last - first) / layout_.grid().rows + 1;
  const bool has_last = last % layout_.grid().rows == row;
  const std::int64_t rows = tiles * layout_.tile() - (has_last ? layout_.tile() - layout_.extent(last) : 0);
  return state_words + rows * layout_.extent(k);
}

double* TileMatrix::tile(std::int64_t i, std::int64_t j) const {
  if (i == j) return diagonal_message(j) + state_words;
  const std::int64_t before = (i - layout_.first_row_after(j, i % layout_.grid().rows)) / layout_.grid().rows;
  return below_message(j) + state_words + before * layout_.tile() * layout_.extent(j);
}

double& TileMatrix::entry(std::int64_t row, std::int64_t column) const {
  const std::int64_t i = row / layout_.tile();
  const std::int64_t j = column / layout_.tile();
  const std::int64_t r = row - layout_.begin(i);
  const std::int64_t p = column - layout_.begin(j);
  return tile(i, j)[(r / strip * layout_.extent(j) + p) * strip + r % strip];
}

void load(ConstView a, const TileMatrix& to) {
  require_square(a, to.layout().n());
  for (const auto& [i, j] : to.mine()) {
    fill_tile(to.layout(), i, j, to.tile(i, j), [&](std::int64_t row, std::int64_t column) { return a(row, column); });
  }
}

void store(const TileMatrix& l, View to) {
  require_square(to, l.layout().n());
  for (const auto& [i, j] : l.mine()) {
    const std::int64_t end_row = std::min(l.layout().begin(i) + l.layout().tile(), to.rows);
    for (std::int64_t row = l.layout().begin(i); row < end_row; ++row) {
      const std::int64_t end = std::min(l.layout().begin(j) + l.layout().tile(), row + 1);
      for (std::int64_t column = l.layout().begin(j); column < end; ++column) to(row, column) = l.entry(row, column);
    }
  }
}

}  // namespace duet
