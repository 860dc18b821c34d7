#include "kernels/data_decomposition/matmul/panel_broadcast.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>

#include "kernels/data_decomposition/matmul/grid_plan.hpp"

namespace duet {
namespace {

template <class Element>
void copy(MatrixView<const Element> from, Element* to) {
  for (std::int64_t row = 0; row < from.rows; ++row)
    std::copy_n(from.data + row * from.stride, from.columns, to + row * from.columns);
}

template <class Element>
void require_shape(MatrixView<const Element> view, const Block& block, const char* name) {
  if (view.rows == block.rows.size() && view.columns == block.columns.size()) return;
  throw std::invalid_argument("this rank's block of " + std::string{name} + " is " + std::to_string(view.rows) + " x " +
                              std::to_string(view.columns) + ", and its share is " + std::to_string(block.rows.size()) +
                              " x " + std::to_string(block.columns.size()));
}

}  // namespace

template <class Element>
PanelBroadcast<Element>::PanelBroadcast(const OwnedBlocksOf<Element>& mine, std::int64_t width, std::int64_t limit)
    : mine_{mine}, limit_{limit}, summand_{mine.layout.summand_of(mine.ranks.rank())} {
  width = std::min(width, mine.layout.shape().k);
  const ProductGrid grid = mine.ranks.shape();
  if (grid.columns > 1) a_buffer_ = Matrix<Element>{summand_.rows.size(), width};
  if (grid.rows > 1) b_buffer_ = Matrix<Element>{width, summand_.columns.size()};
}

template <class Element>
void PanelBroadcast<Element>::start(const Panel& panel) {
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
    if (ranks.column() == panel.a_column) copy<Element>(my_a(), a_buffer_.data());
    a_ = {a_buffer_.data(), summand_.rows.size(), width, width};
    broadcast(a_buffer_.data(), a_.rows * a_.columns, panel.a_column, ranks.along_row());
  }
  if (ranks.shape().rows == 1) {
    b_ = my_b();
  } else {
    if (ranks.row() == panel.b_row) copy<Element>(my_b(), b_buffer_.data());
    b_ = {b_buffer_.data(), width, summand_.columns.size(), summand_.columns.size()};
    broadcast(b_buffer_.data(), b_.rows * b_.columns, panel.b_row, ranks.along_column());
  }
}

template <class Element>
void PanelBroadcast<Element>::broadcast(Element* words, std::int64_t count, int root, MPI_Comm ranks) {
  pieces_of(
      count,
      [&](std::int64_t offset, int piece) {
        check(MPI_Ibcast(words + offset, piece, mpi_type<Element>(), root, ranks,
                         &requests_.emplace_back(MPI_REQUEST_NULL)));
      },
      limit_);
}

template <class Element>
void PanelBroadcast<Element>::progress() {
  int arrived = 0;
  check(MPI_Testall(mpi_count(std::ssize(requests_)), requests_.data(), &arrived, MPI_STATUSES_IGNORE));
}

template <class Element>
void PanelBroadcast<Element>::wait() {
  check(MPI_Waitall(mpi_count(std::ssize(requests_)), requests_.data(), MPI_STATUSES_IGNORE));
  requests_.clear();
}

std::int64_t panel_width(const Execution& execution, const ProductLayout& layout) {
  return panel_width(execution.whole_or("panel", 0), share_of(layout.shape().k, layout.grid().layers, 0).size());
}

template <class Element>
void require_conforming(const OwnedBlocksOf<Element>& mine) {
  const int rank = mine.ranks.rank();
  require_shape(mine.a, mine.layout.a_of(rank), "A");
  require_shape(mine.b, mine.layout.b_of(rank), "B");
  require_shape<Element>(mine.c, mine.layout.c_of(rank), "C");
}

template class PanelBroadcast<double>;
template class PanelBroadcast<float>;
template void require_conforming(const OwnedBlocksOf<double>&);
template void require_conforming(const OwnedBlocksOf<float>&);

}  // namespace duet
