#include "kernels/divide_and_conquer/strassen/rank_product.hpp"

#include <algorithm>
#include <type_traits>

namespace duet {
namespace {

std::size_t at(std::int64_t index) { return static_cast<std::size_t>(index); }

template <class Element>
MPI_Datatype mpi_type() {
  return std::is_same_v<Element, double> ? MPI_DOUBLE : MPI_FLOAT;
}

/// Panels are cut where A's columns or B's rows change their owner, and then to equal widths of at most `widest`.
std::vector<LeafPanel> panels_of(std::int64_t k, const Grid& grid, std::int64_t widest) {
  std::vector<LeafPanel> panels;
  for (std::int64_t begin = 0; begin < k;) {
    const std::int64_t a_column = owner_of(k, grid.columns, begin);
    const std::int64_t b_row = owner_of(k, grid.rows, begin);
    const std::int64_t end = std::min(share_of(k, grid.columns, a_column).end, share_of(k, grid.rows, b_row).end);
    const std::int64_t pieces = widest > 0 ? (end - begin + widest - 1) / widest : 1;
    for (std::int64_t piece = 0; piece < pieces; ++piece) {
      const Range share = share_of(end - begin, pieces, piece);
      panels.push_back({{begin + share.begin, begin + share.end}, a_column, b_row});
    }
    begin = end;
  }
  return panels;
}

}  // namespace

LeafPlan::LeafPlan(const StrassenShape& leaf, const Grid& grid, std::int64_t rank, std::int64_t panel)
    : grid_{grid}, row_{grid.row_of(rank)}, column_{grid.column_of(rank)} {
  const Range a_columns = share_of(leaf.k, grid.columns, column_);
  const Range b_rows = share_of(leaf.k, grid.rows, row_);
  part_ = {share_of(leaf.m, grid.rows, row_).size(), share_of(leaf.n, grid.columns, column_).size(), a_columns.size(),
           b_rows.size()};
  first_a_column_ = a_columns.begin;
  first_b_row_ = b_rows.begin;
  const std::vector<LeafPanel> ordered = panels_of(leaf.k, grid, panel);
  const bool by_column = grid.columns > 1;
  const auto is_mine = [&](const LeafPanel& each) { return by_column ? each.a_column == column_ : each.b_row == row_; };
  const std::int64_t first = std::ranges::find_if(ordered, is_mine) - ordered.begin();
  const std::int64_t count = std::ssize(ordered);
  std::int64_t foreign = 0;
  for (std::int64_t turn = 0; turn < count; ++turn) {
    const std::int64_t number = (first + turn) % count;
    panels_.push_back(ordered[at(number)]);
    tags_.push_back(static_cast<int>(number));
    const bool a = receives_a(at(turn));
    const bool b = receives_b(at(turn));
    if (a) widest_a_ = std::max(widest_a_, panels_.back().inner.size());
    if (b) widest_b_ = std::max(widest_b_, panels_.back().inner.size());
    if (a || b) ++foreign;
  }
  slots_ = std::min<std::int64_t>(foreign, 2);
}

RankPlan::Moved LeafPlan::moved() const {
  RankPlan::Moved moved;
  for (std::size_t turn = 0; turn < panels_.size(); ++turn) {
    const std::int64_t width = panels_[turn].inner.size();
    if (receives_a(turn)) moved += {1, part_.m * width, 0, 0};
    if (receives_b(turn)) moved += {1, part_.n * width, 0, 0};
    if (sends_a(turn)) moved += (grid_.columns - 1) * RankPlan::Moved{0, 0, 1, part_.m * width};
    if (sends_b(turn)) moved += (grid_.rows - 1) * RankPlan::Moved{0, 0, 1, part_.n * width};
  }
  return moved;
}

template <class Element>
RankProduct<Element>::RankProduct(const LeafPlan& plan, MPI_Comm group, ProductBelow<Element>& local,
                                  Timesheet* timesheet, Element* space, std::int64_t limit)
    : plan_{plan},
      group_{group},
      local_{local},
      timesheet_{timesheet},
      limit_{limit},
      sent_a_{space},
      sent_b_{sent_a_ + plan.sent_a_words()},
      slots_{sent_b_ + plan.sent_b_words()},
      coming_(at(plan.slots())) {}

// While the panels of one turn are multiplied, those of the next are on their way.
template <class Element>
void RankProduct<Element>::multiply(In a, In b, MatrixView<Element> c, Update update) {
  const auto turns = plan_.panels().size();
  if (turns == 0) return local_.multiply({a.data, c.rows, 0, a.stride}, {b.data, 0, c.columns, b.stride}, c, update);
  {
    const Booking booking{timesheet_, 0, Activity::communicating};
    finish();
    for (std::size_t turn = 0; turn < turns; ++turn) send(turn, a, b);
    receive(0);
  }
  for (std::size_t turn = 0; turn < turns; ++turn) {
    bool is_awaited = false;
    {
      const Booking booking{timesheet_, 0, Activity::communicating};
      // One slot is free while this rank multiplies what it has itself.
      is_awaited = turn + 1 < turns && (plan_.slots() > 1 || !(plan_.receives_a(turn) || plan_.receives_b(turn)));
      if (is_awaited) receive(turn + 1);
      if (!coming_.empty()) {
        std::vector<MPI_Request>& requests = coming_[turn % coming_.size()];
        check(MPI_Waitall(mpi_count(std::ssize(requests)), requests.data(), MPI_STATUSES_IGNORE));
        requests.clear();
      }
    }
    // C(I, J) += A(I, P) B(P, J)
    local_.multiply(a_of(turn, a), b_of(turn, b), c, turn == 0 ? update : Update::add);
    if (turn + 1 < turns && !is_awaited) receive(turn + 1);
  }
}

template <class Element>
void RankProduct<Element>::finish() {
  check(MPI_Waitall(mpi_count(std::ssize(leaving_)), leaving_.data(), MPI_STATUSES_IGNORE));
  leaving_.clear();
}

// My part of a panel, packed, to each that needs it.
template <class Element>
void RankProduct<Element>::send(std::size_t turn, In a, In b) {
  const Range inner = plan_.panels()[turn].inner;
  const LocalShape& part = plan_.part();
  const Grid& grid = plan_.grid();
  if (plan_.sends_a(turn) && grid.columns > 1) {
    const std::int64_t first = inner.begin - plan_.first_a_column();
    Element* const words = sent_a_ + first * part.m;
    for (std::int64_t i = 0; i < part.m; ++i) {
      std::copy_n(a.data + i * a.stride + first, inner.size(), words + i * inner.size());
    }
    for (std::int64_t step = 1; step < grid.columns; ++step) {
      const std::int64_t column = (plan_.column() + grid.columns - step) % grid.columns;
      start(words, part.m * inner.size(), plan_.row() * grid.columns + column, 2 * plan_.tag(turn), true, leaving_);
    }
  }
  if (plan_.sends_b(turn) && grid.rows > 1) {
    const std::int64_t first = inner.begin - plan_.first_b_row();
    Element* const words = sent_b_ + first * part.n;
    for (std::int64_t i = 0; i < inner.size(); ++i) {
      std::copy_n(b.data + (first + i) * b.stride, part.n, words + i * part.n);
    }
    for (std::int64_t step = 1; step < grid.rows; ++step) {
      const std::int64_t row = (plan_.row() + grid.rows - step) % grid.rows;
      start(words, part.n * inner.size(), row * grid.columns + plan_.column(), 2 * plan_.tag(turn) + 1, true, leaving_);
    }
  }
}

template <class Element>
void RankProduct<Element>::receive(std::size_t turn) {
  if (coming_.empty()) return;
  const LeafPanel& panel = plan_.panels()[turn];
  const std::size_t slot = turn % coming_.size();
  Element* const words = slots_ + static_cast<std::int64_t>(slot) * (plan_.slot_a_words() + plan_.slot_b_words());
  const std::int64_t columns = plan_.grid().columns;
  if (plan_.receives_a(turn)) {
    start(words, plan_.part().m * panel.inner.size(), plan_.row() * columns + panel.a_column, 2 * plan_.tag(turn),
          false, coming_[slot]);
  }
  if (plan_.receives_b(turn)) {
    start(words + plan_.slot_a_words(), plan_.part().n * panel.inner.size(), panel.b_row * columns + plan_.column(),
          2 * plan_.tag(turn) + 1, false, coming_[slot]);
  }
}

template <class Element>
void RankProduct<Element>::start(Element* words, std::int64_t count, std::int64_t other, int tag, bool sending,
                                 std::vector<MPI_Request>& requests) {
  pieces_of(
      count,
      [&](std::int64_t offset, int piece) {
        MPI_Request& request = requests.emplace_back(MPI_REQUEST_NULL);
        const int rank = static_cast<int>(other);
        check(sending ? MPI_Isend(words + offset, piece, mpi_type<Element>(), rank, tag, group_, &request)
                      : MPI_Irecv(words + offset, piece, mpi_type<Element>(), rank, tag, group_, &request));
      },
      limit_);
}

template <class Element>
MatrixView<const Element> RankProduct<Element>::a_of(std::size_t turn, In a) const {
  const Range inner = plan_.panels()[turn].inner;
  const LocalShape& part = plan_.part();
  if (!plan_.receives_a(turn)) {
    const bool is_mine = plan_.panels()[turn].a_column == plan_.column();
    return {a.data + (is_mine ? inner.begin - plan_.first_a_column() : 0), part.m, inner.size(), a.stride};
  }
  const auto slot = static_cast<std::int64_t>(turn % coming_.size());
  return {slots_ + slot * (plan_.slot_a_words() + plan_.slot_b_words()), part.m, inner.size(), inner.size()};
}

template <class Element>
MatrixView<const Element> RankProduct<Element>::b_of(std::size_t turn, In b) const {
  const Range inner = plan_.panels()[turn].inner;
  const LocalShape& part = plan_.part();
  if (!plan_.receives_b(turn)) {
    const bool is_mine = plan_.panels()[turn].b_row == plan_.row();
    return {b.data + (is_mine ? (inner.begin - plan_.first_b_row()) * b.stride : 0), inner.size(), part.n, b.stride};
  }
  const auto slot = static_cast<std::int64_t>(turn % coming_.size());
  return {slots_ + slot * (plan_.slot_a_words() + plan_.slot_b_words()) + plan_.slot_a_words(), inner.size(), part.n,
          part.n};
}

template class RankProduct<double>;
template class RankProduct<float>;

}  // namespace duet
