#include "kernels/divide_and_conquer/strassen/rank_team.hpp"

#include <stdexcept>
#include <string>

#include "kernels/divide_and_conquer/strassen/breadth_product.hpp"
#include "kernels/divide_and_conquer/strassen/rank_product.hpp"

namespace duet {
namespace {

/// The levels of one group: those it goes through together, and what is below them.
template <class Element>
class GroupProduct : public ProductBelow<Element> {
 public:
  /// `breadth` levels of breadth lie above; this is rank `rank` of `size`.
  GroupProduct(RankTeam& ranks, int breadth, std::int64_t size, std::int64_t rank, StrassenTeam& team,
               ProductBelow<Element>& leaf, Timesheet* timesheet, Element* space) {
    const RankPlan& plan = ranks.plan();
    const RankPlan::Steps& steps = plan.steps();
    const bool is_last = breadth == steps.breadth;
    const int depth = (breadth == 0 ? steps.depth : 0) + (is_last ? steps.local : 0);
    const int levels = steps.levels() - (breadth == 0 ? 0 : steps.depth + breadth);
    Element* const free = space + winograd_words(plan.part(size, rank, levels), depth);
    if (is_last) {
      const LeafPlan of_leaf{plan.leaf(), plan.grid_of(size), rank, plan.panel()};
      auto product =
          std::make_unique<RankProduct<Element>>(of_leaf, ranks.group(breadth), leaf, timesheet, free, ranks.limit());
      leaf_ = product.get();
      below_ = std::move(product);
    } else {
      const BreadthPlan level{plan, size, rank, levels - depth - 1};
      const Range group = level.group(level.my_group());
      group_ = std::make_unique<GroupProduct>(ranks, breadth + 1, group.size(), rank - group.begin, team, leaf,
                                              timesheet, free + level.words());
      below_ = std::make_unique<BreadthProduct<Element>>(level, ranks.group(breadth), *group_, timesheet, free,
                                                         ranks.limit());
    }
    levels_ = std::make_unique<Winograd<Element>>(depth, team, *below_, space);
  }

  void multiply(MatrixView<const Element> a, MatrixView<const Element> b, MatrixView<Element> c,
                Update /*assign*/) override {
    levels_->multiply(a, b, c);
  }
  /// Waits until all that was sent has left.
  void finish() {
    if (leaf_ != nullptr) leaf_->finish();
    if (group_) group_->finish();
  }

 private:
  RankProduct<Element>* leaf_ = nullptr;
  std::unique_ptr<GroupProduct> group_;
  std::unique_ptr<ProductBelow<Element>> below_;
  std::unique_ptr<Winograd<Element>> levels_;
};

}  // namespace

RankTeam::RankTeam(const RankPlan& plan, MPI_Comm ranks, std::int64_t limit)
    : plan_{plan}, rank_{rank_in(ranks)}, limit_{limit} {
  if (plan.ranks() != size_of(ranks)) {
    throw std::invalid_argument("a plan for " + std::to_string(plan.ranks()) + " ranks, and there are " +
                                std::to_string(size_of(ranks)));
  }
  groups_.push_back(Communicator::duplicate(ranks));
  const Grid grid = plan.grid();
  const int row = static_cast<int>(grid.row_of(rank_));
  const int column = static_cast<int>(grid.column_of(rank_));
  along_row_ = Communicator::split(ranks, row, column);
  along_column_ = Communicator::split(ranks, column, row);
  std::int64_t size = plan.ranks();
  std::int64_t rank = rank_;
  for (int breadth = 0; breadth < plan.steps().breadth; ++breadth) {
    const BreadthPlan level{plan, size, rank, 0};
    const Range group = level.group(level.my_group());
    size = group.size();
    rank -= group.begin;
    groups_.push_back(
        Communicator::split(groups_.back().get(), static_cast<int>(level.my_group()), static_cast<int>(rank)));
  }
}

template <class Element>
void multiply_over_ranks(RankTeam& ranks, MatrixView<const Element> a, MatrixView<const Element> b,
                         MatrixView<Element> c, StrassenTeam& team, ProductBelow<Element>& leaf, Timesheet* timesheet) {
  const RankPlan& plan = ranks.plan();
  const LocalShape part = plan.part(plan.ranks(), ranks.rank(), plan.steps().levels());
  if (a.rows != part.m || a.columns != part.a_columns || b.rows != part.b_rows || b.columns != part.n ||
      c.rows != part.m || c.columns != part.n) {
    const auto text = [](std::int64_t rows, std::int64_t columns) {
      return std::to_string(rows) + " x " + std::to_string(columns);
    };
    throw std::invalid_argument("this rank's parts of A, B and C are " + text(a.rows, a.columns) + ", " +
                                text(b.rows, b.columns) + " and " + text(c.rows, c.columns) + ", and the plan says " +
                                text(part.m, part.a_columns) + ", " + text(part.b_rows, part.n) + " and " +
                                text(part.m, part.n));
  }
  Element* const space = ranks.space().of<Element>(static_cast<std::size_t>(plan.workspace(ranks.rank())));
  GroupProduct<Element> product{ranks, 0, plan.ranks(), ranks.rank(), team, leaf, timesheet, space};
  product.multiply(a, b, c, Update::assign);
  product.finish();
}

template void multiply_over_ranks(RankTeam&, MatrixView<const double>, MatrixView<const double>, MatrixView<double>,
                                  StrassenTeam&, ProductBelow<double>&, Timesheet*);
template void multiply_over_ranks(RankTeam&, MatrixView<const float>, MatrixView<const float>, MatrixView<float>,
                                  StrassenTeam&, ProductBelow<float>&, Timesheet*);

}  // namespace duet
