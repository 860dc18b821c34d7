#pragma once

/// A run of bytes that grows without being set, and keeps its room: what an item of a stream carries from stage to
/// stage. std::vector and std::string would write zeros before every read of a file. Memory of a page or more begins at
/// a page, and of a large page or more stands on large pages, so that a disk can write to it, and in few pieces.

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <new>
#include <span>
#include <string_view>
#include <utility>

#include "kernels/core/huge_pages.hpp"

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
  struct Free {
    void operator()(char* memory) const { ::operator delete(memory, unit); }
    std::align_val_t unit;
  };
  using Memory = std::unique_ptr<char, Free>;

  void grow(std::size_t room) {
    // Any object may begin there: a matrix of doubles, too.
    constexpr std::size_t page = 4096;
    const std::align_val_t unit{room >= huge_page ? huge_page : room >= page ? page : alignof(std::max_align_t)};
    Memory larger{static_cast<char*>(::operator new(room, unit)), Free{unit}};
    ask_for_huge_pages(larger.get(), room);
    if (size_ != 0) std::memcpy(larger.get(), memory_.get(), size_);
    memory_ = std::move(larger);
    room_ = room;
  }

  Memory memory_{nullptr, Free{}};
  std::size_t size_ = 0;
  std::size_t room_ = 0;
};

}  // namespace duet
