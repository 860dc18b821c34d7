#pragma once

/// The lines of a text, a window of many at a time, so that a parser runs over plain memory. The window always ends
/// with a newline, also where the file does not.

#include <cstdint>
#include <string_view>
#include <vector>

#include "drivers/files/byte_source.hpp"

namespace duet {

class LineReader {
 public:
  explicit LineReader(ByteSource& source);

  /// True where at least one line is at hand, which it reads if need be. Throws FileError as ByteSource, and for a line
  /// that does not fit the window of 256 KiB.
  [[nodiscard]] bool more();
  /// The same without waiting: reads what has come, and says whether a line is at hand now.
  [[nodiscard]] bool arrived();
  /// Whether there will be no more lines than are at hand.
  [[nodiscard]] bool at_end() const { return at_end_; }

  /// What is at hand: whole lines.
  [[nodiscard]] const char* begin() const { return buffer_.data() + begin_; }
  [[nodiscard]] const char* end() const { return buffer_.data() + end_; }
  /// Gives back everything before `position`, which holds `lines` lines.
  void consume(const char* position, std::int64_t lines) {
    begin_ = static_cast<std::size_t>(position - buffer_.data());
    line_ += lines;
  }
  /// Consumes one line, of those at hand, and returns it without its end.
  std::string_view take_line();

  /// The number of the line at begin(), from 1.
  [[nodiscard]] std::int64_t line() const { return line_; }
  [[nodiscard]] ByteSource& source() { return source_; }

 private:
  void move_rest_to_front();
  void end_with_newline();
  [[noreturn]] void fail_as_too_long() const;

  ByteSource& source_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0;   ///< the first line not consumed
  std::size_t end_ = 0;     ///< behind the last whole line
  std::size_t filled_ = 0;  ///< behind the last byte read
  std::int64_t line_ = 1;
  bool at_end_ = false;
};

}  // namespace duet
