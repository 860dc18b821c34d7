#include "kernels/divide_and_conquer/strassen/breadth_product.hpp"

#include <algorithm>

namespace duet {
namespace {

constexpr int operands_tag = 0;
constexpr int answer_tag = 1;

/// The signs with which quadrants 11, 12, 21 and 22 enter.
using Signs = std::array<int, 4>;

/// P1 to P7: S of A, T of B, and where P goes in C.
struct Term {
  Signs s;
  Signs t;
  Signs c;
};
constexpr std::array<Term, 7> terms{{{{1, 0, 0, 0}, {1, 0, 0, 0}, {1, 1, 1, 1}},
                                     {{0, 1, 0, 0}, {0, 0, 1, 0}, {1, 0, 0, 0}},
                                     {{1, 1, -1, -1}, {0, 0, 0, 1}, {0, 1, 0, 0}},
                                     {{0, 0, 0, 1}, {1, -1, -1, 1}, {0, 0, -1, 0}},
                                     {{0, 0, 1, 1}, {-1, 1, 0, 0}, {0, 1, 0, 1}},
                                     {{-1, 0, 1, 1}, {1, -1, 0, 1}, {0, 1, 1, 1}},
                                     {{1, 0, -1, 0}, {0, -1, 0, 1}, {0, 0, 1, 1}}}};

Range intersection(const Range& one, const Range& other) {
  const std::int64_t begin = std::max(one.begin, other.begin);
  return {begin, std::max(begin, std::min(one.end, other.end))};
}

/// A part of every leaf block: `rows` x `columns` of what its owner has of it.
struct Piece {
  std::int64_t blocks = 0;
  Range rows;
  Range columns;
  std::int64_t owned_rows = 0;
  std::int64_t owned_columns = 0;

