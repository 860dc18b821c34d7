#pragma once

/// The check that every local kernel makes first.

#include "kernels/core/view.hpp"

namespace duet {

/// Throws std::invalid_argument with the shapes of C = A B, which do not fit.
[[noreturn, gnu::cold]] void refuse_shapes(const ConstView& a, const ConstView& b, const View& c);

/// Throws std::invalid_argument, with the shapes, unless C = A B is possible.
inline void check_shapes(const ConstView& a, const ConstView& b, const View& c) {
  if (a.rows != c.rows || b.columns != c.columns || a.columns != b.rows) refuse_shapes(a, b, c);
}

}  // namespace duet
