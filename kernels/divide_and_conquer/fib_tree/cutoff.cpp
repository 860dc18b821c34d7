#include "kernels/divide_and_conquer/fib_tree/cutoff.hpp"

#include <algorithm>
#include <chrono>
#include <limits>

#include "kernels/divide_and_conquer/fib_tree/tree.hpp"

namespace duet {
namespace {

template <class Act>
double least_seconds(const Act& act) {
  using Clock = std::chrono::steady_clock;
  constexpr int rounds = 3;
  double least = std::numeric_limits<double>::infinity();
  for (int round = 0; round < rounds; ++round) {
    const Clock::time_point begin = Clock::now();
    act();
    least = std::min(least, std::chrono::duration<double>(Clock::now() - begin).count());
  }
  return least;
}

/// What tasks take in all; nothing where the whole tree is one.
double tasks_seconds(std::int64_t n, std::int64_t cutoff, const TreeCosts& costs) {
  return n <= cutoff ? 0 : static_cast<double>(tasks_of_tree(n, cutoff)) * costs.task;
}

}  // namespace

double predicted_seconds(std::int64_t n, std::int64_t cutoff, std::int64_t workers, const TreeCosts& costs) {
  const double last = calls_of_tree(std::min(n, cutoff)) * costs.call;
  const double all = calls_of_tree(n) * costs.call + tasks_seconds(n, cutoff, costs);
  const auto p = static_cast<double>(workers);
  return all / p + (1 - 1 / p) * last;
}

double task_overhead(std::int64_t n, std::int64_t cutoff, const TreeCosts& costs) {
  const double tasks = tasks_seconds(n, cutoff, costs);
  return tasks / (tasks + calls_of_tree(n) * costs.call);
}

std::int64_t chosen_cutoff(std::int64_t n, std::int64_t workers, const TreeCosts& costs) {
  std::int64_t best = std::max<std::int64_t>(n, 1);
  for (std::int64_t cutoff = best - 1; cutoff >= 1; --cutoff) {
    if (predicted_seconds(n, cutoff, workers, costs) < predicted_seconds(n, best, workers, costs)) best = cutoff;
  }
  return best;
}

TreeCosts measured_costs(const std::function<void(std::int64_t n)>& run, std::int64_t workers) {
  constexpr std::int64_t n = 20;  // 21891 calls, 10946 tasks: half a millisecond at 50 ns a task
  run(n);                         // the first time threads come late
  TreeCosts costs;
  costs.call = least_seconds([] { static_cast<void>(plain_fibonacci(n)); }) / calls_of_tree(n);
  const double all = least_seconds([&run] { run(n); }) * static_cast<double>(workers);
  const double beside = all - calls_of_tree(n) * costs.call;
  costs.task = std::max(beside, 0.0) / static_cast<double>(tasks_of_tree(n, 1));
  return costs;
}

}  // namespace duet
