#include "drivers/token_ring.hpp"

#include <algorithm>
#include <chrono>
#include <limits>
#include <thread>

namespace duet {

TokenRing::TokenRing(MPI_Comm node, int threads) : first_{rank_in(node) * threads}, members_{size_of(node) * threads} {
  const auto count = static_cast<std::size_t>(members_);
  if (size_of(node) == 1) {
    own_ = std::make_unique<Place[]>(count);
    places_ = own_.get();
    return;
  }
  // Rank 0 holds all places, and one more for alignment: the offset to an aligned address is the same in every rank,
  // because mappings begin at pages.
  const bool holds = rank_in(node) == 0;
  void* memory = nullptr;
  check(MPI_Win_allocate_shared(holds ? static_cast<MPI_Aint>((count + 1) * sizeof(Place)) : 0, 1, MPI_INFO_NULL, node,
                                static_cast<void*>(&memory), &window_));
  MPI_Aint size = 0;
  int unit = 0;
  check(MPI_Win_shared_query(window_, 0, &size, &unit, static_cast<void*>(&memory)));
  auto space = static_cast<std::size_t>(size);
  places_ = static_cast<Place*>(std::align(alignof(Place), count * sizeof(Place), memory, space));
  if (holds) std::uninitialized_value_construct_n(places_, count);
  check(MPI_Barrier(node));
}

TokenRing::~TokenRing() {
  // Collective: a rank that throws does not wait for the others.
  if (window_ != MPI_WIN_NULL && !unwinding_.now()) MPI_Win_free(&window_);
}

void TokenRing::wait_for(int member, std::uint64_t token) const {
  const std::atomic<std::uint64_t>& mine = places_[member].token;
  constexpr std::uint64_t patience = 1U << 16U;  // a worker that lost its core lets the others have theirs
  for (std::uint64_t looks = 1; mine.load(std::memory_order_acquire) < token; ++looks) {
    if (looks % patience == 0) std::this_thread::yield();
  }
}

double TokenRing::hop_seconds(int thread, std::uint64_t call) {
  if (members_ == 1) return 0;
  using Clock = std::chrono::steady_clock;
  constexpr int batches = 5;
  constexpr int hops = 128;
  const int laps = std::max(1, hops / members_);
  const int member = first_ + thread;
  std::atomic<std::uint64_t>& next = places_[(member + 1) % members_].token;
  std::uint64_t token = call * batches * static_cast<std::uint64_t>(laps);
  double least = std::numeric_limits<double>::infinity();
  for (int batch = 0; batch < batches; ++batch) {
    const Clock::time_point begin = Clock::now();
    for (int lap = 0; lap < laps; ++lap) {
      ++token;
      if (member != 0) wait_for(member, token);
      next.store(token, std::memory_order_release);
      if (member == 0) wait_for(member, token);
    }
    least = std::min(least, std::chrono::duration<double>(Clock::now() - begin).count());
  }
  return member == 0 ? least / (static_cast<double>(laps) * members_) : 0;
}

}  // namespace duet
