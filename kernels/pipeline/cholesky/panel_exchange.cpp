#include "kernels/pipeline/cholesky/panel_exchange.hpp"

#include <algorithm>
#include <numeric>
#include <stdexcept>
#include <string>

namespace duet {

PanelExchange::PanelExchange(const TileLayout& layout, MPI_Comm ranks, std::int64_t limit)
    : layout_{layout},
      limit_{limit},
      rank_{rank_in(ranks)},
      row_{layout.row_of(rank_)},
      column_{layout.column_of(rank_)},
      updates_left_(at(layout.count())) {
  const Grid& grid = layout.grid();
  if (grid.rows < 1 || grid.columns < 1 || grid.size() != size_of(ranks)) {
    throw std::invalid_argument("a grid of " + std::to_string(grid.rows) + " x " + std::to_string(grid.columns) +
                                " does not hold " + std::to_string(size_of(ranks)) + " ranks");
  }
  if (ranks == MPI_COMM_NULL) return;
  all_ = Communicator::duplicate(ranks);
  along_row_ = Communicator::split(ranks, static_cast<int>(row_), static_cast<int>(column_));
  along_column_ = Communicator::split(ranks, static_cast<int>(column_), static_cast<int>(row_));
  if (layout.count() == 0) return;

  // The first panel is the largest.
  std::int64_t rows_of_mine = 0;
  std::int64_t columns_of_mine = 0;
  for (std::int64_t i = row_; i < layout.count(); i += grid.rows) rows_of_mine += layout.extent(i);
  for (std::int64_t j = column_; j < layout.count(); j += grid.columns) columns_of_mine += layout.extent(j);
  const std::int64_t depth = layout.extent(0);
  const std::int64_t diagonal = grid.rows > 1 ? TileMatrix::state_words + depth * depth : 0;
  const std::int64_t row = grid.columns > 1 ? TileMatrix::state_words + rows_of_mine * depth : 0;
  const std::int64_t columns = grid.rows > 1 ? columns_of_mine * depth : 0;
  for (Slot& slot : slots_) {
    if (diagonal + row + columns == 0) continue;
    slot.diagonal = slot.space.of(at(diagonal + row + columns));
    slot.row = slot.diagonal + diagonal;
    slot.columns = slot.row + row;
    slot.column_at.resize(at((layout.count() - 1) / grid.columns + 1));
  }
}

void PanelExchange::begin(const TileMatrix& a, const std::vector<std::int64_t>& updates) {
  a_ = &a;
  phase_ = Phase::begun;
  coming_.clear();
  leaving_.clear();
  for (std::size_t k = 0; k < updates.size(); ++k) updates_left_[k] = updates[k];
  known_bad_pivot_ = -1;
  factored_ = false;
  factor_failed_ = -1;
  solved_ = 0;
  here_ = 0;
  diagonals_here_ = 0;
  bad_pivot_ = -1;
}

void PanelExchange::finish() {
  check(MPI_Waitall(mpi_count(std::ssize(leaving_)), leaving_.data(), MPI_STATUSES_IGNORE));
  leaving_.clear();
}

void PanelExchange::advance() {
  while (!is_complete() && bad_pivot() < 0 && step()) {
  }
}

void PanelExchange::factored(std::int64_t bad_pivot) {
  factor_failed_.store(bad_pivot, std::memory_order_relaxed);
  factored_.store(true, std::memory_order_release);
}

bool PanelExchange::arrived(std::vector<MPI_Request>& requests) {
  int all = 0;
  check(MPI_Testall(mpi_count(std::ssize(requests)), requests.data(), &all, MPI_STATUSES_IGNORE));
  if (all != 0) requests.clear();
  return all != 0;
}

void PanelExchange::broadcast(double* words, std::int64_t count, std::int64_t root, MPI_Comm ranks,
                              std::vector<MPI_Request>& requests) {
  pieces_of(
      count,
      [&](std::int64_t offset, int piece) {
        check(MPI_Ibcast(words + offset, piece, MPI_DOUBLE, static_cast<int>(root), ranks,
                         &requests.emplace_back(MPI_REQUEST_NULL)));
      },
      limit_);
}

// One step of the panel that is coming; false where it has to wait for something.
bool PanelExchange::step() {
  const std::int64_t k = panels_here();
  const Grid& grid = layout_.grid();
  const std::int64_t owner_row = k % grid.rows;
  const std::int64_t owner_column = k % grid.columns;
  switch (phase_) {
    case Phase::begun: {
      // What lies in the slot may be read until the updates by its panel are done.
      if (k >= slots && updates_left_[at(k - slots)].load(std::memory_order_acquire) > 0) return false;
      if (!owns_column(k)) {
        broadcast(slot(k).row, a_->below_words(k, row_), owner_column, along_row_.get(), coming_);
        phase_ = Phase::row_coming;
      } else if (row_ == owner_row) {
        phase_ = Phase::factoring;
      } else {
        broadcast(slot(k).diagonal, a_->diagonal_words(k), owner_row, along_column_.get(), coming_);
        phase_ = Phase::diagonal_coming;
      }
      return true;
    }
    case Phase::factoring: {
      if (!factored_.load(std::memory_order_acquire)) return false;
      factored_.store(false, std::memory_order_relaxed);
      known_bad_pivot_ = factor_failed_.load(std::memory_order_relaxed);
      if (grid.rows > 1) {
        double* const message = a_->diagonal_message(k);
        std::fill_n(message, TileMatrix::state_words, static_cast<double>(known_bad_pivot_));
        broadcast(message, a_->diagonal_words(k), owner_row, along_column_.get(), leaving_);
      }
      phase_ = Phase::solving;
      if (known_bad_pivot_ < 0) diagonals_here_.store(k + 1, std::memory_order_release);
      return true;
    }
    case Phase::diagonal_coming: {
      if (!arrived(coming_)) return false;
      known_bad_pivot_ = static_cast<std::int64_t>(*slot(k).diagonal);
      phase_ = Phase::solving;
      if (known_bad_pivot_ < 0) diagonals_here_.store(k + 1, std::memory_order_release);
      return true;
    }
    case Phase::solving: {
      const std::int64_t first = layout_.first_row_after(k, row_);
      const std::int64_t tiles = first < layout_.count() ? (layout_.count() - 1 - first) / grid.rows + 1 : 0;
      if (known_bad_pivot_ < 0 && solved_.load(std::memory_order_acquire) < tiles) return false;
      solved_.store(0, std::memory_order_relaxed);
      if (grid.columns > 1) {
        double* const message = a_->below_message(k);
        std::fill_n(message, TileMatrix::state_words, static_cast<double>(known_bad_pivot_));
        broadcast(message, a_->below_words(k, row_), owner_column, along_row_.get(), leaving_);
      }
      phase_ = Phase::in_row;
      return true;
    }
    case Phase::row_coming: {
      if (!arrived(coming_)) return false;
      known_bad_pivot_ = static_cast<std::int64_t>(*slot(k).row);
      phase_ = Phase::in_row;
      return true;
    }
    case Phase::in_row: {
      if (known_bad_pivot_ >= 0) {
        bad_pivot_.store(known_bad_pivot_, std::memory_order_release);
        return false;
      }
      if (grid.rows > 1) start_columns(k);
      phase_ = Phase::columns_coming;
      return true;
    }
    case Phase::columns_coming: {
      if (!arrived(coming_)) return false;
      phase_ = Phase::begun;
      here_.store(k + 1, std::memory_order_release);
      return true;
    }
  }
  return false;
}

// For each grid row, its tiles of panel k whose row is a column of this grid column, side by side.
void PanelExchange::start_columns(std::int64_t k) {
  Slot& to = slot(k);
  const Grid& grid = layout_.grid();
  const std::int64_t depth = layout_.extent(k);
  const std::int64_t first = column_ + (k + 1 - column_ + grid.columns - 1) / grid.columns * grid.columns;
  std::int64_t filled = 0;
  for (std::int64_t root = 0; root < grid.rows; ++root) {
    const std::int64_t begin = filled;
    for (std::int64_t j = std::max(first, column_); j < layout_.count(); j += grid.columns) {
      if (j % grid.rows != root) continue;
      const std::int64_t words = layout_.extent(j) * depth;
      if (root == row_) std::copy_n(row_tile(j, k), words, to.columns + filled);
      to.column_at[at(j / grid.columns)] = filled;
      filled += words;
    }
    broadcast(to.columns + begin, filled - begin, root, along_column_.get(), coming_);
  }
}

const double* PanelExchange::diagonal(std::int64_t k) const {
  return a_->owns(k, k) ? a_->tile(k, k) : slot(k).diagonal + TileMatrix::state_words;
}

const double* PanelExchange::row_tile(std::int64_t i, std::int64_t k) const {
  if (owns_column(k)) return a_->tile(i, k);
  const std::int64_t before = (i - layout_.first_row_after(k, row_)) / layout_.grid().rows;
  return slot(k).row + TileMatrix::state_words + before * layout_.tile() * layout_.extent(k);
}

const double* PanelExchange::column_tile(std::int64_t j, std::int64_t k) const {
  if (j % layout_.grid().rows == row_) return row_tile(j, k);
  return slot(k).columns + slot(k).column_at[at(j / layout_.grid().columns)];
}

}  // namespace duet
