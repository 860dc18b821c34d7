#pragma once

/// Memory that a thread keeps for packed operands, so that a product allocates nothing after the first of its size.

#include <cstddef>
#include <memory>
#include <new>
#include <type_traits>

#include "kernels/core/huge_pages.hpp"

namespace duet {

/// Memory that grows and never shrinks until its thread ends. Aligned to a huge page and offered to the kernel as such:
/// the packed block of B then needs one entry of the TLB and not 120.
class PackingSpace {
 public:
  /// At least `count` elements, whose contents are not defined. Throws std::bad_alloc.
  template <class Element = double>
  [[nodiscard]] Element* of(std::size_t count) {
    static_assert(std::is_trivial_v<Element>);
    if (count * sizeof(Element) > capacity_) grow(count * sizeof(Element));
    return static_cast<Element*>(memory_.get());
  }

  /// The calling thread's own.
  [[nodiscard]] static PackingSpace& mine() {
    thread_local PackingSpace space;
    return space;
  }

 private:
  struct Release {
    void operator()(void* memory) const { ::operator delete (memory, std::align_val_t{huge_page}); }
  };

  void grow(std::size_t bytes) {
    bytes = (bytes + huge_page - 1) / huge_page * huge_page;
    memory_.reset();
    capacity_ = 0;
    memory_.reset(::operator new (bytes, std::align_val_t{huge_page}));
    capacity_ = bytes;
    ask_for_huge_pages(memory_.get(), bytes);
  }

  std::size_t capacity_ = 0;  ///< bytes
  std::unique_ptr<void, Release> memory_;
};

}  // namespace duet
