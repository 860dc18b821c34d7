#pragma once

/// What the tests of stencil compare with: the definition, point by point.

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "kernels/core/random.hpp"
#include "kernels/core/view.hpp"
#include "kernels/data_decomposition/stencil/rank_block.hpp"
#include "kernels/data_decomposition/stencil/relaxation.hpp"
#include "kernels/data_decomposition/stencil/stencil.hpp"

namespace duet {

inline const std::vector<std::int64_t> test_extents{0, 1, 2, 3, 7, 31, 64, 97};

inline std::string text_of(const GridShape& shape) {
  return std::to_string(shape.rows) + "x" + std::to_string(shape.columns);
}

inline double random_point(std::int64_t row, std::int64_t column) { return random_entry(5, 0, row, column); }

inline Matrix<double> grid_of(const GridShape& shape, const InitialGrid& initial) {
  Matrix<double> grid(shape.rows, shape.columns);
  for (std::int64_t i = 0; i < shape.rows; ++i) {
    for (std::int64_t j = 0; j < shape.columns; ++j) grid.view()(i, j) = initial(i, j);
  }
  return grid;
}

/// `sweeps` by the definition in star.hpp, one point after the other.
inline Matrix<double> swept(const GridShape& shape, const Sweeps& sweeps, const InitialGrid& initial) {
  Matrix<double> before = grid_of(shape, initial);
  Matrix<double> after = grid_of(shape, initial);
  const std::int64_t r = sweeps.star.radius;
  for (std::int64_t sweep = 0; sweep < sweeps.count; ++sweep) {
    const View u = before.view();
    for (std::int64_t i = r; i < shape.rows - r; ++i) {
      for (std::int64_t j = r; j < shape.columns - r; ++j) {
        double sum = 0;
        for (std::int64_t d = 1; d <= r; ++d) {
          const double vertical = u(i - d, j) + u(i + d, j);
          const double horizontal = u(i, j - d) + u(i, j + d);
          const double share = sweeps.star.weight(d) * (vertical + horizontal);
          sum = d == 1 ? share : sum + share;
        }
        after.view()(i, j) = sum;
      }
    }
    std::swap(before, after);
  }
  return before;
}

/// Whether `found`, the points `where` of the whole, are bitwise those of `right`; NaN are equal whatever their bits.
inline testing::AssertionResult is_part_of(ConstView found, const Region& where, ConstView right) {
  if (found.rows != where.rows.size() || found.columns != where.columns.size()) {
    return testing::AssertionFailure() << "a part of another shape";
  }
  for (std::int64_t i = 0; i < found.rows; ++i) {
    for (std::int64_t j = 0; j < found.columns; ++j) {
      const double value = found(i, j);
      const double expected = right(where.rows.begin + i, where.columns.begin + j);
      if (std::isnan(value) && std::isnan(expected)) continue;
      if (std::bit_cast<std::uint64_t>(value) != std::bit_cast<std::uint64_t>(expected)) {
        return testing::AssertionFailure() << "point (" << where.rows.begin + i << ", " << where.columns.begin + j
                                           << ") is " << value << " where " << expected << " is right";
      }
    }
  }
  return testing::AssertionSuccess();
}

inline Execution with(Model model, int threads, MPI_Comm ranks, const std::map<std::string, std::string>& tunables) {
  return {
      .threads = threads, .communicator = ranks, .tunables = Settings{"stencil", stencil_tunables(model), tunables}};
}

}  // namespace duet
