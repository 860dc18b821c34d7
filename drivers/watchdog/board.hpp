#pragma once

/// What the watchdogs of one node show each other: a place for each rank, in memory that their processes share. A rank
/// writes its own place alone, and reads all others by atomic loads; nobody waits for anybody.
///
/// The memory is a POSIX shared memory object with an unpredictable name, which is gone again before anything is
/// written to it: the mappings keep it, to the end of the last process, whatever becomes of MPI.

#include <mpi.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "drivers/watchdog/diagnosis.hpp"

namespace duet {

class Board {
 public:
  /// What changes with every look.
  struct Glance {
    std::uint64_t beat = 0;  ///< 0: not there yet
    double still_seconds = 0;
    double seconds = 0;  ///< in what it does now
    RankState::Doing doing = RankState::Doing::computes;
  };

  /// Of one process.
  Board();
  /// Of the ranks of `node`, collective over it. None, on all of them, where the system does not share memory.
  [[nodiscard]] static std::unique_ptr<Board> of_node(MPI_Comm node);

  Board(const Board&) = delete;
  Board& operator=(const Board&) = delete;

  [[nodiscard]] int places() const { return places_; }
  [[nodiscard]] int mine() const { return mine_; }

  /// What this rank does; `state` where it is something else than before.
  void show(const Glance& glance, const RankState* state);
  [[nodiscard]] Glance glance_at(int place) const;
  /// What rank `place` showed last; nothing where it just writes.
  [[nodiscard]] std::optional<RankState> state_of(int place) const;

  /// True for one rank only: it tells the end of the job, and says `told` then. With which status all end.
  [[nodiscard]] bool may_tell(int status);
  void told();
  /// From 1, each for one rank only: of the times when all ranks of the node stand still, and of what it proposes to
  /// the other nodes.
  [[nodiscard]] std::uint64_t next_standstill() { return head_->standstills.fetch_add(1) + 1; }
  [[nodiscard]] std::uint64_t next_proposal() { return head_->proposals.fetch_add(1) + 1; }
  /// 0: nobody tells of an end.
  [[nodiscard]] int ends_with() const;
  [[nodiscard]] bool was_told() const;

 private:
  static constexpr std::size_t words = 1024;
  static constexpr std::size_t bytes_a_word = sizeof(std::uint64_t);

  struct alignas(64) Place {
    std::atomic<std::uint64_t> version;  ///< odd while it is written
    std::atomic<std::uint64_t> beat;
    std::atomic<double> still_seconds;
    std::atomic<double> seconds;
    std::atomic<int> doing;
    std::atomic<std::uint64_t> length;
    std::array<std::atomic<std::uint64_t>, words> text;  ///< a RankState as JSON
  };
  struct alignas(64) Head {
    std::atomic<int> status;
    std::atomic<bool> told;
    std::atomic<std::uint64_t> standstills;
    std::atomic<std::uint64_t> proposals;
  };

  Board(void* memory, int places, int mine);
  [[nodiscard]] static std::size_t size_for(int places) {
    return sizeof(Head) + static_cast<std::size_t>(places) * sizeof(Place);
  }
  static_assert(std::atomic<std::uint64_t>::is_always_lock_free && std::atomic<double>::is_always_lock_free &&
                std::atomic<int>::is_always_lock_free && std::atomic<bool>::is_always_lock_free);

  Head* head_;
  Place* all_;
  int places_;
  int mine_;
};

}  // namespace duet
