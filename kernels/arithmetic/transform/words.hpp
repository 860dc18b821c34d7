#pragma once

/// Memory for the words of numbers and transforms.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <span>
#include <utility>
#include <vector>

#include "kernels/core/huge_pages.hpp"

namespace duet {

/// `size` words that are **not initialised**, on large pages where there is a whole one of them, else aligned to a
/// cache line. Throws std::bad_alloc. Nothing is taken from the system before it is written.
class Words {
 public:
  Words() = default;
  explicit Words(std::size_t size) : size_{size} {
    if (size == 0) return;
    if (size > SIZE_MAX / sizeof(std::uint64_t) / 2) throw std::bad_alloc{};
    const std::size_t bytes = size * sizeof(std::uint64_t);
    const std::size_t alignment = bytes < huge_page ? 64 : huge_page;
    memory_ = {static_cast<std::uint64_t*>(::operator new (bytes, std::align_val_t{alignment})), Release{alignment}};
    ask_for_huge_pages(memory_.get(), bytes);
  }

  [[nodiscard]] std::size_t size() const { return memory_ == nullptr ? 0 : size_; }
  [[nodiscard]] std::uint64_t* data() { return memory_.get(); }
  [[nodiscard]] const std::uint64_t* data() const { return memory_.get(); }
  [[nodiscard]] std::span<std::uint64_t> span() { return {memory_.get(), size_}; }
  [[nodiscard]] std::span<const std::uint64_t> span() const { return {memory_.get(), size_}; }

 private:
  struct Release {
    std::size_t alignment;
    void operator()(std::uint64_t* memory) const { ::operator delete (memory, std::align_val_t{alignment}); }
  };
  std::size_t size_ = 0;
  std::unique_ptr<std::uint64_t, Release> memory_;
};

/// Lets `words` have `size` words or more. Where it had fewer, what stood in it is lost, and is released first.
inline void make_room(Words& words, std::size_t size) {
  if (words.size() >= size) return;
  words = Words{};
  words = Words{size};
}

/// Memory that numbers gave back, for those that come after: new pages have to be cleared, by the system and under it
/// by the host of a guest.
class SpareWords {
 public:
  void give(Words words) {
    if (words.size() != 0) kept_.push_back(std::move(words));
  }
  /// `size` words or more, not initialised: the least of those kept, or new ones instead of the largest of them.
  [[nodiscard]] Words take(std::size_t size) {
    if (kept_.empty()) return Words{size};
    std::ranges::sort(kept_, {}, &Words::size);
    auto found = std::ranges::lower_bound(kept_, size, {}, &Words::size);
    const bool fits = found != kept_.end();
    if (!fits) --found;
    Words words = std::move(*found);
    kept_.erase(found);
    make_room(words, size);
    return words;
  }

 private:
  std::vector<Words> kept_;
};

}  // namespace duet
