#include "kernels/divide_and_conquer/strassen/winograd.hpp"

#include <algorithm>

#include "kernels/core/partition.hpp"
#include "kernels/divide_and_conquer/strassen/additions.hpp"

namespace duet {
namespace {

/// Words from one row of a temporary to the next: whole cache lines of doubles, and no multiple of a page, since rows
/// that far apart share one set of the first-level cache.
std::int64_t stride_of(std::int64_t columns) {
  constexpr std::int64_t line = 8;
  constexpr std::int64_t page = 512;
  const std::int64_t lines = (columns + line - 1) / line * line;
  return lines % page == 0 ? lines + line : lines;
}

std::int64_t words_of(std::int64_t rows, std::int64_t columns) { return rows * stride_of(columns); }

template <class Element>
MatrixView<Element> temporary(Element* at, std::int64_t rows, std::int64_t columns) {
  return {at, rows, columns, stride_of(columns)};
}

template <class View>
View rows_of(const View& view, const Range& rows) {
  return view.block(rows.begin, 0, rows.size(), view.columns);
}

template <class Element>
Quadrants<Element> rows_of(Quadrants<Element> c, const Range& rows) {
  for (MatrixView<Element>* const quadrant : {&c.q11, &c.q12, &c.q21, &c.q22}) *quadrant = rows_of(*quadrant, rows);
  return c;
}

/// z = x - y and z = x + y, in some rows.
template <class Element>
void sub(MatrixView<const Element> x, MatrixView<const Element> y, MatrixView<Element> z, const Range& rows) {
  subtract<Element>(rows_of(x, rows), rows_of(y, rows), rows_of(z, rows));
}
template <class Element>
void plus(MatrixView<const Element> x, MatrixView<const Element> y, MatrixView<Element> z, const Range& rows) {
  add<Element>(rows_of(x, rows), rows_of(y, rows), rows_of(z, rows));
}

/// Where the last level keeps S and T: T in C if it fits, else S in C if that does, else neither.
struct LastLevel {
  explicit LastLevel(const LocalShape& half)
      : t_in_c{half.b_rows <= half.m},
        s_in_c{!t_in_c && half.a_columns <= half.n},
        s_words{words_of(half.m, half.a_columns)},
        t_words{words_of(half.b_rows, half.n)} {}

  bool t_in_c;
  bool s_in_c;
  std::int64_t s_words;
  std::int64_t t_words;

