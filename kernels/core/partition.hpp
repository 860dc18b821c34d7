#pragma once

/// The one place that divides n things by p workers, and p workers into a grid.

#include <cstdint>

namespace duet {

/// The half-open interval [begin, end).
struct Range {
  std::int64_t begin = 0;
  std::int64_t end = 0;

  [[nodiscard]] constexpr std::int64_t size() const { return end - begin; }
  [[nodiscard]] constexpr bool empty() const { return begin == end; }
  [[nodiscard]] constexpr bool contains(std::int64_t index) const { return begin <= index && index < end; }
  friend constexpr bool operator==(const Range&, const Range&) = default;
};

/// The consecutive part of n items that belongs to `part` of `parts`: sizes differ by one at the most, the larger parts
/// come first, and with more parts than items the last ones are empty. Needs n >= 0 and 0 <= part < parts.
[[nodiscard]] constexpr Range share_of(std::int64_t n, std::int64_t parts, std::int64_t part) {
  const std::int64_t each = n / parts;
  const std::int64_t larger = n % parts;
  const std::int64_t begin = part * each + (part < larger ? part : larger);
  return {begin, begin + each + (part < larger ? 1 : 0)};
}

/// The part that `index` of n items belongs to under `share_of`. Needs 0 <= index < n.
[[nodiscard]] constexpr std::int64_t owner_of(std::int64_t n, std::int64_t parts, std::int64_t index) {
  const std::int64_t each = n / parts;
  const std::int64_t larger = n % parts;
  const std::int64_t in_larger = larger * (each + 1);
  return index < in_larger ? index / (each + 1) : larger + (index - in_larger) / each;
}

/// A rectangle of a matrix: the rows and columns that one worker has.
struct Block {
  Range rows;
  Range columns;
};

/// Workers as a grid; worker w stands at row w / columns and column w % columns.
struct Grid {
  std::int64_t rows = 1;
  std::int64_t columns = 1;

  [[nodiscard]] constexpr std::int64_t size() const { return rows * columns; }
  [[nodiscard]] constexpr std::int64_t row_of(std::int64_t worker) const { return worker / columns; }
  [[nodiscard]] constexpr std::int64_t column_of(std::int64_t worker) const { return worker % columns; }
  friend constexpr bool operator==(const Grid&, const Grid&) = default;
};

/// The grid of exactly p workers whose blocks of an m x n matrix have the least half-perimeter m/rows + n/columns: the
/// words that each worker receives in a two-dimensional product are proportional to it. Ties go to fewer rows.
[[nodiscard]] constexpr Grid grid_for(std::int64_t m, std::int64_t n, std::int64_t p) {
  Grid best{1, p};
  double least = -1;
  for (std::int64_t rows = 1; rows <= p; ++rows) {
    if (p % rows != 0) continue;
    const std::int64_t columns = p / rows;
    const double perimeter =
        static_cast<double>(m) / static_cast<double>(rows) + static_cast<double>(n) / static_cast<double>(columns);
    if (least < 0 || perimeter < least) {
      least = perimeter;
      best = {rows, columns};
    }
  }
  return best;
}

}  // namespace duet
