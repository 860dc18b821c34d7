#pragma once

#include <string>
#include <utility>
#include <vector>

#include "drivers/study/trials.hpp"

namespace duet {

inline Cell cell_of(Model model, const std::string& size, int workers = 2, const std::string& problem = "matmul") {
  return {.problem = problem,
          .model = model,
          .size = size,
          .ranks = passes_messages(model) ? workers : 1,
          .threads = passes_messages(model) ? 1 : workers};
}

/// A study made by hand: each cell has its seconds, and a little noise that is the same for nobody.
class MadeUp {
 public:
  explicit MadeUp(int rounds = 8) : rounds_{rounds} {}

  MadeUp& add(const Cell& cell, double seconds, const std::vector<std::string>& marks = {}) {
    ++cells_;
    for (int round = 0; round < rounds_; ++round) {
      Trial trial = trial_of(cell, seconds * (1 + noise_of(round)), round);
      trial.marks = marks;
      study.trials.push_back(trial);
    }
    return *this;
  }

  Trial trial_of(const Cell& cell, double seconds, int round) {
    Trial trial;
    trial.cell = cell;
    trial.round = round;
    trial.launch = ++launches_;
    trial.outcome = Outcome::right;
    trial.seconds = seconds;
    trial.operations = 1e9;
    trial.unit = "flop";
    const auto workers = static_cast<std::size_t>(cell.workers());
    trial.useful_seconds.assign(workers, 0.9 * seconds);
    trial.communicating_seconds.assign(workers, 0.05 * seconds);
    return trial;
  }

  /// Every trial of `cell`, to be changed by hand.
  template <class Act>
  MadeUp& change(const Cell& cell, Act&& act) {
    for (Trial& trial : study.trials) {
      if (trial.cell == cell) act(trial);
    }
    return *this;
  }

  SavedStudy study;

 private:
  /// Up to 0.4 %, in an order that differs from cell to cell.
  [[nodiscard]] double noise_of(int round) const { return 0.001 * ((3 * round + 2 * cells_) % 5); }

  int rounds_;
  int cells_ = 0;
  int launches_ = 0;
};

}  // namespace duet
