#pragma once

/// A run of bytes that grows without being set, and keeps its room: what an item of a stream carries from stage to
/// stage. std::vector and std::string would write zeros before every read of a file.

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

namespace duet {

class Bytes {
 public:
  Bytes() = default;
  Bytes(Bytes&& other) noexcept { swap(other); }
  Bytes& operator=(Bytes&& other) noexcept {
    swap(other);
    return *this;
  }
  ~Bytes() = default;

  [[nodiscard]] char* data() { return memory_.get(); }
  [[nodiscard]] const char* data() const { return memory_.get(); }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::size_t room() const { return room_; }
  [[nodiscard]] std::string_view text() const { return {memory_.get(), size_}; }
  [[nodiscard]] std::span<char> span() { return {memory_.get(), size_}; }

  void clear() { size_ = 0; }
  /// The first bytes stay as they were, the others mean nothing.
  void resize(std::size_t size) {
    if (size > room_) grow(size);
    size_ = size;
  }
  /// Room for so many at the least; nothing else changes.
  void reserve(std::size_t room) {
    if (room > room_) grow(room);
  }
  void append(std::string_view text) {
    const std::size_t before = size_;
    if (before + text.size() > room_) grow(std::max(before + text.size(), 2 * room_));
    size_ = before + text.size();
    if (!text.empty()) std::memcpy(memory_.get() + before, text.data(), text.size());
  }
  void swap(Bytes& other) noexcept {
    std::swap(memory_, other.memory_);
    std::swap(size_, other.size_);
    std::swap(room_, other.room_);
  }

 private:
  void grow(std::size_t room) {
    // operator new gives memory that any object may begin at: a matrix of doubles, too.
    std::unique_ptr<char[]> larger{new char[room]};
    if (size_ != 0) std::memcpy(larger.get(), memory_.get(), size_);
    memory_ = std::move(larger);
    room_ = room;
  }

  std::unique_ptr<char[]> memory_;
  std::size_t size_ = 0;
  std::size_t room_ = 0;
};

}  // namespace duet
