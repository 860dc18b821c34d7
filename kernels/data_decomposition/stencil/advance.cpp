#include "kernels/data_decomposition/stencil/advance.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>

#include "kernels/data_decomposition/stencil/grid_memory.hpp"

namespace duet {
namespace {

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

/// The levels of one strip of one piece. A level that computes some rows takes the place of the rows of the level below
/// that nobody needs any more: these have just been read, so that nothing is fetched to be overwritten, and between
/// two rounds a level holds 2 r rows.
class Strip {
 public:
  Strip(const Pass& pass, const Region& out, const RowSweep& sweep)
      : pass_{pass},
        out_{out},
        sweep_{sweep},
        radius_{pass.star.radius},
        live_{2 * radius_ + sweep.at_once},
        first_column_{rounded_down(out.columns.begin - radius_ * pass.depth, line_words)} {
    const std::int64_t levels = pass.depth - 1;
    if (levels == 0) return;
    // An odd number of lines: the rows kept of all levels spread over the sets of the cache.
    const std::int64_t columns = out.columns.end + radius_ * pass.depth - first_column_;
    const std::int64_t lines = rounded_up(columns, line_words) / line_words;
    const std::int64_t stride = (lines | 1) * line_words;
    // Two lines before and behind, where sweeps may read without need.
    double* const memory = scratch_of(levels * live_ * stride + 4 * line_words) + 2 * line_words;
    place_of_.resize(static_cast<std::size_t>(levels * live_));
    for (std::int64_t place = levels * live_ - 1; place >= 0; --place) free_.push_back(memory + place * stride);
  }

  // Each level computes a few rows, then the next level what these allow, r rows behind.
  void run() {
    const std::int64_t depth = pass_.depth;
    const std::int64_t end = rows_of(depth).end + radius_ * (depth - 1);
    for (std::int64_t front = rows_of(1).begin; front < end; front += sweep_.at_once) {
      for (std::int64_t level = 1; level <= depth; ++level) {
        fetch_for_next_round(front, level);
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
  /// Whether the row of that level is kept here. Level 0 is not, and rows that do not change are those of level 0.
  [[nodiscard]] bool is_kept(std::int64_t level, std::int64_t row) const {
    return level > 0 && pass_.interior.rows.contains(row);
  }
  /// Where a row of a level is kept.
  [[nodiscard]] double*& place_of(std::int64_t level, std::int64_t row) {
    const std::int64_t turn = (row - pass_.interior.rows.begin) % live_;
    return place_of_[static_cast<std::size_t>((level - 1) * live_ + turn)];
  }
  void compute(std::int64_t level, const Range& rows);
  void copy_fixed_columns(std::int64_t level, std::int64_t row, double* place) const;
  void fetch_for_next_round(std::int64_t front, std::int64_t level) const;

  const Pass& pass_;
  const Region& out_;
  const RowSweep& sweep_;
  std::int64_t radius_;
  std::int64_t live_;                ///< rows of a level that are there at once, at the most
  std::int64_t first_column_;        ///< of what is kept
  std::vector<double*> place_of_{};  ///< for each level the rows it has, by their number modulo `live_`
  std::vector<double*> free_{};      ///< the place that was used last is taken first
};

void Strip::compute(std::int64_t level, const Range& rows) {
  const Range columns = columns_of(level);
  const bool is_last = level == pass_.depth;
  std::array<const double*, 2 * largest_radius + most_rows_at_once> read{};
  std::array<double*, most_rows_at_once> write{};
  for (std::int64_t i = 0; i < rows.size() + 2 * radius_; ++i) {
    const std::int64_t row = rows.begin - radius_ + i;
    double* const place = is_kept(level - 1, row) ? place_of(level - 1, row) : nullptr;
    read[static_cast<std::size_t>(i)] =
        place != nullptr ? place + (columns.begin - first_column_) : &pass_.from(row, columns.begin);
    if (i >= rows.size()) continue;
    // The first rows read are read for the last time.
    if (is_last) {
      if (place != nullptr) free_.push_back(place);
      write[static_cast<std::size_t>(i)] = &pass_.to(rows.begin + i, columns.begin);
      continue;
    }
    double*& mine = place_of(level, rows.begin + i);
    mine = place;
    if (mine == nullptr) {
      mine = free_.back();
      free_.pop_back();
    }
    write[static_cast<std::size_t>(i)] = mine + (columns.begin - first_column_);
  }
  sweep_.sweep[static_cast<std::size_t>(rows.size() - 1)](read.data(), write.data(), columns.size(), pass_.star,
                                                          is_last ? pass_.stores : Stores::cached);
  if (is_last) return;
  for (std::int64_t row = rows.begin; row < rows.end; ++row) copy_fixed_columns(level, row, place_of(level, row));
}

// Where the interior ends, the next level also reads columns that do not change.
void Strip::copy_fixed_columns(std::int64_t level, std::int64_t row, double* place) const {
  const Range columns = columns_of(level);
  const Range needed = widened(columns_of(level + 1), radius_);
  if (needed.begin < columns.begin) {
    std::copy_n(&pass_.from(row, needed.begin), columns.begin - needed.begin, place + (needed.begin - first_column_));
  }
  if (columns.end < needed.end) {
    std::copy_n(&pass_.from(row, columns.end), needed.end - columns.end, place + (columns.end - first_column_));
  }
}

// Rows of a strip are too short for the processor to see a stream in time: each level asks for its share of the rows
// that level 1 reads next.
void Strip::fetch_for_next_round(std::int64_t front, std::int64_t level) const {
  if (pass_.depth == 1) return;
  const std::int64_t first = front + sweep_.at_once + radius_;
  const Range rows =
      common_part(Range{first, first + sweep_.at_once}, Range{0, std::min(pass_.from.rows, rows_of(1).end + radius_)});
  const Range columns = widened(columns_of(1), 0);
  const Range mine = shifted(share_of(columns.size(), pass_.depth, level - 1), columns.begin);
  for (std::int64_t column = mine.begin; column < mine.end; column += line_words) {
    for (std::int64_t row = rows.begin; row < rows.end; ++row) __builtin_prefetch(&pass_.from(row, column), 0, 3);
  }
}

}  // namespace

void advance(const Pass& pass, const Region& out) {
  if (out.empty()) return;
  const RowSweep sweep = row_sweep_for(pass.star.radius);
  for (std::int64_t begin = out.columns.begin; begin < out.columns.end;) {
    // Strips meet on boundaries of cache lines, so that each line is stored once.
    const std::int64_t end = std::min(out.columns.end, std::max(rounded_down(begin + pass.strip, line_words),
                                                                rounded_down(begin, line_words) + line_words));
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
  return std::max(rounded_down(columns, line_words), rounded_up(8 * radius * depth, line_words));
}

}  // namespace duet
