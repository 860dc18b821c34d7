#include "kernels/pipeline/fib_stream/chunk.hpp"

#include <algorithm>
#include <cstring>
#include <stdexcept>

namespace duet {
namespace {

constexpr std::size_t word_bytes = sizeof(std::uint64_t);

std::size_t whole_words(std::size_t bytes) { return (bytes + word_bytes - 1) / word_bytes * word_bytes; }

std::size_t count_in(const StreamItem& item) { return static_cast<std::size_t>(item.count); }

/// Where the last part begins.
std::size_t body_of(std::size_t count) { return 2 * word_bytes * count + whole_words(count); }

void require_bytes(const StreamItem& item, std::size_t bytes) {
  if (item.data.size() < bytes) throw std::logic_error("an item of fib_stream is cut short");
}

}  // namespace

std::span<const std::uint64_t> FibChunk::digits(std::size_t i) const {
  const auto* const words = reinterpret_cast<const std::uint64_t*>(body);
  return {words + begin(i), ends[i] - begin(i)};
}

std::string_view FibChunk::line(std::size_t i) const { return {body + begin(i), ends[i] - begin(i) - 1}; }

void write_inputs(StreamItem& item, std::span<const std::uint64_t> n, std::span<const unsigned char> marks) {
  item.count = static_cast<std::int64_t>(n.size());
  item.data.resize(n.size_bytes() + n.size());
  std::memcpy(item.data.data(), n.data(), n.size_bytes());
  char* const to = item.data.data() + n.size_bytes();
  if (marks.empty()) {
    std::memset(to, 0, n.size());
  } else {
    std::memcpy(to, marks.data(), n.size());
  }
}

FibChunk inputs_in(const StreamItem& item) {
  const std::size_t count = count_in(item);
  require_bytes(item, count * (word_bytes + 1));
  const char* const data = item.data.data();
  return {.n = {reinterpret_cast<const std::uint64_t*>(data), count},
          .ends = {},
          .marks = reinterpret_cast<const unsigned char*>(data + word_bytes * count)};
}

FibChunk answers_in(const StreamItem& item) {
  const std::size_t count = count_in(item);
  require_bytes(item, body_of(count));
  const char* const data = item.data.data();
  const auto* const words = reinterpret_cast<const std::uint64_t*>(data);
  return {.n = {words, count},
          .ends = {words + count, count},
          .marks = reinterpret_cast<const unsigned char*>(data + 2 * word_bytes * count),
          .body = data + body_of(count)};
}

FibChunkWriter::FibChunkWriter(const FibChunk& chunk, std::size_t most, Bytes& room)
    : room_{room}, count_{chunk.size()}, body_{body_of(count_)}, at_{body_} {
  room_.clear();
  room_.resize(body_ + most);
  std::memcpy(room_.data(), chunk.n.data(), chunk.n.size_bytes());
}

void FibChunkWriter::end(const char* there, unsigned char mark, std::size_t unit) {
  at_ = static_cast<std::size_t>(there - room_.data());
  const std::uint64_t end = (at_ - body_) / unit;
  std::memcpy(room_.data() + word_bytes * (count_ + written_), &end, word_bytes);
  std::memcpy(room_.data() + 2 * word_bytes * count_ + written_, &mark, 1);
  if (++written_ == count_) room_.resize(at_);
}

}  // namespace duet
