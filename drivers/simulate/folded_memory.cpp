/// Memory for matrices that nobody reads: in a simulation that does not compute, every large block of every rank is the
/// same block. SMPI knows that it is shared, and does not copy messages into it. 1024 ranks with 32 MiB of panels each
/// then need 8 MiB together, and no time to move them.

#include <smpi/smpi.h>

#include <cstddef>
#include <new>
#include <vector>

#include "drivers/simulate/simulation.hpp"

namespace duet {
namespace {

// Smaller blocks may be anything, and cost little.
constexpr std::size_t least_folded_bytes = 64 << 10;

struct SharedBlock {
  void* memory = nullptr;
  std::size_t bytes = 0;
};

/// Those made so far, each larger than the one before, which may still be in use.
std::vector<SharedBlock>& shared_blocks() {
  static std::vector<SharedBlock> blocks;
  return blocks;
}

bool is_shared(const void* memory) {
  for (const SharedBlock& block : shared_blocks()) {
    if (block.memory == memory) return true;
  }
  return false;
}

}  // namespace

// The aligned operator new is the one that `Matrix` calls.
void* aligned_new(std::size_t bytes, std::align_val_t alignment) __asm__("__real__ZnwmSt11align_val_t");
void aligned_delete(void* memory, std::align_val_t alignment) noexcept __asm__("__real__ZdlPvSt11align_val_t");
void* folded_new(std::size_t bytes, std::align_val_t alignment) __asm__("__wrap__ZnwmSt11align_val_t");
void folded_delete(void* memory, std::align_val_t alignment) noexcept __asm__("__wrap__ZdlPvSt11align_val_t");

void* folded_new(std::size_t bytes, std::align_val_t alignment) {
  if (bytes < least_folded_bytes || Simulation::here().computing()) return aligned_new(bytes, alignment);
  std::vector<SharedBlock>& blocks = shared_blocks();
  if (blocks.empty() || blocks.back().bytes < bytes) {
    void* const memory = SMPI_SHARED_MALLOC(bytes);
    if (memory == nullptr) throw std::bad_alloc{};
    blocks.push_back({memory, bytes});
  }
  return blocks.back().memory;
}

// The shared blocks stay until the process ends.
void folded_delete(void* memory, std::align_val_t alignment) noexcept {
  if (!is_shared(memory)) aligned_delete(memory, alignment);
}

}  // namespace duet
