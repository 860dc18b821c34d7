#pragma once

/// The check that every local kernel makes first.

#include <stdexcept>
#include <string>

#include "kernels/core/view.hpp"

namespace duet {

/// Throws std::invalid_argument, with the shapes, unless C = A B is possible.
inline void check_shapes(const ConstView& a, const ConstView& b, const View& c) {
  if (a.rows == c.rows && b.columns == c.columns && a.columns == b.rows) [[likely]] {
    return;
  }
  const auto shape = [](std::int64_t rows, std::int64_t columns) {
    return std::to_string(rows) + " x " + std::to_string(columns);
  };
  throw std::invalid_argument("C = A B with A " + shape(a.rows, a.columns) + ", B " + shape(b.rows, b.columns) +
                              " and C " + shape(c.rows, c.columns) + ": the shapes do not fit");
}

}  // namespace duet
