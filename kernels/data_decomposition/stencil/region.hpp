#pragma once

/// Rectangles of grid points.

#include <algorithm>
#include <cstdint>

#include "kernels/core/partition.hpp"

namespace duet {

struct Region {
  Range rows;
  Range columns;

  [[nodiscard]] constexpr bool empty() const { return rows.size() <= 0 || columns.size() <= 0; }
  [[nodiscard]] constexpr std::int64_t points() const { return empty() ? 0 : rows.size() * columns.size(); }
  [[nodiscard]] constexpr bool contains(std::int64_t row, std::int64_t column) const {
    return rows.contains(row) && columns.contains(column);
  }
  friend constexpr bool operator==(const Region&, const Region&) = default;
};

/// What both have; an empty range begins where it ends.
[[nodiscard]] constexpr Range common_part(const Range& one, const Range& other) {
  const std::int64_t begin = std::max(one.begin, other.begin);
  return {begin, std::max(begin, std::min(one.end, other.end))};
}
[[nodiscard]] constexpr Region common_part(const Region& one, const Region& other) {
  return {common_part(one.rows, other.rows), common_part(one.columns, other.columns)};
}

/// `by` more at either end.
[[nodiscard]] constexpr Range widened(const Range& range, std::int64_t by) {
  return {range.begin - by, range.end + by};
}

[[nodiscard]] constexpr Range shifted(const Range& range, std::int64_t by) {
  return {range.begin + by, range.end + by};
}
[[nodiscard]] constexpr Region shifted(const Region& region, std::int64_t rows, std::int64_t columns) {
  return {shifted(region.rows, rows), shifted(region.columns, columns)};
}

/// The points of a rows x columns grid that sweeps change: all but a frame `radius` wide. May be empty.
[[nodiscard]] constexpr Region interior_of(std::int64_t rows, std::int64_t columns, std::int64_t radius) {
  return {common_part(Range{0, rows}, Range{radius, rows - radius}),
          common_part(Range{0, columns}, Range{radius, columns - radius})};
}

}  // namespace duet
