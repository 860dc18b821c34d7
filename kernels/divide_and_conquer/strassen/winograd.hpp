#pragma once

/// The recursion of Strassen-Winograd, in the memory of one process.
///
///     S1 = A21 + A22    T1 = B12 - B11    P1 = A11 B11    P5 = S1 T1        C11 = P1 + P2
///     S2 = S1 - A11     T2 = B22 - T1     P2 = A12 B21    P6 = S2 T2        C12 = P1 + P6 + P5 + P3
///     S3 = A11 - A21    T3 = B22 - B12    P3 = S4 B22     P7 = S3 T3        C21 = P1 + P6 + P7 - P4
///     S4 = A12 - S2     T4 = T2 - B21     P4 = A22 T4                       C22 = P1 + P6 + P7 + P5
///
/// Seven products of half the extents and 15 additions in place of eight products and four additions (S. Winograd,
/// 1971; D. H. Bailey, K. Lee, H. D. Simon, "Using Strassen's algorithm to accelerate the solution of linear systems",
/// 1990). The products are computed one after another, straight into quadrants of C wherever one is free, so that a
/// level needs two temporaries X and Y (C. C. Douglas et al., "GEMMW", 1994; B. Boyer, J.-G. Dumas, C. Pernet, W. Zhou,
/// "Memory efficient scheduling of Strassen-Winograd's matrix multiplication algorithm", 2009, table 1), and the
/// additions that touch the same quadrants are one pass over memory:
///
///            X          Y          C11        C12             C21        C22
///      1     S3         T3                                    P7
///      2     S1         T1                                               P5
///      3     S2         T2                    P6
///      4     S4                    P3
///      5     P1
///      6                                      U2 + P5 + P3    U3         U3 + P5      U2 = P1 + P6, U3 = U2 + P7
///      7                T4         P4                         U3 - P4
///      8                           P1 + P2
///
/// The last level can do with less, since the products below it can add to C: three of the additions cost nothing, and
/// while C11 or C12 is free it is the place of S or T. It needs one temporary, which is T here or S where that fits:
///
///            X          C11        C12        C21        C22
///      1     S3                    T3         P7
///      2     S1         T1                               P5
///      3     S2         T2         P6
///      4                P1
///      5                           U2 + P5    U3         U3 + P5
///      6                + A12 B21
///      7     S4                    + S4 B22
///      8     -T4                              + A22 (-T4)      -T4 = B21 + B12 - B22 - B11
///
/// With square matrices that is n^2 / 4 words for one level, 0.5625 n^2 for two, 0.641 n^2 for three; rows of a
/// temporary begin at cache lines and not at multiples of a page, which adds up to 8 words a row.
///
/// Where several processes compute one product, and each has the same part of every quadrant, the additions are local,
/// and only the products below speak to others. So A may be m x k1 here and B k2 x n, each with its own share of the
/// inner extent.

#include <cstdint>

#include "kernels/core/view.hpp"
#include "kernels/divide_and_conquer/strassen/team.hpp"
#include "kernels/local_product/local_product.hpp"

namespace duet {

/// What multiplies below the last level: C = A B or C += A B.
template <class Element>
class ProductBelow {
 public:
  virtual ~ProductBelow() = default;
  virtual void multiply(MatrixView<const Element> a, MatrixView<const Element> b, MatrixView<Element> c,
                        Update update) = 0;
};

/// The parts of A, B and C that one process has: A is m x a_columns, B is b_rows x n, C is m x n.
struct LocalShape {
  std::int64_t m = 0;
  std::int64_t n = 0;
  std::int64_t a_columns = 0;
  std::int64_t b_rows = 0;

  [[nodiscard]] LocalShape halved() const { return {m / 2, n / 2, a_columns / 2, b_rows / 2}; }
};

/// The words that Winograd takes for so many levels over such parts.
[[nodiscard]] std::int64_t winograd_words(const LocalShape& shape, int levels);

template <class Element>
class Winograd {
 public:
  /// With winograd_words(shape, levels) words of workspace at `space`. What is referred to must outlive this.
  Winograd(int levels, StrassenTeam& team, ProductBelow<Element>& below, Element* space)
      : levels_{levels}, team_{team}, below_{below}, space_{space} {}

  /// C = A B. The extents of the parts must be multiples of 2^levels, and C may not overlap A or B.
  void multiply(MatrixView<const Element> a, MatrixView<const Element> b, MatrixView<Element> c);

 private:
  using In = MatrixView<const Element>;
  using Out = MatrixView<Element>;

  void divide(In a, In b, Out c, int levels, Element* free);
  void divide_last(In a, In b, Out c, Element* free);
  [[nodiscard]] std::int64_t strips_of(std::int64_t rows, std::int64_t columns) const;
  /// act(rows) for strips of rows that together are all of them, so that all of the team take part.
  template <class Act>
  void in_strips(std::int64_t rows, std::int64_t columns, Act&& act);
  /// The same for the rows of S and of T at once.
  template <class OfS, class OfT>
  void on_operands(const LocalShape& half, OfS&& of_s, OfT&& of_t);

  int levels_;
  StrassenTeam& team_;
  ProductBelow<Element>& below_;
  Element* space_;
};

}  // namespace duet
