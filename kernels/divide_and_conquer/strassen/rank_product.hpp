#pragma once

/// A leaf product over a group of ranks: all of them have a part of A, B and C, and each computes its part of C.

#include <mpi.h>

#include <cstdint>
#include <vector>

#include "kernels/core/mpi.hpp"
#include "kernels/core/partition.hpp"
#include "kernels/core/timesheet.hpp"
#include "kernels/divide_and_conquer/strassen/plan.hpp"
#include "kernels/divide_and_conquer/strassen/winograd.hpp"

namespace duet {

/// A piece of the inner extent that has one owner in A and one in B: `a_column` of the grid's columns, `b_row` of its
/// rows.
struct LeafPanel {
  Range inner;
  std::int64_t a_column = 0;
  std::int64_t b_row = 0;
};

/// How a leaf product of m x n x k goes over a grid. Every rank needs its rows of all of A and its columns of all of B,
/// so the ranks of a grid row give each other their columns of A, and those of a grid column their rows of B: each rank
/// sends what it has to each that needs it, all at once, and multiplies first with what it has itself.
///
/// In one leaf product rank (r, c) of R x C, which has m_r rows, n_c columns, k_c columns of A and k'_r rows of B,
///
///     receives  m_r (k - k_c) + n_c (k - k'_r) words       sends  (C - 1) m_r k_c + (R - 1) n_c k'_r words
///
/// in one message for each panel of A that another has (if m_r > 0) and each panel of B that another has (if n_c > 0),
/// and one to each other rank of its row for each panel of A that it has, of its column for each panel of B.
class LeafPlan {
 public:
  LeafPlan(const StrassenShape& leaf, const Grid& grid, std::int64_t rank, std::int64_t panel);

  [[nodiscard]] const Grid& grid() const { return grid_; }
  [[nodiscard]] std::int64_t row() const { return row_; }
  [[nodiscard]] std::int64_t column() const { return column_; }
  [[nodiscard]] const LocalShape& part() const { return part_; }
  /// The panels, in the order in which this rank multiplies them: its own first, then those of the next ranks.
  [[nodiscard]] const std::vector<LeafPanel>& panels() const { return panels_; }
  /// The same panels' numbers, the same on every rank: the tags of their messages.
  [[nodiscard]] int tag(std::size_t turn) const { return tags_[turn]; }
  [[nodiscard]] bool receives_a(std::size_t turn) const { return panels_[turn].a_column != column_ && part_.m > 0; }
  [[nodiscard]] bool receives_b(std::size_t turn) const { return panels_[turn].b_row != row_ && part_.n > 0; }
  [[nodiscard]] bool sends_a(std::size_t turn) const { return panels_[turn].a_column == column_ && part_.m > 0; }
  [[nodiscard]] bool sends_b(std::size_t turn) const { return panels_[turn].b_row == row_ && part_.n > 0; }
  /// Where my columns of A and my rows of B begin in the inner extent.
  [[nodiscard]] std::int64_t first_a_column() const { return first_a_column_; }
  [[nodiscard]] std::int64_t first_b_row() const { return first_b_row_; }

  /// Words of buffers: what is sent, packed, and two panels that come.
  [[nodiscard]] std::int64_t sent_a_words() const { return grid_.columns > 1 ? part_.m * part_.a_columns : 0; }
  [[nodiscard]] std::int64_t sent_b_words() const { return grid_.rows > 1 ? part_.n * part_.b_rows : 0; }
  [[nodiscard]] std::int64_t slot_a_words() const { return widest_a_ * part_.m; }
  [[nodiscard]] std::int64_t slot_b_words() const { return widest_b_ * part_.n; }
  [[nodiscard]] std::int64_t slots() const { return slots_; }
  [[nodiscard]] std::int64_t words() const {
    return sent_a_words() + sent_b_words() + slots_ * (slot_a_words() + slot_b_words());
  }
  [[nodiscard]] RankPlan::Moved moved() const;

 private:
  Grid grid_;
  std::int64_t row_;
  std::int64_t column_;
  LocalShape part_;
  std::int64_t first_a_column_ = 0;
  std::int64_t first_b_row_ = 0;
  std::vector<LeafPanel> panels_;
  std::vector<int> tags_;
  std::int64_t widest_a_ = 0;
  std::int64_t widest_b_ = 0;
  std::int64_t slots_ = 0;
};

/// The product itself. All ranks of the group multiply the same products in the same order.
template <class Element>
class RankProduct : public ProductBelow<Element> {
 public:
  /// `group` is not owned. With plan.words() words at `space`. No message carries more than `limit` elements: a panel
  /// of more goes in pieces.
  RankProduct(const LeafPlan& plan, MPI_Comm group, ProductBelow<Element>& local, Timesheet* timesheet, Element* space,
              std::int64_t limit = largest_mpi_count);

  void multiply(MatrixView<const Element> a, MatrixView<const Element> b, MatrixView<Element> c,
                Update update) override;
  /// Waits until all that was sent has left.
  void finish();

 private:
  using In = MatrixView<const Element>;

  void send(std::size_t turn, In a, In b);
  void receive(std::size_t turn);
  [[nodiscard]] In a_of(std::size_t turn, In a) const;
  [[nodiscard]] In b_of(std::size_t turn, In b) const;
  void start(Element* words, std::int64_t count, std::int64_t other, int tag, bool sending,
             std::vector<MPI_Request>& requests);

  LeafPlan plan_;
  MPI_Comm group_;
  ProductBelow<Element>& local_;
  Timesheet* timesheet_;
  std::int64_t limit_;
  Element* sent_a_;
  Element* sent_b_;
  Element* slots_;
  std::vector<MPI_Request> leaving_;
  std::vector<std::vector<MPI_Request>> coming_;  ///< of each slot
};

}  // namespace duet
