#pragma once

/// Where the ranks of a job write down what they are about to do, and where it can be read while they stand still: a
/// file in memory that all processes of the node map. A rank that hangs in MPI needs to say nothing more, and what a
/// rank has written outlives it.
///
/// Who calls `standstill` neither knows nor needs to know how the calls were seen: a tool that sees every MPI call by
/// itself can take the place of the log in here, and of the hazards' own words.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "kernels/hazards/calls.hpp"

namespace duet {

/// What is known of one rank.
struct RankState {
  bool in_call = false;
  hazards::Call call{};               ///< the last one, begun or ended
  std::uint64_t version = 0;          ///< changes with each begin and each end
  double processor_seconds = 0;       ///< that the rank has computed inside this call, as far as it was watched
  double seconds = 0;                 ///< that it has been inside this call, as far as it was watched
  std::int64_t largest_sent = -1;     ///< bytes of the largest MPI_Send that came back
  std::int64_t first_collective = 0;  ///< number of collectives[0] in the order in which this rank called them
  std::vector<hazards::Call> collectives{};

  /// It has been in one call for much longer than any call takes: a rank that waits in MPI computes, and where it has
  /// computed so long, the message would have been there; where the library sleeps, many seconds say the same.
  [[nodiscard]] bool stands_still() const;
};

/// Ranks whose k-th collectives are not the same, the first such k: a line for each group of ranks. Empty where all
/// agree as far as they got. Pure.
[[nodiscard]] std::string mismatch(std::span<const RankState> ranks);

/// A cycle of ranks that wait for each other, each in a call that its peer does not answer: a line for each rank in it,
/// and one with the cycle. `patiently`: only ranks that stand still count. Empty where there is none. Pure.
[[nodiscard]] std::string wait_cycle(std::span<const RankState> ranks, bool patiently = true);

/// "MPI_Send to rank 1 (tag 7, 4041 bytes)".
[[nodiscard]] std::string call_text(const hazards::Call& call);

class CallBoard {
 public:
  /// A new file for so many ranks. Throws std::runtime_error with the system's reason, as `open`.
  [[nodiscard]] static CallBoard create(const std::string& path, int ranks);
  [[nodiscard]] static CallBoard open(const std::string& path);
  CallBoard(CallBoard&&) noexcept;
  CallBoard& operator=(CallBoard&&) = delete;
  ~CallBoard();

  [[nodiscard]] int ranks() const;
  /// What the rank's `begins` and `ended` write to. It must not outlive the board.
  [[nodiscard]] std::unique_ptr<hazards::CallLog> log_of(int rank);
  /// What is known now; consistent within itself.
  [[nodiscard]] RankState state_of(int rank) const;
  [[nodiscard]] std::vector<RankState> states() const;
  /// Called now and then, by another thread of the rank, with the time that its calling thread has computed and the
  /// time on the clock.
  void note_time(int rank, double processor_seconds, double seconds);

 private:
  struct Slot;
  struct Head;
  CallBoard(void* memory, std::size_t bytes) : memory_{memory}, bytes_{bytes} {}
  [[nodiscard]] Slot& slot(int rank) const;

  void* memory_;
  std::size_t bytes_;
};

/// What stands still on the board and why: mismatched collectives, else a cycle; empty where work goes on.
[[nodiscard]] std::string standstill(const CallBoard& board, bool patiently = true);

}  // namespace duet
