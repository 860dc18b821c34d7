#include "drivers/files/matrix_market.hpp"

#include <fast_float/fast_float.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "drivers/files/file_error.hpp"

namespace duet {
namespace {

using Layout = MarketHeader::Layout;
using Field = MarketHeader::Field;
using Symmetry = MarketHeader::Symmetry;

constexpr std::array layouts{Layout::coordinate, Layout::array};
constexpr std::array fields{Field::real, Field::integer, Field::pattern};
constexpr std::array symmetries{Symmetry::general, Symmetry::symmetric, Symmetry::skew_symmetric};

std::string lower_case(std::string_view text) {
  std::string lower{text};
  std::ranges::transform(lower, lower.begin(),
                         [](char c) { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); });
  return lower;
}

/// A carriage return counts as a blank: one stands before the newline in files from Windows.
constexpr bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

const char* skip_blanks(const char* at) {
  while (is_blank(*at)) ++at;
  return at;
}

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  std::size_t at = 0;
  while (true) {
    while (at < line.size() && is_blank(line[at])) ++at;
    if (at == line.size()) return words;
    const std::size_t from = at;
    while (at < line.size() && !is_blank(line[at])) ++at;
    words.push_back(line.substr(from, at - from));
  }
}

template <class Choice, std::size_t count>
std::optional<Choice> choice_called(std::string_view word, const std::array<Choice, count>& choices) {
  for (const Choice choice : choices) {
    if (name_of(choice) == word) return choice;
  }
  return std::nullopt;
}

std::optional<std::int64_t> size_called(std::string_view word) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (error != std::errc{} || end != word.data() + word.size() || value < 0) return std::nullopt;
  return value;
}

MarketHeader read_banner(std::string_view path, std::string_view line) {
  const std::string lower = lower_case(line);
  const std::vector<std::string_view> words = words_of(lower);
  if (words.size() != 5 || words[0] != "%%matrixmarket") {
    fail_at_line(path, 1,
                 fmt::format("expected '%%MatrixMarket matrix coordinate real general' or the like, found {}",
                             quoted(line, 80)));
  }
  if (words[1] != "matrix") fail_at_line(path, 1, fmt::format("expected a matrix, found a {}", quoted(words[1])));
  MarketHeader header;
  const auto layout = choice_called(words[2], layouts);
  if (!layout) fail_at_line(path, 1, fmt::format("expected coordinate or array, found {}", quoted(words[2])));
  const auto field = choice_called(words[3], fields);
  if (!field) {
    fail_at_line(path, 1,
                 words[3] == "complex" ? "the entries are complex; only real, integer and pattern are read"
                                       : fmt::format("expected real, integer or pattern, found {}", quoted(words[3])));
  }
  const auto symmetry = choice_called(words[4], symmetries);
  if (!symmetry) {
    fail_at_line(path, 1,
                 words[4] == "hermitian"
                     ? "the matrix is hermitian; only general, symmetric and skew-symmetric are read"
                     : fmt::format("expected general, symmetric or skew-symmetric, found {}", quoted(words[4])));
  }
  if (*field == Field::pattern && (*layout == Layout::array || *symmetry == Symmetry::skew_symmetric)) {
    fail_at_line(path, 1,
                 fmt::format("a pattern is {}, which the format does not know",
                             *layout == Layout::array ? "an array" : "skew-symmetric"));
  }
  header.layout = *layout;
  header.field = *field;
  header.symmetry = *symmetry;
  return header;
}

bool is_comment_or_blank(std::string_view line) {
  const auto first = std::ranges::find_if_not(line, is_blank);
  return first == line.end() || *first == '%';
}

/// Entries of an array in the file: all, or a triangle with or without its diagonal.
std::int64_t array_entries(const MarketHeader& header) {
  if (header.symmetry == Symmetry::general) return header.rows * header.columns;
  const std::int64_t n = header.rows;
  return header.symmetry == Symmetry::symmetric ? n * (n + 1) / 2 : n * (n - 1) / 2;
}

