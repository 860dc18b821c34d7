#pragma once

/// Variants of Duet beside the peers that they are compared with: every one in processes of its own, in interleaved
/// rounds of random order, every answer verified.

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "drivers/study/launch.hpp"
#include "drivers/study/trials.hpp"

namespace duet {

/// One who takes part.
struct Contestant {
  enum class Role {
    variant,     ///< ours
    peer,        ///< on the code path that was fastest when it was tried
    as_shipped,  ///< a peer as its users get it
    ceiling,     ///< what the processor can do at the most
    yardstick,   ///< what it can do at something else, for the figures below the table
  };
  std::string name{};
  Role role = Role::variant;
  int workers = 1;
  /// Only the first trial of each process counts: nothing is in the caches, and no memory is taken yet.
  bool cold = false;
  /// The launch, all but the file that its trials go to, which is the last word.
  Command command{};
};

/// What a contestant did: a time for each round.
struct Showing {
  Contestant contestant;
  std::vector<double> seconds{};
  std::vector<double> bound_shares{};  ///< of pipelines: the time that the slowest stage needs, of the time it took
  double operations = 0;
  std::string unit{};
  std::string code_path{};
};

class Contest {
 public:
  /// The files that trials go to lie in `folder`.
  Contest(std::string title, std::vector<Contestant> contestants, std::filesystem::path folder, std::uint64_t seed);

  /// Every contestant once, in random order. Returns the sum of their times. Throws std::runtime_error, with what the
  /// process said, where one fails or answers wrongly.
  double hold_round(const StopSignals& stop);

  [[nodiscard]] const std::vector<Showing>& showings() const { return showings_; }
  /// The peer, as shipped or not, with the least median on as many workers or less, which it uses where it cannot use
  /// more; null where there is none.
  [[nodiscard]] const Showing* best_peer(int workers) const;
  /// For a terminal, 80 columns: median, rate, share of the ceiling, and for each variant how many times as fast as the
  /// best peer it is, with a 95 % interval over the rounds.
  [[nodiscard]] std::string table() const;

 private:
  std::string title_;
  std::vector<Showing> showings_;
  std::filesystem::path folder_;
  std::uint64_t seed_;
  int rounds_ = 0;
};

/// For contests whose first one is serial: its time, divided by the workers, over what each other takes.
[[nodiscard]] std::string shares_of_even_division(const Contest& contest);

/// The share of its time that each pipeline was bound by its slowest stage: 1 where it loses nothing.
[[nodiscard]] std::string shares_of_slowest_stage(const Contest& contest);

/// Each variant's speed beside each peer on as many workers, with its interval.
[[nodiscard]] std::string beside_every_peer(const Contest& contest);

/// Runs `contestant` once. The trials that count, all of them right. Throws as `Contest::hold_round`.
std::vector<Trial> trials_of(const Contestant& contestant, const std::filesystem::path& folder,
                             const StopSignals& stop);

}  // namespace duet
