/// What a rank takes is what `rank_doubling_bytes` says. Every long number and table comes from the aligned operator
/// new, which is replaced here by one that counts.

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <new>

#include "kernels/arithmetic/teams.hpp"
#include "kernels/core/mpi.hpp"
#include "kernels/data_decomposition/fib_number/fib_number.hpp"

namespace {

std::atomic<std::int64_t> held = 0;
std::atomic<std::int64_t> most = 0;

/// In front of what is handed out stands its size.
std::size_t room_for_size(std::align_val_t alignment) {
  return std::max<std::size_t>(static_cast<std::size_t>(alignment), 16);
}

}  // namespace

void* operator new(std::size_t size, std::align_val_t alignment) {
  const std::size_t room = room_for_size(alignment);
  const std::size_t whole = (size + 2 * room - 1) / room * room;
  auto* const memory = static_cast<unsigned char*>(std::aligned_alloc(room, whole));
  if (memory == nullptr) throw std::bad_alloc{};
  *reinterpret_cast<std::size_t*>(memory) = size;
  const std::int64_t now = held += static_cast<std::int64_t>(size);
  for (std::int64_t before = most; before < now && !most.compare_exchange_weak(before, now);) {
  }
  return memory + room;
}
void operator delete(void* memory, std::align_val_t alignment) noexcept {
  if (memory == nullptr) return;
  unsigned char* const whole = static_cast<unsigned char*>(memory) - room_for_size(alignment);
  held -= static_cast<std::int64_t>(*reinterpret_cast<std::size_t*>(whole));
  std::free(whole);
}
void operator delete(void* memory, std::size_t /*size*/, std::align_val_t alignment) noexcept {
  operator delete(memory, alignment);
}

namespace duet {
namespace {

TEST(RankDoublingBytes, AreWhatIsTaken) {
  const int size = size_of(MPI_COMM_WORLD);
  const int rank = rank_in(MPI_COMM_WORLD);
  for (const std::uint64_t n : {1'000'000U, 3'000'001U, 5'000'000U, 20'000'000U}) {
    for (const int threads : {1, 2}) {
      const SlicedQuestion asked{.n = n, .radix = Radix::binary(60)};
      const Execution execution{.threads = threads, .communicator = MPI_COMM_WORLD};
      const TransformTeam team = openmp_team(execution);
      RankSpace space;
      const std::int64_t before = held;
      most = before;
      const SlicedNumber answer =
          sliced_sequence(asked.sequence, asked.n, asked.radix, {.communicator = MPI_COMM_WORLD, .team = team}, space);
      const double taken = static_cast<double>(most - before);
      const double told = rank_doubling_bytes(asked, size, rank, threads);
      EXPECT_LE(taken, 1.01 * told) << n << " on " << size << " ranks of " << threads;
      EXPECT_LE(told, 1.2 * taken + 2e6) << n << " on " << size << " ranks of " << threads;
    }
  }
}

}  // namespace
}  // namespace duet
