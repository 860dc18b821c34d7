#include <algorithm>

#include "kernels/arithmetic/fibonacci_text_check.hpp"
#include "kernels/arithmetic/gmp_number.hpp"
#include "kernels/core/mpi.hpp"
#include "kernels/core/partition.hpp"
#include "kernels/mapping/schedule/findings.hpp"
#include "kernels/pipeline/fib_stream/fib_stream.hpp"

namespace duet {
namespace {

/// The text of F(n) by GMP. A thread keeps the number's memory.
std::string text_by_gmp(std::uint64_t n) {
  thread_local GmpNumber number;
  mpz_fib_ui(number.get(), n);
  return decimal_by_gmp(number.limbs());
}

/// Gives every rank its share of what rank 0 found.
std::vector<std::uint64_t> shared_out(const std::vector<std::uint64_t>& whole, std::int64_t count,
                                      MPI_Comm communicator) {
  if (communicator == MPI_COMM_NULL) return whole;
  const int ranks = size_of(communicator);
  const int rank = rank_in(communicator);
  std::vector<std::uint64_t> mine(static_cast<std::size_t>(share_of(count, ranks, rank).size()));
  if (rank == 0) {
    for (int to = 1; to < ranks; ++to) {
      const Range share = share_of(count, ranks, to);
      check(MPI_Send(whole.data() + share.begin, mpi_count(share.size()), MPI_UINT64_T, to, 0, communicator));
    }
    std::copy_n(whole.begin(), mine.size(), mine.begin());
  } else {
    check(MPI_Recv(mine.data(), mpi_count(static_cast<std::int64_t>(mine.size())), MPI_UINT64_T, 0, 0, communicator,
                   MPI_STATUS_IGNORE));
  }
  return mine;
}

/// Fills `expected`, for the inputs from `first` on, and says where the check finds GMP's text wrong.
Finding expect(const FibInputs& inputs, std::int64_t first, std::vector<std::uint64_t>& expected, std::uint64_t seed,
               const Execution& execution) {
  const FibonacciTextCheck text_check{seed};
  constexpr std::int64_t together = 64;
  const auto count = static_cast<std::int64_t>(expected.size());
  return first_wrong_of(
      static_cast<std::size_t>((count + together - 1) / together),
      [&](std::size_t run, Finding& mine) {
        const std::int64_t begin = static_cast<std::int64_t>(run) * together;
        for (std::int64_t i = begin; i < std::min(begin + together, count); ++i) {
          const std::uint64_t n = inputs[first + i];
          const std::string text = text_by_gmp(n);
          if (const auto objection = text_check.objection(n, text); objection && first + i < mine.item) {
            mine = {first + i, *objection};
          }
          expected[static_cast<std::size_t>(i)] = digest_of_line(text);
        }
      },
      execution);
}

}  // namespace

Judgement judge_fib_stream(const FibInputs& inputs, const FibDigests& found, std::vector<std::uint64_t>& expected,
                           std::uint64_t seed, const Execution& execution) {
  const MPI_Comm communicator = execution.communicator;
  // Whether all are there is rank 0's to say.
  auto answers = static_cast<std::int64_t>(found.of_text.size());
  if (communicator != MPI_COMM_NULL) check(MPI_Bcast(&answers, 1, MPI_INT64_T, 0, communicator));
  if (answers != inputs.count()) {
    return {.explanation =
                std::to_string(answers) + " answers to " + std::to_string(inputs.count()) + " inputs were taken"};
  }
  const std::vector<std::uint64_t> mine = shared_out(found.of_text, inputs.count(), communicator);
  const std::int64_t first =
      communicator == MPI_COMM_NULL ? 0 : share_of(inputs.count(), size_of(communicator), rank_in(communicator)).begin;
  Finding wrong;
  if (expected.size() != mine.size() || expected.empty()) {
    expected.assign(mine.size(), 0);
    wrong = expect(inputs, first, expected, seed, execution);
    if (!wrong.none()) expected.clear();
  }
  if (wrong.none()) {
    const auto [at, unused] = std::ranges::mismatch(mine, expected);
    if (at != mine.end()) {
      const std::int64_t item = first + (at - mine.begin());
      wrong = {item, "F(" + std::to_string(inputs[item]) + ") has another text than by other mathematics"};
    }
  }
  wrong = least_of_ranks(std::move(wrong), communicator);
  if (wrong.none()) return {.right = true};
  return {.right = false, .explanation = "input " + std::to_string(wrong.item) + ": " + wrong.explanation};
}

}  // namespace duet
