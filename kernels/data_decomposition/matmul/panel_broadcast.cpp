#include "kernels/data_decomposition/matmul/panel_broadcast.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>

namespace duet {
namespace {

void copy(ConstView from, double* to) {
  for (std::int64_t row = 0; row < from.rows; ++row)
    std::copy_n(from.data + row * from.stride, from.columns, to + row * from.columns);
}

void require_shape(ConstView view, const Block& block, const char* name) {
  if (view.rows == block.rows.size() && view.columns == block.columns.size()) return;
  throw std::invalid_argument("this rank's block of " + std::string{name} + " is " + std::to_string(view.rows) + " x " +
                              std::to_string(view.columns) + ", and its share is " + std::to_string(block.rows.size()) +
                              " x " + std::to_string(block.columns.size()));
}

}  // namespace

PanelBroadcast::PanelBroadcast(const OwnedBlocks& mine, std::int64_t width, std::int64_t limit)
    : mine_{mine}, limit_{limit} {
  width = std::min(width, mine.layout.shape().k);
  const Grid grid = mine.ranks.shape();
  if (grid.columns > 1) a_buffer_ = Matrix<double>{mine.c.rows, width};
  if (grid.rows > 1) b_buffer_ = Matrix<double>{width, mine.c.columns};
}

void PanelBroadcast::start(const Panel& panel) {
  const RankGrid& ranks = mine_.ranks;
  const std::int64_t width = panel.inner.size();
  const auto my_a = [&] {
    const std::int64_t first = panel.inner.begin - mine_.layout.a_of(ranks.rank()).columns.begin;
    return mine_.a.block(0, first, mine_.a.rows, width);
  };
  const auto my_b = [&] {
    const std::int64_t first = panel.inner.begin - mine_.layout.b_of(ranks.rank()).rows.begin;
    return mine_.b.block(first, 0, width, mine_.b.columns);
  };
  if (ranks.shape().columns == 1) {
    a_ = my_a();
  } else {
    if (ranks.column() == panel.a_column) copy(my_a(), a_buffer_.data());
    a_ = {a_buffer_.data(), mine_.c.rows, width, width};
    broadcast(a_buffer_.data(), a_.rows * a_.columns, panel.a_column, ranks.along_row());
  }
  if (ranks.shape().rows == 1) {
    b_ = my_b();
  } else {
    if (ranks.row() == panel.b_row) copy(my_b(), b_buffer_.data());
    b_ = {b_buffer_.data(), width, mine_.c.columns, mine_.c.columns};
    broadcast(b_buffer_.data(), b_.rows * b_.columns, panel.b_row, ranks.along_column());
  }
}

void PanelBroadcast::broadcast(double* words, std::int64_t count, int root, MPI_Comm ranks) {
  pieces_of(
      count,
      [&](std::int64_t offset, int piece) {
        check(MPI_Ibcast(words + offset, piece, MPI_DOUBLE, root, ranks, &requests_.emplace_back(MPI_REQUEST_NULL)));
      },
      limit_);
}

void PanelBroadcast::progress() {
  int arrived = 0;
  check(MPI_Testall(mpi_count(std::ssize(requests_)), requests_.data(), &arrived, MPI_STATUSES_IGNORE));
}

void PanelBroadcast::wait() {
  check(MPI_Waitall(mpi_count(std::ssize(requests_)), requests_.data(), MPI_STATUSES_IGNORE));
  requests_.clear();
}

std::int64_t panel_width(const Execution& execution, std::int64_t k) {
  const std::int64_t width = execution.whole_or("panel", 0);
  if (width != 0) return width;
  // The first panel travels before anybody computes: an eighth of k hides the rest behind seven products, and makes
  // n = 1024 on 2 ranks 1.15x faster than panels of 512, n = 512 1.29x. Below 64 the messages' own cost wins, above
  // 512 nothing is gained.
  constexpr std::int64_t narrowest = 64;
  return std::clamp(k / 8 / narrowest * narrowest, narrowest, widest_chosen_panel);
}

void require_conforming(const OwnedBlocks& mine) {
  const int rank = mine.ranks.rank();
  require_shape(mine.a, mine.layout.a_of(rank), "A");
  require_shape(mine.b, mine.layout.b_of(rank), "B");
  require_shape(mine.c, mine.layout.c_of(rank), "C");
}

}  // namespace duet
