#pragma once

/// What the tests of strassen compare with: the definition, and the bound that its header gives.

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>

#include "kernels/core/random.hpp"
#include "kernels/core/view.hpp"
#include "kernels/divide_and_conquer/strassen/plan.hpp"

namespace duet {

inline std::string text_of(const StrassenShape& shape) {
  return std::to_string(shape.m) + "x" + std::to_string(shape.n) + "x" + std::to_string(shape.k);
}

template <class Element>
Matrix<Element> random_matrix(std::int64_t rows, std::int64_t columns, std::uint32_t stream, std::uint64_t seed = 7) {
  Matrix<Element> matrix{rows, columns};
  fill_random(matrix.view(), seed, stream, 0, 0);
  return matrix;
}

/// Whether entry (i, j) of A B may be `found`, for entries of A and B below one.
template <class Element>
testing::AssertionResult is_entry(MatrixView<const Element> a, MatrixView<const Element> b, std::int64_t i,
                                  std::int64_t j, Element found, double error) {
  constexpr double u = std::numeric_limits<Element>::epsilon() / 2;
  double sum = 0;
  double magnitude = 0;
  for (std::int64_t p = 0; p < a.columns; ++p) {
    const double product = static_cast<double>(a(i, p)) * static_cast<double>(b(p, j));
    sum += product;
    magnitude += std::abs(product);
  }
  const double bound = 2 * (static_cast<double>(a.columns) * magnitude + error) * u;
  if (std::abs(static_cast<double>(found) - sum) <= bound) return testing::AssertionSuccess();
  return testing::AssertionFailure() << "C(" << i << ", " << j << ") is " << found << " and not " << sum << " +- "
                                     << bound;
}

template <class Element>
testing::AssertionResult is_product(MatrixView<const Element> a, MatrixView<const Element> b,
                                    MatrixView<const Element> c, double error) {
  for (std::int64_t i = 0; i < c.rows; ++i) {
    for (std::int64_t j = 0; j < c.columns; ++j) {
      const testing::AssertionResult right = is_entry(a, b, i, j, c(i, j), error);
      if (!right) return right;
    }
  }
  return testing::AssertionSuccess();
}

}  // namespace duet
