#include "drivers/study/marks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string_view>

namespace duet {
namespace {

constexpr std::string_view slow_canary = "slow_canary";

double worse_canary(const Trial& trial) {
  if (trial.canary_before <= 0) return trial.canary_after;
  if (trial.canary_after <= 0) return trial.canary_before;
  return std::min(trial.canary_before, trial.canary_after);
}

bool counts(const Trial& trial) { return trial.outcome == Outcome::right; }

bool is_slow(const Trial& trial) { return std::ranges::find(trial.marks, slow_canary) != trial.marks.end(); }

bool warms_up(const Trial& trial) { return std::ranges::find(trial.marks, "warm_up") != trial.marks.end(); }

}  // namespace

double canary_reference(const std::vector<Trial>& trials, int workers) {
  std::vector<double> canaries;
  for (const Trial& trial : trials) {
    if (trial.cell.workers() == workers && worse_canary(trial) > 0) canaries.push_back(worse_canary(trial));
  }
  if (canaries.empty()) return 0;
  constexpr double quantile = 0.9;
  const auto rank = static_cast<std::ptrdiff_t>(quantile * static_cast<double>(canaries.size() - 1));
  std::ranges::nth_element(canaries, canaries.begin() + rank);
  return canaries[static_cast<std::size_t>(rank)];
}

std::vector<std::string> marks_of(const Trial& trial, double reference) {
  std::vector<std::string> marks = trial.marks;
  std::erase(marks, slow_canary);
  const double canary = worse_canary(trial);
  if (canary > 0 && canary < slow_canary_share * reference) marks.emplace_back(slow_canary);
  return marks;
}

std::vector<std::string> mark_slow_canaries(std::vector<Trial>& trials) {
  std::map<int, double> references;
  for (const Trial& trial : trials) references.try_emplace(trial.cell.workers(), 0);
  for (auto& [workers, reference] : references) reference = canary_reference(trials, workers);

  struct Tally {
    int all = 0;
    int slow = 0;
  };
  std::map<std::string, Tally> tallies;
  Tally study;
  for (Trial& trial : trials) {
    if (!counts(trial)) continue;
    trial.marks = marks_of(trial, references.at(trial.cell.workers()));
    if (warms_up(trial)) continue;
    Tally& tally = tallies[trial.cell.id()];
    const int slow = is_slow(trial) ? 1 : 0;
    tally.all += 1;
    tally.slow += slow;
    study.all += 1;
    study.slow += slow;
  }

  std::vector<std::string> warnings;
  if (study.slow * 10 >= study.all && study.slow > 0) {
    warnings.push_back(fmt::format(
        "the machine was disturbed: in {} of {} trials the canary ran below {:.0f} % of what it reaches here",
        study.slow, study.all, 100 * slow_canary_share));
  }
  for (const auto& [id, tally] : tallies) {
    if (2 * tally.slow <= tally.all) continue;
    warnings.push_back(fmt::format("{}: {} of {} trials had a slow canary; they are kept, as the rest would be too few",
                                   id, tally.slow, tally.all));
    for (Trial& trial : trials) {
      if (counts(trial) && trial.cell.id() == id) std::erase(trial.marks, slow_canary);
    }
  }
  return warnings;
}

}  // namespace duet
