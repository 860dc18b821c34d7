#pragma once

/// The tree of calls of the plain recursion: what it counts, what it counts by formula, and its tasks by number.

#include <array>
#include <cstdint>

#include "kernels/core/partition.hpp"

namespace duet {

/// The largest n whose F(n) has 64 bits.
inline constexpr std::int64_t largest_tree = 93;

/// What a part of the tree found. Parts add up.
struct TreeCount {
  std::uint64_t value = 0;  ///< of F
  std::uint64_t calls = 0;  ///< modulo 2^64, which only trees of 92 and 93 reach
  std::uint64_t tasks = 0;  ///< leaves at the cut-off

  TreeCount& operator+=(const TreeCount& other) {
    value += other.value;
    calls += other.calls;
    tasks += other.tasks;
    return *this;
  }
  friend bool operator==(const TreeCount&, const TreeCount&) = default;
};

struct CallCount {
  std::uint64_t value = 0;
  std::uint64_t calls = 0;
};

/// The plain recursion, one real call for each of the 2 F(n+1) - 1: what a leaf of the tree does in every model, and
/// all that serial does. Needs n >= 0.
[[nodiscard]] CallCount plain_fibonacci(std::int64_t n);

/// A leaf of the tree: one task. A call that calls nobody is done here, since it would be no task but a call of one.
[[nodiscard]] inline TreeCount leaf_of_tree(std::int64_t n) {
  if (n < 2) return {static_cast<std::uint64_t>(n), 1, 1};
  const CallCount found = plain_fibonacci(n);
  return {found.value, found.calls, 1};
}

/// F(0) to F(93), by addition.
inline constexpr std::array<std::uint64_t, largest_tree + 1> fibonacci_numbers = [] {
  std::array<std::uint64_t, largest_tree + 1> numbers{0, 1};
  for (std::size_t k = 2; k < numbers.size(); ++k) numbers[k] = numbers[k - 1] + numbers[k - 2];
  return numbers;
}();

/// 2 F(n+1) - 1, the calls of the recursion from n. Exact up to 2^53. Needs 0 <= n <= largest_tree.
[[nodiscard]] double calls_of_tree(std::int64_t n);

/// The tasks of the tree cut at `cutoff` >= 1: F(n - cutoff + 2), or one where n is not above it.
[[nodiscard]] std::uint64_t tasks_of_tree(std::int64_t n, std::int64_t cutoff);

/// Whether letter k of the Fibonacci word abaababa... is b. The words W(c) = a, W(c-1) = b, W(n) = W(n-1) W(n-2) are
/// its beginnings, and they are what the leaves of a tree are from left to right: a of index c, the cut-off, b of c
/// - 1. The letter is b where (k + 1) / phi and (k + 2) / phi have one whole part, for which 64 bits behind the point
/// are enough up to k = 4 10^9; beyond, k loses the longest word before it. A nanosecond. Needs 0 <= k < F(93).
[[nodiscard]] constexpr bool is_short_leaf(std::int64_t k) {
  constexpr std::uint64_t reciprocal_of_phi = 0x9e3779b97f4a7c16;  // 2^64 / phi, rounded
  constexpr auto exact = std::int64_t{1} << 31U;
  for (std::size_t word = fibonacci_numbers.size() - 2; k >= exact; --word) {
    const auto length = static_cast<std::int64_t>(fibonacci_numbers[word]);
    if (length <= k) k -= length;
  }
  const std::uint64_t fraction = (static_cast<std::uint64_t>(k) + 1) * reciprocal_of_phi;
  return fraction + reciprocal_of_phi > fraction;
}

/// Calls act(index) for all tasks of the tree of n cut at `cutoff`, from left to right, by the recursion: `index` is
/// the n of the leaf, the cut-off or one less. Returns the calls above the tasks. Not to be inlined: see
/// plain_fibonacci.
template <class Act>
[[gnu::noinline]] std::uint64_t every_task(std::int64_t n, std::int64_t cutoff, const Act& act) {
  if (n <= cutoff) {
    act(n);
    return 0;
  }
  const std::uint64_t first = every_task(n - 1, cutoff, act);
  return first + every_task(n - 2, cutoff, act) + 1;
}

/// The same for the tasks numbered `tasks` from left to right, never none, through the part of the tree that is above
/// them; a single one is found by its number. Where the paths to tasks k - 1 and k part stands a call: those of the
/// tasks k > 0 in `tasks` are returned, so that all ranges of a tree together have all calls once.
template <class Act>
std::uint64_t each_task(std::int64_t n, std::int64_t cutoff, Range tasks, const Act& act) {
  if (n <= cutoff) return every_task(n, cutoff, act);
  if (tasks.size() == 1) {
    act(is_short_leaf(tasks.begin) ? cutoff - 1 : cutoff);
    return tasks.begin > 0 ? 1 : 0;
  }
  const auto left = static_cast<std::int64_t>(tasks_of_tree(n - 1, cutoff));
  const auto right = static_cast<std::int64_t>(tasks_of_tree(n - 2, cutoff));
  if (tasks == Range{0, left + right}) return every_task(n, cutoff, act);
  std::uint64_t calls = tasks.begin <= left && left < tasks.end ? 1 : 0;
  if (tasks.begin < left) {
    calls += each_task(n - 1, cutoff, {tasks.begin, tasks.end < left ? tasks.end : left}, act);
  }
  if (left < tasks.end) {
    calls += each_task(n - 2, cutoff, {tasks.begin > left ? tasks.begin - left : 0, tasks.end - left}, act);
  }
  return calls;
}

/// Throws std::invalid_argument unless 0 <= n <= largest_tree, and where the calls, at a nanosecond each, would take
/// `workers` workers more than twelve hours; says how long it would be.
void require_feasible(std::int64_t n, std::int64_t workers);

}  // namespace duet
