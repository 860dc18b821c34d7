#include "kernels/mapping/schedule/assignment.hpp"

#include <algorithm>
#include <functional>
#include <numeric>
#include <queue>
#include <stdexcept>
#include <string>
#include <utility>

namespace duet {

std::vector<std::uint32_t> longest_first_order(std::span<const double> costs) {
  std::vector<std::uint32_t> order(costs.size());
  std::iota(order.begin(), order.end(), 0U);
  std::ranges::stable_sort(order, std::greater{}, [&](std::uint32_t item) { return costs[item]; });
  return order;
}

std::vector<int> assigned_longest_first(std::span<const double> costs, int workers) {
  if (workers < 1) throw std::invalid_argument("items for " + std::to_string(workers) + " workers");
  using Load = std::pair<double, int>;
  std::priority_queue<Load, std::vector<Load>, std::greater<>> loads;
  for (int worker = 0; worker < workers; ++worker) loads.emplace(0, worker);
  std::vector<int> worker_of_item(costs.size());
  for (const std::uint32_t item : longest_first_order(costs)) {
    const auto [load, worker] = loads.top();
    loads.pop();
    worker_of_item[item] = worker;
    loads.emplace(load + costs[item], worker);
  }
  return worker_of_item;
}

double makespan(std::span<const double> costs, std::span<const int> worker_of_item, int workers) {
  std::vector<double> loads(static_cast<std::size_t>(workers));
  for (std::size_t item = 0; item < costs.size(); ++item) {
    loads[static_cast<std::size_t>(worker_of_item[item])] += costs[item];
  }
  return loads.empty() ? 0 : std::ranges::max(loads);
}

}  // namespace duet
