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
/// rows. Its number is the tag of its messages, the same on every rank.
struct LeafPanel {
  Range inner;
  std::int64_t a_column = 0;
  std::int64_t b_row = 0;
  int round = 0;
  int number = 0;
};

/// How a leaf product of m x n x k goes over a grid. Every rank needs its rows of all of A and its columns of all of B,
/// so the ranks of a grid row give each other their columns of A, and those of a grid column their rows of B, in
/// panels. A round has a panel of every stretch of the inner extent that has one owner in A and in B; in a round each
/// rank sends what it has to each that needs it, all at once, and multiplies first with what it has itself:
///
///     1 x 2, stretches of two panels      inner extent  | 0a | 0b | 1a | 1b |
///                                         rank 0 multiplies with  0a 1a, 0b 1b;  rank 1 with  1a 0a, 1b 0b
///
/// A round is sent when the one before has been received, so a rank is never ahead by more than that, and buffers for
/// one round are enough.
///
/// In one leaf product rank (r, c) of R x C, which has m_r rows, n_c columns, k_c columns of A and k'_r rows of B,
///
///     receives  m_r (k - k_c) + n_c (k - k'_r) words       sends  (C - 1) m_r k_c + (R - 1) n_c k'_r words
///
/// in one message for each panel of A that another has (if m_r > 0) and each panel of B that another has (if n_c > 0),
/// and one to each other rank of its row for each panel of A that it has, of its column for each panel of B.
class LeafPlan {
 public:
  /// No panel is wider than `panel` >= 1.
  LeafPlan(const StrassenShape& leaf, const Grid& grid, std::int64_t rank, std::int64_t panel);

  [[nodiscard]] const Grid& grid() const { return grid_; }
  [[nodiscard]] std::int64_t row() const { return row_; }
  [[nodiscard]] std::int64_t column() const { return column_; }
  [[nodiscard]] const LocalShape& part() const { return part_; }
  /// The panels, round by round, in the order in which this rank multiplies them.
  [[nodiscard]] const std::vector<LeafPanel>& panels() const { return panels_; }
  [[nodiscard]] bool has_a(const LeafPanel& panel) const { return panel.a_column == column_; }
  [[nodiscard]] bool has_b(const LeafPanel& panel) const { return panel.b_row == row_; }
  [[nodiscard]] bool receives_a(const LeafPanel& panel) const { return !has_a(panel) && part_.m > 0; }
  [[nodiscard]] bool receives_b(const LeafPanel& panel) const { return !has_b(panel) && part_.n > 0; }
  [[nodiscard]] bool receives(const LeafPanel& panel) const { return receives_a(panel) || receives_b(panel); }
  [[nodiscard]] bool sends_a(const LeafPanel& panel) const { return has_a(panel) && part_.m > 0 && grid_.columns > 1; }
  [[nodiscard]] bool sends_b(const LeafPanel& panel) const { return has_b(panel) && part_.n > 0 && grid_.rows > 1; }
  /// Where my columns of A and my rows of B begin in the inner extent.
  [[nodiscard]] std::int64_t first_a_column() const { return first_a_column_; }
  [[nodiscard]] std::int64_t first_b_row() const { return first_b_row_; }

  /// Words of buffers: what is sent in a round, packed, and one or two panels that come.
  [[nodiscard]] std::int64_t sent_words() const { return sent_words_; }
  [[nodiscard]] std::int64_t slot_a_words() const { return widest_a_ * part_.m; }
  [[nodiscard]] std::int64_t slot_words() const { return slot_a_words() + widest_b_ * part_.n; }
  [[nodiscard]] std::int64_t slots() const { return slots_; }
  [[nodiscard]] std::int64_t words() const { return sent_words_ + slots_ * slot_words(); }
  [[nodiscard]] RankPlan::Moved moved() const;

 private:
  Grid grid_;
  std::int64_t row_;
  std::int64_t column_;
  LocalShape part_;
  std::int64_t first_a_column_ = 0;
  std::int64_t first_b_row_ = 0;
  std::vector<LeafPanel> panels_;
  std::int64_t sent_words_ = 0;
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
  using Panels = std::vector<LeafPanel>;

  void send_round(Panels::const_iterator first, In a, In b);
  void receive(const LeafPanel& panel, std::size_t slot);
  void wait(std::vector<MPI_Request>& requests);
  [[nodiscard]] Element* words_of(std::size_t slot) const {
    return slots_ + static_cast<std::int64_t>(slot) * plan_.slot_words();
  }
  [[nodiscard]] In a_of(const LeafPanel& panel, std::size_t slot, In a) const;
  [[nodiscard]] In b_of(const LeafPanel& panel, std::size_t slot, In b) const;
  void start(Element* words, std::int64_t count, std::int64_t other, int tag, bool sending,
             std::vector<MPI_Request>& requests);

  LeafPlan plan_;
  MPI_Comm group_;
  ProductBelow<Element>& local_;
  Timesheet* timesheet_;
  std::int64_t limit_;
  Element* sent_;
  Element* slots_;
  std::vector<MPI_Request> leaving_;
  std::vector<std::vector<MPI_Request>> coming_;  ///< of each slot
};

}  // namespace duet