/// The least bytes of one line of data: "1 1 1\n", "1 1\n" or "1\n".
std::int64_t least_line(const MarketHeader& header) {
  if (header.layout == Layout::array) return 2;
  return header.field == Field::pattern ? 4 : 6;
}

/// Parses the lines of data. Each line of entries goes through `row_or_column` and `value`, which return where they
/// stopped; whatever is wrong ends in `fail_here`, which is cold and takes the line apart again.
class EntryParser {
 public:
  EntryParser(LineReader& lines, const MarketHeader& header) : lines_{lines}, header_{header} {}

  /// Calls act(at), `at` on the first character of each line of entries, which returns the end of what it took.
  template <class Act>
  void each_line(const Progress& progress, Act&& act) {
    ByteSource& source = lines_.source();
    std::int64_t count = 0;
    while (lines_.more()) {
      const char* at = lines_.begin();
      const char* const end = lines_.end();
      std::int64_t taken = 0;
      while (at != end) {
        start_ = at;
        line_ = lines_.line() + taken;
        at = skip_blanks(at);
        if (*at == '%') {
          at = static_cast<const char*>(std::memchr(at, '\n', static_cast<std::size_t>(end - at)));
        } else if (*at != '\n') {
          if (count == header_.entries) {
            fail_here(fmt::format("the header announces {} entries, and here is one more: {}", count, line_text()));
          }
          ++count;
          at = skip_blanks(act(at));
          if (*at != '\n') fail_here(expected_fields());
        }
        ++at;
        ++taken;
      }
      lines_.consume(end, taken);
      if (progress) progress(source.file_bytes_taken(), source.file_bytes());
    }
    if (count != header_.entries) {
      fail(source.path(), fmt::format("the header announces {} entries, and the file ends after {}, at line {}",
                                      header_.entries, count, lines_.line()));
    }
  }

  /// A whole number in [1, most], as an index from 0.
  const char* index(const char* at, std::int64_t most, std::string_view what, std::int64_t& result) const {
    std::int64_t value = 0;
    const char* const from = at;
    // At most 18 digits: they cannot overflow, and no matrix has as many rows.
    while (*at >= '0' && *at <= '9' && at - from < 18) value = value * 10 + (*at++ - '0');
    if (at == from || !(is_blank(*at) || *at == '\n')) fail_here(expected_fields());
    if (value < 1 || value > most) fail_here(fmt::format("{} {} is not in 1 to {}", what, value, most));
    result = value - 1;
    return skip_blanks(at);
  }

  const char* value(const char* at, double& result) const {
    const char* const end = lines_.end();
    // No '+' is taken by from_chars, and the format allows it.
    const char* const from = *at == '+' && at[1] != '-' ? at + 1 : at;
    if (header_.field == Field::integer) {
      std::int64_t whole = 0;
      const auto [stop, error] = std::from_chars(from, end, whole);
      if (error == std::errc::result_out_of_range || (error == std::errc{} && !is_exact(whole))) {
        fail_here(fmt::format("no double holds the integer {} exactly", word_at(at)));
      }
      if (error != std::errc{} || !ends_word(*stop)) fail_here(expected_value(at));
      result = static_cast<double>(whole);
      return stop;
    }
    const auto [stop, error] = fast_float::from_chars(from, end, result);
    if (std::isinf(result) && (*from == '-' ? from[1] : *from) <= '9') {
      fail_here(fmt::format("{} is beyond the largest double, 1.8e308", word_at(at)));
    }
    if (error == std::errc::invalid_argument || !ends_word(*stop)) fail_here(expected_value(at));
    return stop;
  }

  [[noreturn, gnu::cold, gnu::noinline]] void fail_here(std::string_view what) const {
    fail_at_line(lines_.source().path(), line_, what);
  }

