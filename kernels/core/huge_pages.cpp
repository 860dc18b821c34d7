#include "kernels/core/huge_pages.hpp"

#include <sys/mman.h>

#include <memory>

namespace duet {

void ask_for_huge_pages(void* memory, std::size_t bytes) {
  void* begin = memory;
  std::size_t left = bytes;
  if (std::align(huge_page, huge_page, begin, left) == nullptr) return;
  static_cast<void>(::madvise(begin, left / huge_page * huge_page, MADV_HUGEPAGE));
}

}  // namespace duet
