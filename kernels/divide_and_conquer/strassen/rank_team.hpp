#pragma once

/// The ranks of a plan: their communicators and what they keep from one product to the next.

#include <mpi.h>

#include <memory>
#include <vector>

#include "kernels/core/execution.hpp"
#include "kernels/core/mpi.hpp"
#include "kernels/divide_and_conquer/strassen/plan.hpp"
#include "kernels/divide_and_conquer/strassen/winograd.hpp"
#include "kernels/local_product/packing_space.hpp"

namespace duet {

class RankTeam {
 public:
  /// Duplicates `ranks`, and splits it into the groups of the plan. Collective. Throws std::invalid_argument unless the
  /// plan is for as many ranks. No message carries more than `limit` elements.
  RankTeam(const RankPlan& plan, MPI_Comm ranks, std::int64_t limit = largest_mpi_count);

  [[nodiscard]] const RankPlan& plan() const { return plan_; }
  [[nodiscard]] std::int64_t rank() const { return rank_; }
  [[nodiscard]] MPI_Comm all() const { return groups_.front().get(); }
  [[nodiscard]] MPI_Comm along_row() const { return along_row_.get(); }
  [[nodiscard]] MPI_Comm along_column() const { return along_column_.get(); }
  /// My group after so many levels of breadth; all ranks before the first.
  [[nodiscard]] MPI_Comm group(int breadth) const { return groups_.at(static_cast<std::size_t>(breadth)).get(); }
  [[nodiscard]] std::int64_t limit() const { return limit_; }
  [[nodiscard]] PackingSpace& space() { return space_; }

 private:
  RankPlan plan_;
  std::int64_t rank_;
  std::int64_t limit_;
  std::vector<Communicator> groups_;
  Communicator along_row_;
  Communicator along_column_;
  PackingSpace space_;
};

/// C = A B over the ranks, with the team and the leaf of each: the levels of the plan one below the other.
template <class Element>
void multiply_over_ranks(RankTeam& ranks, MatrixView<const Element> a, MatrixView<const Element> b,
                         MatrixView<Element> c, StrassenTeam& team, ProductBelow<Element>& leaf, Timesheet* timesheet);

}  // namespace duet
