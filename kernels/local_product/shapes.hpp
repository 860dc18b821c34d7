#pragma once

/// The check that every local kernel makes first.

#include <array>
#include <cstdint>

#include "kernels/core/view.hpp"

namespace duet {

/// Throws std::invalid_argument with the shapes of C = A B, which do not fit: rows and columns of A, of B and of C.
[[noreturn, gnu::cold]] void refuse_shapes(const std::array<std::int64_t, 6>& extents);

/// Throws std::invalid_argument, with the shapes, unless C = A B is possible.
template <class Element>
void check_shapes(const MatrixView<const Element>& a, const MatrixView<const Element>& b,
                  const MatrixView<Element>& c) {
  if (a.rows != c.rows || b.columns != c.columns || a.columns != b.rows) {
    refuse_shapes({a.rows, a.columns, b.rows, b.columns, c.rows, c.columns});
  }
}

}  // namespace duet
