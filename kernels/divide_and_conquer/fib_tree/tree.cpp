#include "kernels/divide_and_conquer/fib_tree/tree.hpp"

#include <stdexcept>
#include <string>

#include "kernels/core/number_text.hpp"

namespace duet {

// Inlined into itself, a recursion of gcc 12 does ten levels in one call, and nothing of the tree is left: 0.3 ns for
// what is called a call. The statement without instructions keeps the last call from becoming a loop.
[[gnu::noinline]] CallCount plain_fibonacci(std::int64_t n) {
  if (n < 2) return {static_cast<std::uint64_t>(n), 1};
  const CallCount first = plain_fibonacci(n - 1);
  CallCount second = plain_fibonacci(n - 2);
  asm volatile("" : "+r"(second.value));
  return {first.value + second.value, first.calls + second.calls + 1};
}

double calls_of_tree(std::int64_t n) {
  const auto before = static_cast<double>(fibonacci_numbers.at(static_cast<std::size_t>(n < 1 ? 0 : n - 1)));
  const auto own = static_cast<double>(fibonacci_numbers.at(static_cast<std::size_t>(n)));
  // F(n+1) = F(n) + F(n-1); F(-1) = 1.
  return 2 * (own + (n < 1 ? 1 : before)) - 1;
}

std::uint64_t tasks_of_tree(std::int64_t n, std::int64_t cutoff) {
  if (n <= cutoff) return 1;
  const auto above = static_cast<std::size_t>(n - cutoff);
  return fibonacci_numbers.at(above + 1) + fibonacci_numbers.at(above);
}

void require_feasible(std::int64_t n, std::int64_t workers) {
  if (n < 0 || n > largest_tree) {
    throw std::invalid_argument("fib_tree of " + std::to_string(n) + ": n is from 0 to " +
                                std::to_string(largest_tree) + ", since F(94) needs more than 64 bits");
  }
  constexpr double call = 1e-9 / 3600;
  constexpr double most_hours = 12;
  constexpr double countable = 0x1p62;  // tasks are numbered in 63 bits, however many workers there are
  const double hours = calls_of_tree(n) * call / static_cast<double>(workers);
  if (hours <= most_hours && calls_of_tree(n) < countable) return;
  throw std::invalid_argument("fib_tree of " + std::to_string(n) + ": the tree has " + number_text(calls_of_tree(n)) +
                              " calls, about " + number_text(hours) + " hours for " + std::to_string(workers) +
                              (workers == 1 ? " worker" : " workers") + "; what takes more than 12 is refused");
}

}  // namespace duet
