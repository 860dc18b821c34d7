#include "kernels/divide_and_conquer/fib_tree/verify.hpp"

#include <bit>
#include <string>

#include "kernels/core/mpi.hpp"
#include "kernels/mapping/schedule/findings.hpp"

namespace duet {
namespace {

std::uint64_t fibonacci_by_doubling(std::uint64_t n) {
  std::uint64_t own = 0;   // F(k), where k is what has been read of n
  std::uint64_t next = 1;  // F(k + 1)
  for (auto bit = static_cast<unsigned>(std::bit_width(n)); bit-- > 0;) {
    const std::uint64_t doubled = own * (2 * next - own);
    const std::uint64_t after = own * own + next * next;
    const bool odd = (n >> bit & 1U) != 0;
    own = odd ? after : doubled;
    next = odd ? doubled + after : after;
  }
  return own;
}

std::string objection(const std::string& what, std::uint64_t found, std::uint64_t right) {
  return what + " " + std::to_string(found) + "; " + std::to_string(right) + " is right";
}

}  // namespace

Judgement judge_fib_tree(std::int64_t n, std::int64_t cutoff, const TreeCount& found, MPI_Comm communicator) {
  const auto index = static_cast<std::uint64_t>(n);
  const std::uint64_t value = fibonacci_by_doubling(index);
  const std::uint64_t calls = 2 * fibonacci_by_doubling(index + 1) - 1;
  const std::uint64_t tasks = n <= cutoff ? 1 : fibonacci_by_doubling(static_cast<std::uint64_t>(n - cutoff + 2));
  const std::string name = std::to_string(n);
  Finding mine;
  mine.item = rank_in(communicator);
  if (found.value != value) {
    mine.explanation = objection("F(" + name + ") is", found.value, value);
  } else if (found.calls != calls) {
    mine.explanation = objection("calls from n = " + name + ":", found.calls, calls);
  } else if (found.tasks != tasks) {
    mine.explanation =
        objection("tasks from n = " + name + " cut at " + std::to_string(cutoff) + ":", found.tasks, tasks);
  } else {
    mine = {};
  }
  const Finding first = least_of_ranks(mine, communicator);
  if (first.none()) return {.right = true};
  const std::string where = communicator == MPI_COMM_NULL ? "" : "rank " + std::to_string(first.item) + ": ";
  return {.right = false, .explanation = where + first.explanation};
}

}  // namespace duet