  [[nodiscard]] bool shares() const { return t_in_c || s_in_c; }
  [[nodiscard]] std::int64_t words() const { return shares() ? std::max(s_words, t_words) : s_words + t_words; }
};

/// Words of X of one of the upper levels, which is first S and then P1.
std::int64_t words_of_x(const LocalShape& half) {
  return std::max(words_of(half.m, half.a_columns), words_of(half.m, half.n));
}

template <class Element>
LocalShape shape_of(const MatrixView<const Element>& a, const MatrixView<const Element>& b) {
  return {a.rows, b.columns, a.columns, b.rows};
}

}  // namespace

std::int64_t winograd_words(const LocalShape& shape, int levels) {
  if (levels == 0) return 0;
  const LocalShape half = shape.halved();
  if (levels == 1) return LastLevel{half}.words();
  return words_of_x(half) + words_of(half.b_rows, half.n) + winograd_words(half, levels - 1);
}

template <class Element>
void Winograd<Element>::multiply(In a, In b, Out c) {
  divide(a, b, c, levels_, space_);
}

// Four strips for each thread even out what others do on its core; fewer where that makes them short.
template <class Element>
std::int64_t Winograd<Element>::strips_of(std::int64_t rows, std::int64_t columns) const {
  constexpr std::int64_t least_words = 16384;
  if (team_.threads() == 1 || rows == 0) return 1;
  return std::clamp<std::int64_t>(rows * columns / least_words, 1, std::min<std::int64_t>(rows, 4 * team_.threads()));
}

template <class Element>
template <class Act>
void Winograd<Element>::in_strips(std::int64_t rows, std::int64_t columns, Act&& act) {
  const std::int64_t strips = strips_of(rows, columns);
  team_.compute(strips, [&](std::int64_t strip) { act(share_of(rows, strips, strip)); });
}

template <class Element>
template <class OfS, class OfT>
void Winograd<Element>::on_operands(const LocalShape& half, OfS&& of_s, OfT&& of_t) {
  const std::int64_t s_strips = strips_of(half.m, half.a_columns);
  const std::int64_t t_strips = strips_of(half.b_rows, half.n);
  team_.compute(s_strips + t_strips, [&](std::int64_t strip) {
    if (strip < s_strips) {
      of_s(share_of(half.m, s_strips, strip));
    } else {
      of_t(share_of(half.b_rows, t_strips, strip - s_strips));
    }
  });
}

template <class Element>
void Winograd<Element>::divide(In a, In b, Out c, int levels, Element* free) {
  if (levels == 0) return below_.multiply(a, b, c, Update::assign);
  if (levels == 1) return divide_last(a, b, c, free);
  const Quadrants<const Element> qa{a};
  const Quadrants<const Element> qb{b};
  const Quadrants<Element> qc{c};
  const LocalShape half = shape_of(a, b).halved();
  const Out s = temporary(free, half.m, half.a_columns);
  const Out p1 = temporary(free, half.m, half.n);
  const Out t = temporary(free + words_of_x(half), half.b_rows, half.n);
  Element* const rest = t.data + words_of(half.b_rows, half.n);
  const auto product = [&](In x, In y, Out z) { divide(x, y, z, levels - 1, rest); };
  const auto both = [&](auto&& of_s, auto&& of_t) { on_operands(half, of_s, of_t); };
  const auto on_c = [&](auto&& act) { in_strips(half.m, half.n, act); };
  both([&](const Range& rows) { sub<Element>(qa.q11, qa.q21, s, rows); },   // S3 = A11 - A21
       [&](const Range& rows) { sub<Element>(qb.q22, qb.q12, t, rows); });  // T3 = B22 - B12
  product(s, t, qc.q21);                                                    // C21 = P7
  both([&](const Range& rows) { plus<Element>(qa.q21, qa.q22, s, rows); },  // S1 = A21 + A22
       [&](const Range& rows) { sub<Element>(qb.q12, qb.q11, t, rows); });  // T1 = B12 - B11
  product(s, t, qc.q22);                                                    // C22 = P5
  both([&](const Range& rows) { sub<Element>(s, qa.q11, s, rows); },        // S2 = S1 - A11
       [&](const Range& rows) { sub<Element>(qb.q22, t, t, rows); });       // T2 = B22 - T1
  product(s, t, qc.q12);                                                    // C12 = P6
  both([&](const Range& rows) { sub<Element>(qa.q12, s, s, rows); },        // S4 = A12 - S2
       [&](const Range& rows) { sub<Element>(t, qb.q21, t, rows); });       // T4 = T2 - B21
  product(s, qb.q22, qc.q11);                                               // C11 = P3
  product(qa.q11, qb.q11, p1);                                              // X = P1
  on_c([&](const Range& rows) { recombine_with<Element>(rows_of(p1, rows), rows_of(qc, rows)); });
  product(qa.q22, t, qc.q11);                                                    // C11 = P4
  on_c([&](const Range& rows) { sub<Element>(qc.q21, qc.q11, qc.q21, rows); });  // C21 = U3 - P4
  product(qa.q12, qb.q21, qc.q11);                                               // C11 = P2
  on_c([&](const Range& rows) { plus<Element>(p1, qc.q11, qc.q11, rows); });     // C11 = P1 + P2
}

template <class Element>
void Winograd<Element>::divide_last(In a, In b, Out c, Element* free) {
  const Quadrants<const Element> qa{a};
  const Quadrants<const Element> qb{b};
  const Quadrants<Element> qc{c};
  const LocalShape half = shape_of(a, b).halved();
  const LastLevel place{half};
  const Out s_in_x = temporary(free, half.m, half.a_columns);
  const Out t_in_x = temporary(place.shares() ? free : free + place.s_words, half.b_rows, half.n);
  // A quadrant of C that is free holds S, or T, or nothing.
  const auto s_of = [&](const Out& quadrant) {
    return place.s_in_c ? quadrant.block(0, 0, half.m, half.a_columns) : s_in_x;
  };
  const auto t_of = [&](const Out& quadrant) {
    return place.t_in_c ? quadrant.block(0, 0, half.b_rows, half.n) : t_in_x;
  };
  const auto both = [&](auto&& of_s, auto&& of_t) { on_operands(half, of_s, of_t); };
  const Out s3 = s_of(qc.q12);
  const Out t3 = t_of(qc.q12);
  both([&](const Range& rows) { sub<Element>(qa.q11, qa.q21, s3, rows); },   // S3 = A11 - A21
       [&](const Range& rows) { sub<Element>(qb.q22, qb.q12, t3, rows); });  // T3 = B22 - B12
  below_.multiply(s3, t3, qc.q21, Update::assign);                           // C21 = P7
  const Out s = s_of(qc.q11);
  const Out t = t_of(qc.q11);
  both([&](const Range& rows) { plus<Element>(qa.q21, qa.q22, s, rows); },  // S1 = A21 + A22
       [&](const Range& rows) { sub<Element>(qb.q12, qb.q11, t, rows); });  // T1 = B12 - B11
  below_.multiply(s, t, qc.q22, Update::assign);                            // C22 = P5
  both([&](const Range& rows) { sub<Element>(s, qa.q11, s, rows); },        // S2 = S1 - A11
       [&](const Range& rows) { sub<Element>(qb.q22, t, t, rows); });       // T2 = B22 - T1
  below_.multiply(s, t, qc.q12, Update::assign);                            // C12 = P6
  below_.multiply(qa.q11, qb.q11, qc.q11, Update::assign);                  // C11 = P1; what else was there is lost
  in_strips(half.m, half.n, [&](const Range& rows) { recombine<Element>(rows_of(qc, rows)); });
  below_.multiply(qa.q12, qb.q21, qc.q11, Update::add);  // C11 = P1 + P2
  in_strips(half.m, half.a_columns, [&](const Range& rows) {
    if (!place.s_in_c) return sub<Element>(qa.q12, s_in_x, s_in_x, rows);  // S4 = A12 - S2
    add_two_subtract_two<Element>(rows_of(qa.q12, rows), rows_of(qa.q11, rows), rows_of(qa.q21, rows),
                                  rows_of(qa.q22, rows), rows_of(s_in_x, rows));
  });
  below_.multiply(s_in_x, qb.q22, qc.q12, Update::add);  // C12 = U2 + P5 + P3
  in_strips(half.b_rows, half.n, [&](const Range& rows) {
    if (!place.shares()) return sub<Element>(qb.q21, t_in_x, t_in_x, rows);  // -T4 = B21 - T2
    add_two_subtract_two<Element>(rows_of(qb.q21, rows), rows_of(qb.q12, rows), rows_of(qb.q22, rows),
                                  rows_of(qb.q11, rows), rows_of(t_in_x, rows));
  });
  below_.multiply(qa.q22, t_in_x, qc.q21, Update::add);  // C21 = U3 - P4
}

template class Winograd<double>;
template class Winograd<float>;

}  // namespace duet
