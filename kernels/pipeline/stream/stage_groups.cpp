#include <algorithm>
#include <stdexcept>
#include <string>

#include "kernels/pipeline/stream/stream_ranks.hpp"

namespace duet {
namespace {

/// Gives `ranks` ranks to groups of these costs, one each at the least: the next one always to the group whose ranks
/// have the most to do. That is optimal, since a group's load only falls as it gets more.
std::vector<int> ranks_for(const std::vector<double>& costs, int ranks) {
  std::vector<int> given(costs.size(), 1);
  for (int left = ranks - static_cast<int>(costs.size()); left > 0; --left) {
    std::size_t busiest = 0;
    for (std::size_t g = 1; g < costs.size(); ++g) {
      if (costs[g] / given[g] > costs[busiest] / given[busiest]) busiest = g;
    }
    ++given[busiest];
  }
  return given;
}

}  // namespace

std::vector<StageGroup> farm(std::size_t stages, int ranks) {
  return {{.begin = 0, .end = stages, .first = 0, .ranks = ranks}};
}

std::vector<StageGroup> stages_by_cost(const std::vector<double>& costs, int ranks) {
  constexpr std::size_t most_stages = 12;
  const std::size_t stages = costs.size();
  if (stages == 0 || ranks <= 1) return farm(stages, ranks);
  if (stages > most_stages) {
    throw std::invalid_argument(std::to_string(stages) + " stages to divide; " + std::to_string(most_stages) +
                                " are the most");
  }
  std::vector<StageGroup> best;
  double least = 0;
  // Bit i of a division: whether a group begins with stage i + 1.
  for (std::size_t division = 0; division < std::size_t{1} << (stages - 1); ++division) {
    std::vector<std::size_t> begins{0};
    std::vector<double> sums{costs[0]};
    for (std::size_t stage = 1; stage < stages; ++stage) {
      if ((division >> (stage - 1) & 1U) != 0) {
        begins.push_back(stage);
        sums.push_back(0);
      }
      sums.back() += costs[stage];
    }
    const bool divided = begins.size() > 1 || stages == 1;
    if (!divided || begins.size() > static_cast<std::size_t>(ranks)) continue;
    const std::vector<int> given = ranks_for(sums, ranks);
    double busiest = 0;
    for (std::size_t g = 0; g < sums.size(); ++g) busiest = std::max(busiest, sums[g] / given[g]);
    const bool better = best.empty() || busiest < least || (busiest == least && begins.size() > best.size());
    if (!better) continue;
    least = busiest;
    best.clear();
    int first = 0;
    for (std::size_t g = 0; g < begins.size(); ++g) {
      const std::size_t end = g + 1 < begins.size() ? begins[g + 1] : stages;
      best.push_back({.begin = begins[g], .end = end, .first = first, .ranks = given[g]});
      first += given[g];
    }
  }
  return best;
}

std::string mapping_text(const std::vector<StageGroup>& groups, const Stream& stream) {
  if (groups.size() <= 1) return "farm";
  std::string text;
  for (const StageGroup& group : groups) {
    text += text.empty() ? "" : " | ";
    for (std::size_t stage = group.begin; stage < group.end; ++stage) {
      text += (stage == group.begin ? "" : ", ") + stream.stages[stage].name;
    }
    text += " on " + std::to_string(group.ranks);
  }
  return text;
}

}  // namespace duet
