#include "kernels/data_decomposition/matmul/layer_sum.hpp"

#include <omp.h>

#include <algorithm>
#include <array>
#include <vector>

namespace duet {
namespace {

/// Calls act(row) for each of `rows` rows, every thread with its share of them.
template <class Act>
void for_each_row(const Execution& execution, std::int64_t rows, Act&& act_on_row) {
  const auto act = [&](int thread, int threads) {
    const Booking booking{execution.timesheet, thread, Activity::useful};
    const Range share = share_of(rows, threads, thread);
    for (std::int64_t row = share.begin; row < share.end; ++row) act_on_row(row);
  };
  if (execution.threads == 1) return act(0, 1);
#pragma omp parallel num_threads(execution.threads) default(none) shared(act)
  act(omp_get_thread_num(), omp_get_num_threads());
}

}  // namespace

template <class Element>
LayerSum<Element>::LayerSum(const OwnedBlocksOf<Element>& mine, std::int64_t limit) : mine_{mine}, limit_{limit} {
  if (mine.ranks.shape().layers == 1) return;
  const Block whole = mine.layout.summand_of(mine.ranks.rank());
  room_ = Matrix<Element>{whole.rows.size(), whole.columns.size()};
}

template <class Element>
void LayerSum<Element>::add_up(const Execution& execution) {
  const std::int64_t layers = mine_.ranks.shape().layers;
  if (layers == 1 || mine_.ranks.idle()) return;
  const std::int64_t layer = mine_.ranks.layer();
  const MPI_Comm ranks = mine_.ranks.along_layers();
  const std::int64_t columns = room_.columns();
  const Range my_rows = share_of(room_.rows(), layers, layer);
  const std::int64_t count = my_rows.size() * columns;
  std::array<Matrix<Element>, 2> arriving{Matrix<Element>{my_rows.size(), columns},
                                          Matrix<Element>{my_rows.size(), columns}};
  std::array<std::vector<MPI_Request>, 2> requests;
  const auto start = [&](std::int64_t step) {
    const auto to = static_cast<int>((layer + step) % layers);
    const auto from = static_cast<int>((layer + layers - step) % layers);
    const Range theirs = share_of(room_.rows(), layers, to);
    const auto slot = static_cast<std::size_t>(step % 2);
    const auto request = [&] { return &requests[slot].emplace_back(MPI_REQUEST_NULL); };
    const auto receive = [&](std::int64_t offset, int piece) {
      check(MPI_Irecv(arriving[slot].data() + offset, piece, mpi_type<Element>(), from, 0, ranks, request()));
    };
    const auto send = [&](std::int64_t offset, int piece) {
      check(MPI_Isend(room_.data() + theirs.begin * columns + offset, piece, mpi_type<Element>(), to, 0, ranks,
                      request()));
    };
    pieces_of(count, receive, limit_);
    pieces_of(theirs.size() * columns, send, limit_);
  };
  const auto wait = [&](std::int64_t step) {
    std::vector<MPI_Request>& open = requests[static_cast<std::size_t>(step % 2)];
    check(MPI_Waitall(mpi_count(std::ssize(open)), open.data(), MPI_STATUSES_IGNORE));
    open.clear();
  };

  start(1);
  for_each_row(execution, my_rows.size(), [&](std::int64_t row) {
    std::copy_n(room_.data() + (my_rows.begin + row) * columns, columns, mine_.c.data + row * mine_.c.stride);
  });
  for (std::int64_t step = 1; step < layers; ++step) {
    {
      const Booking booking{execution.timesheet, 0, Activity::communicating};
      wait(step);
      if (step + 1 < layers) start(step + 1);
    }
    for_each_row(execution, my_rows.size(), [&](std::int64_t row) {
      const Element* const summand = arriving[static_cast<std::size_t>(step % 2)].data() + row * columns;
      Element* const c = mine_.c.data + row * mine_.c.stride;
      for (std::int64_t i = 0; i < columns; ++i) c[i] += summand[i];
    });
  }
}

template class LayerSum<double>;
template class LayerSum<float>;

}  // namespace duet