  [[nodiscard]] std::int64_t words() const { return blocks * blocks * rows.size() * columns.size(); }
  /// act(row, column) for the first element of each run of columns.size() elements, in the order of messages.
  template <class Act>
  void each_run(Act&& act) const {
    for (std::int64_t i = 0; i < blocks; ++i) {
      for (std::int64_t row = rows.begin; row < rows.end; ++row) {
        for (std::int64_t j = 0; j < blocks; ++j) act(i * owned_rows + row, j * owned_columns + columns.begin);
      }
    }
  }
};

/// `common` of what an owner of `mine` has, counted from the beginning of what it has.
Piece piece_of(std::int64_t blocks, const Range& rows, const Range& columns, const Range& my_rows,
               const Range& my_columns) {
  return {blocks,
          {rows.begin - my_rows.begin, rows.end - my_rows.begin},
          {columns.begin - my_columns.begin, columns.end - my_columns.begin},
          my_rows.size(),
          my_columns.size()};
}

/// words = sum of the quadrants with their signs, in the order 11, 12, 21, 22.
template <class Element>
void pack(const Quadrants<const Element>& of, const Signs& signs, const Piece& piece, Element* words) {
  const std::array<const MatrixView<const Element>*, 4> quadrants{&of.q11, &of.q12, &of.q21, &of.q22};
  const std::int64_t width = piece.columns.size();
  piece.each_run([&](std::int64_t row, std::int64_t column) {
    bool is_first = true;
    for (std::size_t q = 0; q < 4; ++q) {
      if (signs[q] == 0) continue;
      const Element* const from = quadrants[q]->data + row * quadrants[q]->stride + column;
      const auto sign = static_cast<Element>(signs[q]);
      if (is_first) {
        for (std::int64_t i = 0; i < width; ++i) words[i] = sign * from[i];
      } else {
        for (std::int64_t i = 0; i < width; ++i) words[i] += sign * from[i];
      }
      is_first = false;
    }
    words += width;
  });
}

template <class Element>
void unpack(const Element* words, const Piece& piece, const MatrixView<Element>& to) {
  const std::int64_t width = piece.columns.size();
  piece.each_run([&](std::int64_t row, std::int64_t column) {
    std::copy_n(words, width, to.data + row * to.stride + column);
    words += width;
  });
}

template <class Element>
void pack_whole(const MatrixView<const Element>& from, const Piece& piece, Element* words) {
  const std::int64_t width = piece.columns.size();
  piece.each_run([&](std::int64_t row, std::int64_t column) {
    words = std::copy_n(from.data + row * from.stride + column, width, words);
  });
}

/// Adds words to the quadrants with their signs.
template <class Element>
void unpack_to(const Element* words, const Signs& signs, const Piece& piece, const Quadrants<Element>& to) {
  const std::array<const MatrixView<Element>*, 4> quadrants{&to.q11, &to.q12, &to.q21, &to.q22};
  const std::int64_t width = piece.columns.size();
  piece.each_run([&](std::int64_t row, std::int64_t column) {
    for (std::size_t q = 0; q < 4; ++q) {
      if (signs[q] == 0) continue;
      Element* const sum = quadrants[q]->data + row * quadrants[q]->stride + column;
      const auto sign = static_cast<Element>(signs[q]);
      for (std::int64_t i = 0; i < width; ++i) sum[i] += sign * words[i];
    }
    words += width;
  });
}

}  // namespace

BreadthPlan::BreadthPlan(const RankPlan& plan, std::int64_t ranks, std::int64_t rank, int levels)
    : leaf_{plan.leaf()}, ranks_{ranks}, rank_{rank}, blocks_{std::int64_t{1} << levels} {}

BreadthPlan::Shares BreadthPlan::shares(std::int64_t ranks, std::int64_t rank) const {
  const Grid grid = grid_for(leaf_.m, leaf_.n, ranks);
  const std::int64_t row = grid.row_of(rank);
  const std::int64_t column = grid.column_of(rank);
  return {share_of(leaf_.m, grid.rows, row), share_of(leaf_.n, grid.columns, column),
          share_of(leaf_.k, grid.columns, column), share_of(leaf_.k, grid.rows, row)};
}

BreadthPlan::Shares BreadthPlan::in_group(std::int64_t rank) const {
  const Range members = group(owner_of(ranks_, groups(), rank));
  return shares(members.size(), rank - members.begin);
}

BreadthPlan::Shares BreadthPlan::common(const Shares& one, const Shares& other) {
  return {intersection(one.m, other.m), intersection(one.n, other.n), intersection(one.a_columns, other.a_columns),
          intersection(one.b_rows, other.b_rows)};
}

// S and T to each rank of every group, and the group's own S and T; P, and what comes back of each group's P.
std::int64_t BreadthPlan::words() const {
  const Shares all = among_all(rank_);
  const Shares mine = in_group(rank_);
  const std::int64_t of_all = groups() * std::max(all.s_words() + all.t_words(), all.p_words());
  const std::int64_t coming = std::max(mine.s_words() + mine.t_words(), mine.p_words());
  return blocks_ * blocks_ * (of_all + coming + mine.s_words() + mine.t_words() + mine.p_words());
}

RankPlan::Moved BreadthPlan::moved() const {
  RankPlan::Moved moved;
  const auto words_of = [&](const Shares& part, bool operands) {
    return blocks_ * blocks_ * (operands ? part.s_words() + part.t_words() : part.p_words());
  };
  for (std::int64_t round = 0; round < rounds(); ++round) {
    for (std::int64_t other = 0; other < ranks_; ++other) {
      if (other == rank_) continue;
      const Shares to_other = common(among_all(rank_), in_group(other));
      const Shares to_me = common(among_all(other), in_group(rank_));
      if (product_of(owner_of(ranks_, groups(), other), round) >= 0) {
        if (const std::int64_t words = words_of(to_other, true); words > 0) moved += {0, 0, 1, words};
        if (const std::int64_t words = words_of(to_other, false); words > 0) moved += {1, words, 0, 0};
      }
      if (product_of(my_group(), round) >= 0) {
        if (const std::int64_t words = words_of(to_me, true); words > 0) moved += {1, words, 0, 0};
        if (const std::int64_t words = words_of(to_me, false); words > 0) moved += {0, 0, 1, words};
      }
    }
  }
  return moved;
}

template <class Element>
void BreadthProduct<Element>::multiply(MatrixView<const Element> a, MatrixView<const Element> b, MatrixView<Element> c,
                                       Update update) {
  using Shares = BreadthPlan::Shares;
  const Quadrants<const Element> qa{a};
  const Quadrants<const Element> qb{b};
  const Quadrants<Element> qc{c};
  const std::int64_t blocks = plan_.blocks();
  const std::int64_t me = plan_.rank();
  const Shares all = plan_.among_all(me);
  const Shares mine = plan_.in_group(me);
  const std::int64_t area = blocks * blocks;
  const MatrixView<Element> s{space_, blocks * mine.m.size(), blocks * mine.a_columns.size(),
                              blocks * mine.a_columns.size()};
  const MatrixView<Element> t{s.data + area * mine.s_words(), blocks * mine.b_rows.size(), blocks * mine.n.size(),
                              blocks * mine.n.size()};
  const MatrixView<Element> p{t.data + area * mine.t_words(), blocks * mine.m.size(), blocks * mine.n.size(),
                              blocks * mine.n.size()};
  Element* const of_mine = p.data + area * mine.p_words();
  Element* const of_all = of_mine + area * std::max(mine.s_words() + mine.t_words(), mine.p_words());

  const auto s_piece = [&](const Shares& part, const Shares& owner) {
    return piece_of(blocks, part.m, part.a_columns, owner.m, owner.a_columns);
  };
  const auto t_piece = [&](const Shares& part, const Shares& owner) {
    return piece_of(blocks, part.b_rows, part.n, owner.b_rows, owner.n);
  };
  const auto p_piece = [&](const Shares& part, const Shares& owner) {
    return piece_of(blocks, part.m, part.n, owner.m, owner.n);
  };
  // act(other, part, words): what I share with each member of a group that works in this round, in the order of
  // messages, and where it lies in `of_all`.
  const auto with_groups = [&](std::int64_t round, bool operands, auto&& act) {
    Element* words = of_all;
    for (std::int64_t group = 0; group < plan_.groups(); ++group) {
      const std::int64_t product = plan_.product_of(group, round);
      if (product < 0) continue;
      const Range members = plan_.group(group);
      for (std::int64_t other = members.begin; other < members.end; ++other) {
        const Shares part = BreadthPlan::common(all, plan_.in_group(other));
        const std::int64_t count = area * (operands ? part.s_words() + part.t_words() : part.p_words());
        if (count == 0) continue;
        act(other, terms[static_cast<std::size_t>(product)], part, words, count);
        words += count;
      }
    }
  };
  // act(other, part, words): what I have of my group's product and `other` among all.
  const auto with_all = [&](bool operands, auto&& act) {
    Element* words = of_mine;
    for (std::int64_t other = 0; other < plan_.ranks(); ++other) {
      const Shares part = BreadthPlan::common(plan_.among_all(other), mine);
      const std::int64_t count = area * (operands ? part.s_words() + part.t_words() : part.p_words());
      if (count == 0) continue;
      act(other, part, words, count);
      words += count;
    }
  };

  if (update == Update::assign) {
    const Booking booking{timesheet_, 0, Activity::useful};
    for (std::int64_t i = 0; i < c.rows; ++i) std::fill_n(c.data + i * c.stride, c.columns, Element{0});
  }
  for (std::int64_t round = 0; round < plan_.rounds(); ++round) {
    const bool works = plan_.product_of(plan_.my_group(), round) >= 0;
    {
      const Booking booking{timesheet_, 0, Activity::communicating};
      Element* own = nullptr;
      if (works) {
        with_all(true, [&](std::int64_t other, const Shares&, Element* words, std::int64_t count) {
          if (other != me) start(words, count, other, operands_tag, false);
        });
      }
      with_groups(round, true,
                  [&](std::int64_t other, const Term& term, const Shares& part, Element* words, std::int64_t count) {
                    pack(qa, term.s, s_piece(part, all), words);
                    pack(qb, term.t, t_piece(part, all), words + area * part.s_words());
                    if (other == me) own = words;
                    if (other != me) start(words, count, other, operands_tag, true);
                  });
      wait();
      if (works) {
        with_all(true, [&](std::int64_t other, const Shares& part, Element* words, std::int64_t) {
          const Element* const from = other == me ? own : words;
          unpack(from, s_piece(part, mine), s);
          unpack(from + area * part.s_words(), t_piece(part, mine), t);
        });
      }
    }
    if (works) below_.multiply(s, t, p, Update::assign);
    {
      const Booking booking{timesheet_, 0, Activity::communicating};
      with_groups(round, false,
                  [&](std::int64_t other, const Term&, const Shares&, Element* words, std::int64_t count) {
                    if (other != me) start(words, count, other, answer_tag, false);
                  });
      const Element* own = nullptr;
      if (works) {
        with_all(false, [&](std::int64_t other, const Shares& part, Element* words, std::int64_t count) {
          pack_whole<Element>(p, p_piece(part, mine), words);
          if (other == me) own = words;
          if (other != me) start(words, count, other, answer_tag, true);
        });
      }
      wait();
      with_groups(round, false,
                  [&](std::int64_t other, const Term& term, const Shares& part, const Element* words, std::int64_t) {
                    unpack_to(other == me ? own : words, term.c, p_piece(part, all), qc);
                  });
    }
  }
}

template <class Element>
void BreadthProduct<Element>::start(Element* words, std::int64_t count, std::int64_t other, int tag, bool sending) {
  pieces_of(
      count,
      [&](std::int64_t offset, int piece) {
        MPI_Request& request = requests_.emplace_back(MPI_REQUEST_NULL);
        const int rank = static_cast<int>(other);
        check(sending ? MPI_Isend(words + offset, piece, mpi_type<Element>(), rank, tag, all_, &request)
                      : MPI_Irecv(words + offset, piece, mpi_type<Element>(), rank, tag, all_, &request));
      },
      limit_);
}

template <class Element>
void BreadthProduct<Element>::wait() {
  check(MPI_Waitall(mpi_count(std::ssize(requests_)), requests_.data(), MPI_STATUSES_IGNORE));
  requests_.clear();
}

template class BreadthProduct<double>;
template class BreadthProduct<float>;

}  // namespace duet
