#include "kernels/core/wait_cycle.hpp"

#include <algorithm>
#include <cstdint>
#include <deque>

namespace duet {

std::vector<std::size_t> shortest_cycle(const std::vector<std::vector<std::size_t>>& waits_for) {
  constexpr std::size_t none = SIZE_MAX;
  std::vector<std::size_t> shortest;
  for (std::size_t start = 0; start < waits_for.size(); ++start) {
    std::vector<std::size_t> from(waits_for.size(), none);
    std::deque<std::size_t> next{start};
    while (!next.empty() && from[start] == none) {
      const std::size_t at = next.front();
      next.pop_front();
      for (const std::size_t to : waits_for[at]) {
        if (from[to] != none) continue;
        from[to] = at;
        next.push_back(to);
      }
    }
    if (from[start] == none) continue;
    std::vector<std::size_t> found{start};
    for (std::size_t at = from[start]; at != start; at = from[at]) found.push_back(at);
    std::reverse(found.begin() + 1, found.end());
    if (shortest.empty() || found.size() < shortest.size()) shortest = std::move(found);
  }
  return shortest;
}

}  // namespace duet