 private:
  static bool ends_word(char c) { return is_blank(c) || c == '\n'; }
  static bool is_exact(std::int64_t whole) {
    const auto rounded = static_cast<double>(whole);
    return rounded < 0x1p63 && static_cast<std::int64_t>(rounded) == whole;
  }

  [[nodiscard]] std::string line_text() const {
    const char* end = start_;
    while (*end != '\n') ++end;
    if (end != start_ && end[-1] == '\r') --end;
    return quoted({start_, end});
  }
  [[nodiscard]] static std::string word_at(const char* at) {
    const char* end = at;
    while (!ends_word(*end)) ++end;
    return quoted({at, end});
  }
  [[nodiscard]] std::string expected_fields() const {
    if (header_.layout == Layout::array) return fmt::format("expected one value, found {}", line_text());
    return header_.field == Field::pattern ? fmt::format("expected 2 fields (row column), found {}", line_text())
                                           : fmt::format("expected 3 fields (row column value), found {}", line_text());
  }
  [[nodiscard]] std::string expected_value(const char* at) const {
    if (*at == '\n') return expected_fields();
    return fmt::format("expected {}, found {}", header_.field == Field::integer ? "an integer" : "a number",
                       word_at(at));
  }

  LineReader& lines_;
  const MarketHeader& header_;
  const char* start_ = nullptr;
  std::int64_t line_ = 0;
};

void read_coordinates(LineReader& lines, const MarketHeader& header, Range rows, Range columns, View out,
                      const Progress& progress) {
  EntryParser parser{lines, header};
  // Coordinates come in any order, so that nearly every sum misses the caches. Each waits until 32 others have come,
  // while its cache line does: 3.3x for a 3000 x 3000 matrix in random order. The order of sums stays that of the file.
  struct Sum {
    double* at = nullptr;
    double value = 0;
  };
  std::array<Sum, 32> waiting{};
  std::size_t next = 0;
  const auto add = [&](std::int64_t row, std::int64_t column, double value) {
    if (!rows.contains(row) || !columns.contains(column)) return;
    double* const at = &out(row - rows.begin, column - columns.begin);
    __builtin_prefetch(at, 1);
    const Sum ready = std::exchange(waiting[next], {at, value});
    if (ready.at != nullptr) *ready.at += ready.value;
    next = (next + 1) % waiting.size();
  };
  const bool has_value = header.field != Field::pattern;
  const bool general = header.symmetry == Symmetry::general;
  const double mirrored_sign = header.symmetry == Symmetry::skew_symmetric ? -1 : 1;
  parser.each_line(progress, [&](const char* at) {
    std::int64_t row = 0;
    std::int64_t column = 0;
    double value = 1;
    at = parser.index(at, header.rows, "row", row);
    at = parser.index(at, header.columns, "column", column);
    if (has_value) at = parser.value(at, value);
    add(row, column, value);
    if (!general) {
      if (column > row || (column == row && mirrored_sign < 0)) {
        parser.fail_here(
            fmt::format("entry ({}, {}) of a {} matrix stands {} the diagonal; the file holds only what is "
                        "below it",
                        row + 1, column + 1, name_of(header.symmetry), column > row ? "above" : "on"));
      }
      if (column != row) add(column, row, mirrored_sign * value);
    }
    return at;
  });
  for (std::size_t i = 0; i < waiting.size(); ++i) {
    const Sum& ready = waiting[(next + i) % waiting.size()];
    if (ready.at != nullptr) *ready.at += ready.value;
  }
}

