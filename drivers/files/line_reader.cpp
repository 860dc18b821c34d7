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

void LineReader::move_rest_to_front() {
  const std::size_t rest = filled_ - end_;
  std::memmove(buffer_.data(), buffer_.data() + end_, rest);
  begin_ = end_ = 0;
  filled_ = rest;
}

void LineReader::end_with_newline() {
  at_end_ = true;
  if (filled_ > 0 && buffer_[filled_ - 1] != '\n') buffer_[filled_++] = '\n';
  end_ = filled_;
}

void LineReader::fail_as_too_long() const {
  fail_at_line(source_.path(), line_, fmt::format("is longer than {} bytes; this is no text in lines", longest_line));
}

bool LineReader::more() {
  if (begin_ < end_) return true;
  if (at_end_) return false;
  move_rest_to_front();
  const std::size_t room = longest_line - filled_;
  const std::size_t count = source_.read(buffer_.data() + filled_, room);
  filled_ += count;
  if (count < room) {
    end_with_newline();
    return end_ > 0;
  }
  const void* last = ::memrchr(buffer_.data(), '\n', filled_);
  if (last == nullptr) fail_as_too_long();
  end_ = static_cast<std::size_t>(static_cast<const char*>(last) - buffer_.data()) + 1;
  return true;
}

bool LineReader::arrived() {
  while (begin_ == end_ && !at_end_ && source_.wait(0)) {
    if (end_ != 0) move_rest_to_front();
    if (filled_ == longest_line) fail_as_too_long();
    const std::size_t before = filled_;
    const std::size_t count = source_.read_some(buffer_.data() + filled_, longest_line - filled_);
    filled_ += count;
    if (count == 0) {
      end_with_newline();
    } else if (const void* last = ::memrchr(buffer_.data() + before, '\n', count); last != nullptr) {
      end_ = static_cast<std::size_t>(static_cast<const char*>(last) - buffer_.data()) + 1;
    }
  }
  return begin_ < end_;
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
