#include "drivers/study/marks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>
#include <set>
#include <string_view>
#include <utility>

#include "drivers/statistics/medians.hpp"

namespace duet {
namespace {

constexpr std::string_view slow_canary = "slow_canary";
constexpr std::string_view moved_cores = "moved_cores";

double worse_canary(const Trial& trial) {
  if (trial.canary_before <= 0) return trial.canary_after;
  if (trial.canary_after <= 0) return trial.canary_before;
  return std::min(trial.canary_before, trial.canary_after);
}

bool counts(const Trial& trial) { return trial.outcome == Outcome::right; }

constexpr UsualHops any_distance{0, std::numeric_limits<double>::infinity()};

/// Nodes and workers: what a distance depends on.
using NodesAndWorkers = std::pair<int, int>;
NodesAndWorkers shape_of(const Trial& trial) { return {trial.cell.nodes, trial.cell.workers()}; }

/// The cell that a trial counts for; what tries a change, or was made beside that, counts for itself.
std::string counted_for(const Trial& trial) {
  return trial.cell.id() + (trial.tried.empty() ? "" : ", to try a change");
}

double middle_of(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

/// One warning for each number of workers that was measured at several distances.
std::vector<std::string> warnings_of_moves(const std::vector<Trial>& trials,
                                           const std::map<NodesAndWorkers, UsualHops>& usual) {
  std::vector<std::string> warnings;
  for (const auto& [shape, hops] : usual) {
    std::vector<double> kept;
    std::vector<double> moved;
    for (const Trial& trial : trials) {
      if (!counts(trial) || !trial.tried.empty() || trial.warms_up() || shape_of(trial) != shape ||
          trial.hop_seconds <= 0)
        continue;
      (trial.has_mark(moved_cores) ? moved : kept).push_back(trial.hop_seconds);
    }
    if (moved.empty() || kept.empty()) continue;
    const std::size_t all = moved.size() + kept.size();
    constexpr double nanoseconds = 1e9;
    warnings.push_back(
        fmt::format("the host moved the cores of {} workers: {:.0f} ns from one to the next in {} of {} trials, which "
                    "are set aside, "
                    "and {:.0f} ns in the others",
                    shape.second, nanoseconds * middle_of(moved), moved.size(), all, nanoseconds * middle_of(kept)));
  }
  return warnings;
}

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

UsualHops usual_hops(const std::vector<Trial>& trials, int nodes, int workers) {
  std::map<int, std::vector<double>> by_launch;
  for (const Trial& trial : trials) {
    if (trial.tried.empty() && shape_of(trial) == NodesAndWorkers{nodes, workers} && trial.hop_seconds > 0) {
      by_launch[trial.launch].push_back(trial.hop_seconds);
    }
  }
  std::vector<double> hops;
  for (auto& [launch, of_launch] : by_launch) hops.push_back(middle_of(std::move(of_launch)));
  std::ranges::sort(hops);
  constexpr std::size_t fewest_share = 3;
  // A group is led by its lowest tenth, so that one reading that came out too low founds none.
  for (std::size_t begin = 0; begin < hops.size();) {
    const double lead = hops[begin + (hops.size() - begin) / 10];
    const auto end = std::ranges::upper_bound(hops, lead * same_distance_ratio);
    const auto size = static_cast<std::size_t>(end - hops.begin()) - begin;
    if (size * fewest_share >= hops.size()) return {lead / same_distance_ratio, lead * same_distance_ratio};
    begin += size;
  }
  return any_distance;
}

std::vector<std::string> marks_of(const Trial& trial, double reference, const UsualHops& usual) {
  std::vector<std::string> marks = trial.marks;
  std::erase(marks, slow_canary);
  std::erase(marks, moved_cores);
  const double canary = worse_canary(trial);
  if (canary > 0 && canary < slow_canary_share * reference) marks.emplace_back(slow_canary);
  const double hop = trial.hop_seconds;
  if (hop > 0 && (hop < usual.nearest || hop > usual.farthest)) marks.emplace_back(moved_cores);
  return marks;
}

std::vector<std::string> mark_disturbances(std::vector<Trial>& trials) {
  std::map<int, double> references;
  std::map<NodesAndWorkers, UsualHops> usual;
  for (const Trial& trial : trials) {
    references.try_emplace(trial.cell.workers(), 0);
    usual.try_emplace(shape_of(trial));
  }
  for (auto& [workers, reference] : references) reference = canary_reference(trials, workers);
  for (auto& [shape, hops] : usual) hops = usual_hops(trials, shape.first, shape.second);

  struct Tally {
    int all = 0;
    int slow = 0;
    std::set<int> rounds{};  ///< with a trial that is not set aside
  };
  std::map<std::string, Tally> tallies;
  Tally study;
  for (Trial& trial : trials) {
    if (!counts(trial)) continue;
    // What tries a change is compared with what ran seconds before or after it, wherever the cores were then; and what
    // is usual in the study is for its planned trials to say.
    const UsualHops hops = trial.tried.empty() ? usual.at(shape_of(trial)) : any_distance;
    trial.marks = marks_of(trial, references.at(trial.cell.workers()), hops);
    if (trial.warms_up()) continue;
    Tally& tally = tallies[counted_for(trial)];
    const int slow = trial.has_mark(slow_canary) ? 1 : 0;
    tally.all += 1;
    tally.slow += slow;
    if (slow == 0 && !trial.has_mark(moved_cores)) tally.rounds.insert(trial.round);
    study.all += 1;
    study.slow += slow;
  }

  std::vector<std::string> warnings = warnings_of_moves(trials, usual);
  if (study.slow * 10 >= study.all && study.slow > 0) {
    warnings.push_back(fmt::format(
        "the machine was disturbed: in {} of {} trials the canary ran below {:.0f} % of what it reaches here",
        study.slow, study.all, 100 * slow_canary_share));
  }
  for (const auto& [id, tally] : tallies) {
    if (2 * tally.slow <= tally.all || std::cmp_greater_equal(tally.rounds.size(), fewest_values())) continue;
    warnings.push_back(fmt::format("{}: {} of {} trials had a slow canary; they are kept, as the rest would be too few",
                                   id, tally.slow, tally.all));
    for (Trial& trial : trials) {
      if (counts(trial) && counted_for(trial) == id) std::erase(trial.marks, slow_canary);
    }
  }
  return warnings;
}

}  // namespace duet