void read_array(LineReader& lines, const MarketHeader& header, Range rows, Range columns, View out,
                const Progress& progress) {
  EntryParser parser{lines, header};
  const bool general = header.symmetry == Symmetry::general;
  const double mirrored_sign = header.symmetry == Symmetry::skew_symmetric ? -1 : 1;
  const std::int64_t below = header.symmetry == Symmetry::skew_symmetric ? 1 : 0;
  const auto put = [&](std::int64_t row, std::int64_t column, double value) {
    if (rows.contains(row) && columns.contains(column)) out(row - rows.begin, column - columns.begin) = value;
  };
  std::int64_t row = general ? 0 : below;
  std::int64_t column = 0;
  parser.each_line(progress, [&](const char* at) {
    double value = 0;
    at = parser.value(at, value);
    put(row, column, value);
    if (!general && row != column) put(column, row, mirrored_sign * value);
    if (++row == header.rows) {
      ++column;
      row = general ? 0 : column + below;
    }
    return at;
  });
}

}  // namespace

std::string_view name_of(Layout layout) { return layout == Layout::array ? "array" : "coordinate"; }

std::string_view name_of(Field field) {
  return field == Field::real ? "real" : field == Field::integer ? "integer" : "pattern";
}

std::string_view name_of(Symmetry symmetry) {
  return symmetry == Symmetry::general ? "general" : symmetry == Symmetry::symmetric ? "symmetric" : "skew-symmetric";
}

MarketHeader read_market_header(LineReader& lines) {
  const std::string& path = lines.source().path();
  if (!lines.more()) fail(path, "is empty");
  MarketHeader header = read_banner(path, lines.take_line());
  std::string_view line;
  do {
    if (!lines.more()) fail(path, fmt::format("ends at line {}, before the line of sizes", lines.line()));
    line = lines.take_line();
  } while (is_comment_or_blank(line));
  const std::int64_t number = lines.line() - 1;

  const bool array = header.layout == Layout::array;
  const std::vector<std::string_view> words = words_of(line);
  std::vector<std::int64_t> sizes;
  for (const std::string_view word : words) {
    if (const auto size = size_called(word)) sizes.push_back(*size);
  }
  if (words.size() != (array ? 2 : 3) || sizes.size() != words.size()) {
    fail_at_line(path, number,
                 fmt::format("expected the sizes ({}), found {}", array ? "rows columns" : "rows columns entries",
                             quoted(line)));
  }
  header.rows = sizes[0];
  header.columns = sizes[1];
  constexpr auto most = std::numeric_limits<std::int64_t>::max() / std::int64_t{sizeof(double)};
  // Indices have 18 digits at the most, also where the other size is 0.
  constexpr std::int64_t most_size = 999'999'999'999'999'999;
  if (header.rows > most_size || header.columns > most_size ||
      (header.columns != 0 && header.rows > most / header.columns)) {
    fail_at_line(path, number,
                 fmt::format("a matrix of {} x {} has more bytes than can be addressed", header.rows, header.columns));
  }
  if (header.symmetry != Symmetry::general && header.rows != header.columns) {
    fail_at_line(path, number,
                 fmt::format("a {} matrix is square, and this one is {} x {}", name_of(header.symmetry), header.rows,
                             header.columns));
  }
  header.entries = array ? array_entries(header) : sizes[2];
  if (header.entries > 0 && header.entries > lines.source().most_bytes() / least_line(header) + 1) {
    fail_at_line(path, number,
                 fmt::format("announces {} entries, and {} bytes cannot hold them", header.entries,
                             lines.source().file_bytes()));
  }
  if (header.entries > 0 && (header.rows == 0 || header.columns == 0)) {
    fail_at_line(path, number, fmt::format("announces {} entries of an empty matrix", header.entries));
  }
  return header;
}

void read_market_block(LineReader& lines, const MarketHeader& header, Range rows, Range columns, View out,
                       const Progress& progress) {
  if (!out.empty()) {
    for (std::int64_t row = 0; row < out.rows; ++row) std::fill_n(&out(row, 0), out.columns, 0.0);
  }
  if (header.layout == Layout::coordinate) {
    read_coordinates(lines, header, rows, columns, out, progress);
  } else {
    read_array(lines, header, rows, columns, out, progress);
  }
}

}  // namespace duet
