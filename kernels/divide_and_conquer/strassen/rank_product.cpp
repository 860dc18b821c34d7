#include "kernels/divide_and_conquer/strassen/rank_product.hpp"

#include <algorithm>

namespace duet {
namespace {

std::size_t at(std::int64_t index) { return static_cast<std::size_t>(index); }

/// Panels are cut where A's columns or B's rows change their owner, and such a stretch to equal widths of at most
/// `widest`. Round by round, stretch by stretch.
std::vector<LeafPanel> panels_of(std::int64_t k, const Grid& grid, std::int64_t widest) {
  std::vector<LeafPanel> panels;
  for (std::int64_t begin = 0; begin < k;) {
    const std::int64_t a_column = owner_of(k, grid.columns, begin);
    const std::int64_t b_row = owner_of(k, grid.rows, begin);
    const std::int64_t end = std::min(share_of(k, grid.columns, a_column).end, share_of(k, grid.rows, b_row).end);
    const std::int64_t pieces = (end - begin + widest - 1) / widest;
    for (std::int64_t piece = 0; piece < pieces; ++piece) {
      const Range share = share_of(end - begin, pieces, piece);
      panels.push_back({{begin + share.begin, begin + share.end}, a_column, b_row, static_cast<int>(piece)});
    }
    begin = end;
  }
  std::ranges::stable_sort(panels, {}, &LeafPanel::round);
  int number = 0;
  for (LeafPanel& panel : panels) panel.number = number++;
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
  const bool by_column = grid.columns > 1;
  const auto is_mine = [&](const LeafPanel& each) { return by_column ? has_a(each) : has_b(each); };
  panels_ = panels_of(leaf.k, grid, panel);
  bool after_foreign = false;
  for (auto first = panels_.begin(); first != panels_.end();) {
    const auto last = std::find_if(first, panels_.end(), [&](const auto& each) { return each.round != first->round; });
    std::rotate(first, std::find_if(first, last, is_mine) == last ? first : std::find_if(first, last, is_mine), last);
    std::int64_t sent = 0;
    for (auto each = first; each != last; ++each) {
      const std::int64_t width = each->inner.size();
      if (sends_a(*each)) sent += part_.m * width;
      if (sends_b(*each)) sent += part_.n * width;
      if (receives_a(*each)) widest_a_ = std::max(widest_a_, width);
      if (receives_b(*each)) widest_b_ = std::max(widest_b_, width);
      // A panel comes while the one before is multiplied, which has a slot if it came too.
      const bool is_foreign = receives(*each);
      if (is_foreign) slots_ = std::max<std::int64_t>(slots_, after_foreign ? 2 : 1);
      after_foreign = is_foreign;
    }
    sent_words_ = std::max(sent_words_, sent);
    first = last;
  }
}

RankPlan::Moved LeafPlan::moved() const {
  RankPlan::Moved moved;
  for (const LeafPanel& panel : panels_) {
    const std::int64_t width = panel.inner.size();
    if (receives_a(panel)) moved += {1, part_.m * width, 0, 0};
    if (receives_b(panel)) moved += {1, part_.n * width, 0, 0};
    if (sends_a(panel)) moved += (grid_.columns - 1) * RankPlan::Moved{0, 0, 1, part_.m * width};
    if (sends_b(panel)) moved += (grid_.rows - 1) * RankPlan::Moved{0, 0, 1, part_.n * width};
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
      sent_{space},
      slots_{sent_ + plan.sent_words()},
      coming_(at(plan.slots())) {}

// While a panel is multiplied, the next one is on its way.
template <class Element>
void RankProduct<Element>::multiply(In a, In b, MatrixView<Element> c, Update update) {
  const Panels& panels = plan_.panels();
  if (panels.empty()) {
    return local_.multiply({a.data, c.rows, 0, a.stride}, {b.data, 0, c.columns, b.stride}, c, update);
  }
  const std::size_t slots = std::max<std::size_t>(coming_.size(), 1);
  for (std::size_t turn = 0; turn < panels.size(); ++turn) {
    if (!coming_.empty() || plan_.sent_words() > 0) {
      const Booking booking{timesheet_, 0, Activity::communicating};
      const bool begins_round = turn == 0 || panels[turn].round != panels[turn - 1].round;
      if (begins_round) send_round(panels.begin() + static_cast<std::ptrdiff_t>(turn), a, b);
      if (turn == 0) receive(panels[0], 0);
      if (turn + 1 < panels.size()) receive(panels[turn + 1], (turn + 1) % slots);
      if (plan_.receives(panels[turn])) wait(coming_[turn % slots]);
    }
    // C(I, J) += A(I, P) B(P, J)
    local_.multiply(a_of(panels[turn], turn % slots, a), b_of(panels[turn], turn % slots, b), c,
                    turn == 0 ? update : Update::add);
  }
}

template <class Element>
void RankProduct<Element>::finish() {
  wait(leaving_);
}

template <class Element>
void RankProduct<Element>::wait(std::vector<MPI_Request>& requests) {
  check(MPI_Waitall(mpi_count(std::ssize(requests)), requests.data(), MPI_STATUSES_IGNORE));
  requests.clear();
}

// My panels of the round, packed, each to all that need it.
template <class Element>
void RankProduct<Element>::send_round(Panels::const_iterator first, In a, In b) {
  wait(leaving_);
  const LocalShape& part = plan_.part();
  const Grid& grid = plan_.grid();
  Element* words = sent_;
  for (auto panel = first; panel != plan_.panels().end() && panel->round == first->round; ++panel) {
    const std::int64_t width = panel->inner.size();
    if (plan_.sends_a(*panel)) {
      const Element* from = a.data + panel->inner.begin - plan_.first_a_column();
      for (std::int64_t i = 0; i < part.m; ++i) std::copy_n(from + i * a.stride, width, words + i * width);
      for (std::int64_t step = 1; step < grid.columns; ++step) {
        const std::int64_t column = (plan_.column() + grid.columns - step) % grid.columns;
        start(words, part.m * width, plan_.row() * grid.columns + column, 2 * panel->number, true, leaving_);
      }
      words += part.m * width;
    }
    if (plan_.sends_b(*panel)) {
      const Element* from = b.data + (panel->inner.begin - plan_.first_b_row()) * b.stride;
      for (std::int64_t i = 0; i < width; ++i) std::copy_n(from + i * b.stride, part.n, words + i * part.n);
      for (std::int64_t step = 1; step < grid.rows; ++step) {
        const std::int64_t row = (plan_.row() + grid.rows - step) % grid.rows;
        start(words, part.n * width, row * grid.columns + plan_.column(), 2 * panel->number + 1, true, leaving_);
      }
      words += part.n * width;
    }
  }
}

template <class Element>
void RankProduct<Element>::receive(const LeafPanel& panel, std::size_t slot) {
  const std::int64_t width = panel.inner.size();
  const std::int64_t columns = plan_.grid().columns;
  if (plan_.receives_a(panel)) {
    start(words_of(slot), plan_.part().m * width, plan_.row() * columns + panel.a_column, 2 * panel.number, false,
          coming_[slot]);
  }
  if (plan_.receives_b(panel)) {
    start(words_of(slot) + plan_.slot_a_words(), plan_.part().n * width, panel.b_row * columns + plan_.column(),
          2 * panel.number + 1, false, coming_[slot]);
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
MatrixView<const Element> RankProduct<Element>::a_of(const LeafPanel& panel, std::size_t slot, In a) const {
  const std::int64_t width = panel.inner.size();
  if (plan_.has_a(panel)) return a.block(0, panel.inner.begin - plan_.first_a_column(), plan_.part().m, width);
  return {plan_.receives_a(panel) ? words_of(slot) : a.data, plan_.part().m, width, width};
}

template <class Element>
MatrixView<const Element> RankProduct<Element>::b_of(const LeafPanel& panel, std::size_t slot, In b) const {
  const std::int64_t width = panel.inner.size();
  const std::int64_t n = plan_.part().n;
  if (plan_.has_b(panel)) return b.block(panel.inner.begin - plan_.first_b_row(), 0, width, n);
  return {plan_.receives_b(panel) ? words_of(slot) + plan_.slot_a_words() : b.data, width, n, n};
}

template class RankProduct<double>;
template class RankProduct<float>;

}  // namespace duet
