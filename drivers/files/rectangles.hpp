#pragma once

/// A matrix in a file is lines of elements: rows in C order, columns in Fortran order. A block of it is a rectangle of
/// lines x positions, which goes to and from the file in pieces that fit a buffer.

#include <algorithm>
#include <cstdint>
#include <vector>

#include "kernels/core/partition.hpp"

namespace duet {

struct Rectangle {
  Range lines;
  Range positions;

  [[nodiscard]] std::int64_t size() const { return lines.size() * positions.size(); }
};

/// `whole` in consecutive pieces of at most `most` elements, none empty: several whole lines, or parts of one line
/// where it has more than `most` elements.
[[nodiscard]] inline std::vector<Rectangle> rectangles_of(const Rectangle& whole, std::int64_t most) {
  std::vector<Rectangle> pieces;
  if (whole.size() == 0) return pieces;
  const std::int64_t lines_each = std::max<std::int64_t>(1, most / whole.positions.size());
  const std::int64_t positions_each = std::min(most, whole.positions.size());
  for (std::int64_t line = whole.lines.begin; line < whole.lines.end; line += lines_each) {
    const Range lines{line, std::min(line + lines_each, whole.lines.end)};
    for (std::int64_t at = whole.positions.begin; at < whole.positions.end; at += positions_each) {
      pieces.push_back({lines, {at, std::min(at + positions_each, whole.positions.end)}});
    }
  }
  return pieces;
}

}  // namespace duet
