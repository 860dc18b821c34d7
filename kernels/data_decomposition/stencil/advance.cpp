#include "kernels/data_decomposition/stencil/advance.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>

namespace duet {
namespace {

constexpr std::int64_t line = 64 / sizeof(double);

constexpr std::int64_t rounded_up(std::int64_t value, std::int64_t unit) { return (value + unit - 1) / unit * unit; }
constexpr std::int64_t rounded_down(std::int64_t value, std::int64_t unit) {
  return value >= 0 ? value / unit * unit : -rounded_up(-value, unit);
}

/// Memory that a thread keeps for the levels under way, as large as any piece needed.
double* scratch_of(std::int64_t words) {
  thread_local Matrix<double> kept;
  if (kept.columns() < words) {
    kept = {};
    kept = Matrix<double>{1, words};
  }
  return kept.data();
}

/// The levels of one strip of one piece.
class Strip {
 public:
  Strip(const Pass& pass, const Region& out, const RowSweep& sweep)
      : pass_{pass},
        out_{out},
        sweep_{sweep},
        radius_{pass.star.radius},
        slots_{2 * radius_ + sweep.at_once},
        first_column_{rounded_down(out.columns.begin - radius_ * pass.depth, line)},
        // An odd number of lines: the rows kept of all levels spread over the sets of the cache.
        stride_{(rounded_up(out.columns.end + radius_ * pass.depth - first_column_, line) / line | 1) * line},
        scratch_{pass.depth > 1 ? scratch_of((pass.depth - 1) * slots_ * stride_) : nullptr} {}

  // Each level computes a few rows, then the next level what these allow, r rows behind.
  void run() {
    const std::int64_t depth = pass_.depth;
    const std::int64_t end = rows_of(depth).end + radius_ * (depth - 1);
    for (std::int64_t front = rows_of(1).begin; front < end; front += sweep_.at_once) {
      for (std::int64_t level = 1; level <= depth; ++level) {
        const std::int64_t first = front - radius_ * (level - 1);
        const Range rows = common_part(rows_of(level), {first, first + sweep_.at_once});
        if (!rows.empty()) compute(level, rows);
      }
    }
  }

 private:
  [[nodiscard]] Range rows_of(std::int64_t level) const {
    return common_part(pass_.interior.rows, widened(out_.rows, radius_ * (pass_.depth - level)));
  }
  [[nodiscard]] Range columns_of(std::int64_t level) const {
    return common_part(pass_.interior.columns, widened(out_.columns, radius_ * (pass_.depth - level)));
  }
  /// Where the point (row, column) of a level between stands.
  [[nodiscard]] double* kept(std::int64_t level, std::int64_t row, std::int64_t column) const {
    const std::int64_t slot = (row - pass_.interior.rows.begin) % slots_;
    return scratch_ + ((level - 1) * slots_ + slot) * stride_ + (column - first_column_);
  }
  /// The same of any level but the last; rows that do not change are the same in all levels.
  [[nodiscard]] const double* at(std::int64_t level, std::int64_t row, std::int64_t column) const {
    return level == 0 || !pass_.interior.rows.contains(row) ? &pass_.from(row, column) : kept(level, row, column);
  }
  void compute(std::int64_t level, const Range& rows);

  const Pass& pass_;
  const Region& out_;
  const RowSweep& sweep_;
  std::int64_t radius_;
  std::int64_t slots_;         ///< rows of a level that are kept
  std::int64_t first_column_;  ///< of what is kept
  std::int64_t stride_;
  double* scratch_;
};

void Strip::compute(std::int64_t level, const Range& rows) {
  const Range columns = columns_of(level);
  const bool is_last = level == pass_.depth;
  std::array<const double*, 2 * largest_radius + most_rows_at_once> read{};
  for (std::int64_t i = 0; i < rows.size() + 2 * radius_; ++i) {
    read[static_cast<std::size_t>(i)] = at(level - 1, rows.begin - radius_ + i, columns.begin);
  }
  std::array<double*, most_rows_at_once> write{};
  for (std::int64_t i = 0; i < rows.size(); ++i) {
    const std::int64_t row = rows.begin + i;
    write[static_cast<std::size_t>(i)] = is_last ? &pass_.to(row, columns.begin) : kept(level, row, columns.begin);
  }
  sweep_.sweep[static_cast<std::size_t>(rows.size() - 1)](read.data(), write.data(), columns.size(), pass_.star,
                                                          is_last ? pass_.stores : Stores::cached);
  if (is_last) return;
  // Where the interior ends, the next level also reads columns that do not change.
  const Range needed = widened(columns_of(level + 1), radius_);
  for (std::int64_t i = 0; i < rows.size(); ++i) {
    double* const to = write[static_cast<std::size_t>(i)];
    const std::int64_t row = rows.begin + i;
    if (const std::int64_t left = columns.begin - needed.begin; left > 0) {
      std::copy_n(&pass_.from(row, needed.begin), left, to - left);
    }
    if (const std::int64_t right = needed.end - columns.end; right > 0) {
      std::copy_n(&pass_.from(row, columns.end), right, to + columns.size());
    }
  }
}

}  // namespace

void advance(const Pass& pass, const Region& out) {
  if (out.empty()) return;
  const RowSweep sweep = row_sweep_for(pass.star.radius);
  for (std::int64_t begin = out.columns.begin; begin < out.columns.end;) {
    // Strips meet on boundaries of cache lines, so that each line is stored once.
    const std::int64_t end =
        std::min(out.columns.end, std::max(rounded_down(begin + pass.strip, line), rounded_down(begin, line) + line));
    const Region strip{out.rows, {begin, end}};
    Strip{pass, strip, sweep}.run();
    begin = end;
  }
  if (pass.stores == Stores::streaming) finish_streaming();
}

void copy_frame(ConstView from, View to, const Region& interior, const Region& part) {
  const Range changing = common_part(interior.columns, part.columns);
  for (std::int64_t row = part.rows.begin; row < part.rows.end; ++row) {
    const auto copy = [&](std::int64_t begin, std::int64_t end) {
      if (begin < end) std::copy_n(&from(row, begin), end - begin, &to(row, begin));
    };
    if (changing.empty() || !interior.rows.contains(row)) {
      copy(part.columns.begin, part.columns.end);
    } else {
      copy(part.columns.begin, changing.begin);
      copy(changing.end, part.columns.end);
    }
  }
}

std::int64_t chosen_strip(std::int64_t radius, std::int64_t depth) {
  static const std::int64_t second_level = [] {
    const std::int64_t told = ::sysconf(_SC_LEVEL2_CACHE_SIZE);
    return told > 0 ? std::clamp<std::int64_t>(told, 256 << 10, 2 << 20) : 512 << 10;
  }();
  // Half of the second-level cache for the levels kept, the other half for what flows through.
  const std::int64_t rows = (2 * radius + 1) * std::max<std::int64_t>(1, depth - 1);
  const std::int64_t columns = second_level / 2 / static_cast<std::int64_t>(sizeof(double)) / rows;
  return std::max(rounded_down(columns, line), rounded_up(8 * radius * depth, line));
}

}  // namespace duet
