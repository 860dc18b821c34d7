#pragma once

/// The additions of one level of Strassen-Winograd, in vectors: each pass reads and writes every entry once, so memory
/// is the limit, and what can be done in one pass over the same quadrants is.
///
/// All views have the same shape. An output may be an input, never overlap one otherwise. Sums are taken from left to
/// right, entry by entry, without fused operations: every instruction set gives the same bits.

#include "kernels/core/view.hpp"

namespace duet {

/// out = x + y
template <class Element>
void add(MatrixView<const Element> x, MatrixView<const Element> y, MatrixView<Element> out);
/// out = x - y
template <class Element>
void subtract(MatrixView<const Element> x, MatrixView<const Element> y, MatrixView<Element> out);
/// out = w + x - y - z
template <class Element>
void add_two_subtract_two(MatrixView<const Element> w, MatrixView<const Element> x, MatrixView<const Element> y,
                          MatrixView<const Element> z, MatrixView<Element> out);

/// The quadrants of a matrix. Needs even extents.
template <class Element>
struct Quadrants {
  explicit Quadrants(MatrixView<Element> whole)
      : q11{whole.block(0, 0, whole.rows / 2, whole.columns / 2)},
        q12{whole.block(0, whole.columns / 2, whole.rows / 2, whole.columns / 2)},
        q21{whole.block(whole.rows / 2, 0, whole.rows / 2, whole.columns / 2)},
        q22{whole.block(whole.rows / 2, whole.columns / 2, whole.rows / 2, whole.columns / 2)} {}

  MatrixView<Element> q11;
  MatrixView<Element> q12;
  MatrixView<Element> q21;
  MatrixView<Element> q22;
};

/// Where P1, P6, P7 and P5 lie in the quadrants of C, in this order:
///     U2 = P1 + P6        C12 = U2 + P5
///     U3 = U2 + P7        C21 = U3        C22 = U3 + P5
/// C11 stays P1. Seven streams of memory in place of twelve.
template <class Element>
void recombine(const Quadrants<Element>& c);
/// The same with P1 in `p1` and P3 in C11: C12 = U2 + P5 + P3 besides. C11 may be written afterwards.
template <class Element>
void recombine_with(MatrixView<const Element> p1, const Quadrants<Element>& c);

}  // namespace duet
