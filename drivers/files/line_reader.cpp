#include "drivers/files/line_reader.hpp"

#include <fmt/format.h>

#include <cstring>

#include "drivers/files/file_error.hpp"

namespace duet {
namespace {

// Stays in L2 together with what is parsed from it.
constexpr std::size_t longest_line = std::size_t{256} << 10U;

}  // namespace

LineReader::LineReader(ByteSource& source) : source_{source}, buffer_(longest_line + 1) {}

bool LineReader::more() {
  if (begin_ < end_) return true;
  if (at_end_) return false;
  const std::size_t rest = filled_ - end_;
  std::memmove(buffer_.data(), buffer_.data() + end_, rest);
  begin_ = 0;
  const std::size_t room = longest_line - rest;
  const std::size_t count = source_.read(buffer_.data() + rest, room);
  filled_ = rest + count;
  if (count < room) {
    at_end_ = true;
    if (filled_ > 0 && buffer_[filled_ - 1] != '\n') buffer_[filled_++] = '\n';
    end_ = filled_;
    return end_ > 0;
  }
  const void* last = ::memrchr(buffer_.data(), '\n', filled_);
  if (last == nullptr) {
    fail_at_line(source_.path(), line_, fmt::format("is longer than {} bytes; this is no text in lines", longest_line));
  }
  end_ = static_cast<std::size_t>(static_cast<const char*>(last) - buffer_.data()) + 1;
  return true;
}

std::string_view LineReader::take_line() {
  const char* from = begin();
  const auto* newline = static_cast<const char*>(std::memchr(from, '\n', end_ - begin_));
  std::string_view text{from, static_cast<std::size_t>(newline - from)};
  if (!text.empty() && text.back() == '\r') text.remove_suffix(1);
  consume(newline + 1, 1);
  return text;
}

}  // namespace duet
