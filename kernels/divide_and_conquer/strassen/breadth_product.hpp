#pragma once

/// One level of Strassen-Winograd whose seven products are computed at the same time, each by a group of ranks.

#include <mpi.h>

#include <array>
#include <cstdint>
#include <vector>

#include "kernels/core/mpi.hpp"
#include "kernels/core/timesheet.hpp"
#include "kernels/divide_and_conquer/strassen/additions.hpp"
#include "kernels/divide_and_conquer/strassen/plan.hpp"
#include "kernels/divide_and_conquer/strassen/winograd.hpp"

namespace duet {

/// Who computes what: p ranks in min(p, 7) groups of consecutive ranks, sizes as even as can be; so are the numbers of
/// products that a group takes, one in each round. Every rank adds its parts of S and T and sends them to those ranks
/// of the group that have them in the group's own layout; P comes back the same way and is added to C. Between any two
/// ranks, a round has a message with S and T of the product of the receiver's group, and one with P back, where there
/// is anything to send.
///
/// All are given the products' leaf blocks: `local_blocks` a side, of which a rank has the same part of each.
class BreadthPlan {
 public:
  /// For rank `rank` of `ranks`, whose products have 2^levels leaf blocks a side.
  BreadthPlan(const RankPlan& plan, std::int64_t ranks, std::int64_t rank, int levels);

  [[nodiscard]] std::int64_t ranks() const { return ranks_; }
  [[nodiscard]] std::int64_t rank() const { return rank_; }
  [[nodiscard]] std::int64_t groups() const { return ranks_ < 7 ? ranks_ : 7; }
  [[nodiscard]] Range group(std::int64_t group) const { return share_of(ranks_, groups(), group); }
  [[nodiscard]] std::int64_t my_group() const { return owner_of(ranks_, groups(), rank_); }
  [[nodiscard]] Range products(std::int64_t group) const { return share_of(7, groups(), group); }
  [[nodiscard]] std::int64_t rounds() const { return (7 + groups() - 1) / groups(); }
  /// The product that a group computes in a round, or -1.
  [[nodiscard]] std::int64_t product_of(std::int64_t group, std::int64_t round) const {
    const Range mine = products(group);
    return round < mine.size() ? mine.begin + round : -1;
  }
  [[nodiscard]] std::int64_t blocks() const { return blocks_; }

  /// The part of a leaf block that a rank has, among all ranks or in its group.
  struct Shares {
    Range m;
    Range n;
    Range a_columns;
    Range b_rows;
    [[nodiscard]] std::int64_t s_words() const { return m.size() * a_columns.size(); }
    [[nodiscard]] std::int64_t t_words() const { return b_rows.size() * n.size(); }
    [[nodiscard]] std::int64_t p_words() const { return m.size() * n.size(); }
  };
  [[nodiscard]] Shares among_all(std::int64_t rank) const { return shares(ranks_, rank); }
  [[nodiscard]] Shares in_group(std::int64_t rank) const;
  /// What `one` and `other` both have.
  [[nodiscard]] static Shares common(const Shares& one, const Shares& other);

  /// Words of buffers, the parts of S, T and P in the group's layout among them.
  [[nodiscard]] std::int64_t words() const;
  /// What this level alone moves.
  [[nodiscard]] RankPlan::Moved moved() const;

 private:
  [[nodiscard]] Shares shares(std::int64_t ranks, std::int64_t rank) const;

  StrassenShape leaf_;
  std::int64_t ranks_;
  std::int64_t rank_;
  std::int64_t blocks_;
};

template <class Element>
class BreadthProduct : public ProductBelow<Element> {
 public:
  /// `all` are the ranks of the plan, not owned; `below` multiplies in my group. With plan.words() words at `space`.
  BreadthProduct(const BreadthPlan& plan, MPI_Comm all, ProductBelow<Element>& below, Timesheet* timesheet,
                 Element* space, std::int64_t limit = largest_mpi_count)
      : plan_{plan}, all_{all}, below_{below}, timesheet_{timesheet}, space_{space}, limit_{limit} {}

  void multiply(MatrixView<const Element> a, MatrixView<const Element> b, MatrixView<Element> c,
                Update update) override;

 private:
  void start(Element* words, std::int64_t count, std::int64_t other, int tag, bool sending);
  void wait();

  BreadthPlan plan_;
  MPI_Comm all_;
  ProductBelow<Element>& below_;
  Timesheet* timesheet_;
  Element* space_;
  std::int64_t limit_;
  std::vector<MPI_Request> requests_;
};

}  // namespace duet
