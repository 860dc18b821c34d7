#pragma once

/// Indices of Fibonacci numbers from a text, one a line:
///
///     # which ones
///     100
///     -7          F(-7), for F(-n) = (-1)^(n+1) F(n)

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "drivers/files/byte_source.hpp"
#include "drivers/files/file_error.hpp"
#include "drivers/files/line_reader.hpp"

namespace duet {

/// An index n as |n| and its sign.
struct FibonacciIndex {
  std::uint64_t magnitude = 0;
  bool negative = false;

  friend bool operator==(const FibonacciIndex&, const FibonacciIndex&) = default;
};

/// A whole number of at most 2^64 - 1 in magnitude. Throws std::invalid_argument: "expected a whole number, found 'x'".
[[nodiscard]] FibonacciIndex fibonacci_index(std::string_view text);

/// A line that holds no index; those that follow it can be read.
struct BadLine : FileError {
  using FileError::FileError;
};

/// Reads them in the order of the file. '#' begins a comment, blank lines are skipped.
class FibonacciInputs {
 public:
  /// "-" is standard input; pipes and gzip are read too. Throws FileError.
  explicit FibonacciInputs(const std::string& path);

  /// The next index, if there is one. Throws FileError, and BadLine that names the line.
  [[nodiscard]] std::optional<FibonacciIndex> next();
  /// The same of what has come, without waiting: none where more may come still, and at the end.
  [[nodiscard]] std::optional<FibonacciIndex> next_arrived();
  /// Whether `next_arrived` has a line to look at, or all have been.
  [[nodiscard]] bool ready() { return lines_.arrived() || lines_.at_end(); }
  [[nodiscard]] bool ended() { return !lines_.arrived() && lines_.at_end(); }
  /// The line of the last one.
  [[nodiscard]] std::int64_t line() const { return lines_.line() - 1; }
  [[nodiscard]] const ByteSource& source() const { return source_; }

 private:
  std::optional<FibonacciIndex> index_of_line();

  ByteSource source_;
  LineReader lines_{source_};
};

}  // namespace duet
