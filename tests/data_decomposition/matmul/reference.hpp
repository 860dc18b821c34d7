#pragma once

/// What the tests of matmul compare with: the definition, and the bound that any order of summation keeps.

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "kernels/core/random.hpp"
#include "kernels/core/view.hpp"
#include "kernels/data_decomposition/matmul/rank_grid.hpp"

namespace duet {

inline const std::vector<std::int64_t> test_extents{0, 1, 2, 3, 7, 31, 64, 97};

inline std::string text_of(const ProductShape& shape) {
  return std::to_string(shape.m) + "x" + std::to_string(shape.n) + "x" + std::to_string(shape.k);
}

inline Matrix<double> random_matrix(std::int64_t rows, std::int64_t columns, std::uint32_t stream,
                                    std::uint64_t seed = 7) {
  Matrix<double> matrix{rows, columns};
  fill_random(matrix.view(), seed, stream, 0, 0);
  return matrix;
}

/// A part of a random matrix, as its owner makes it.
inline Matrix<double> random_block(const Block& block, std::uint32_t stream, std::uint64_t seed = 7) {
  Matrix<double> matrix{block.rows.size(), block.columns.size()};
  fill_random(matrix.view(), seed, stream, block.rows.begin, block.columns.begin);
  return matrix;
}

/// Whether the block `c` of C is A B there, entry by entry: two sums in any order are within 2 gamma_k |A||B|. `a` and
/// `b` are whole.
inline testing::AssertionResult is_product(ConstView a, ConstView b, ConstView c, const Block& where) {
  const auto k = static_cast<double>(a.columns);
  const double gamma = k * 0x1p-53 / (1 - k * 0x1p-53);
  for (std::int64_t i = 0; i < c.rows; ++i) {
    for (std::int64_t j = 0; j < c.columns; ++j) {
      double sum = 0;
      double magnitude = 0;
      for (std::int64_t p = 0; p < a.columns; ++p) {
        const double product = a(where.rows.begin + i, p) * b(p, where.columns.begin + j);
        sum += product;
        magnitude += std::abs(product);
      }
      if (!(std::abs(c(i, j) - sum) <= 2 * gamma * magnitude)) {
        return testing::AssertionFailure() << "C(" << where.rows.begin + i << ", " << where.columns.begin + j << ") is "
                                           << c(i, j) << " and not " << sum;
      }
    }
  }
  return testing::AssertionSuccess();
}

inline testing::AssertionResult is_product(ConstView a, ConstView b, ConstView c) {
  return is_product(a, b, c, Block{{0, c.rows}, {0, c.columns}});
}

}  // namespace duet
