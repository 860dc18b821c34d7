#include <xxhash.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <limits>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "kernels/arithmetic/primes.hpp"
#include "kernels/core/mpi.hpp"
#include "kernels/mapping/fib_batch/fib_batch.hpp"

namespace duet {
namespace {

/// An item that is wrong, and why. Without one, `item` is larger than any.
struct Finding {
  std::int64_t item = std::numeric_limits<std::int64_t>::max();
  std::string explanation{};
};

// A sum over all ranks, of 64-bit words that may overflow.
std::uint64_t summed(std::uint64_t mine, MPI_Comm communicator) {
  if (communicator != MPI_COMM_NULL) {
    check(MPI_Allreduce(MPI_IN_PLACE, &mine, 1, MPI_UINT64_T, MPI_SUM, communicator));
  }
  return mine;
}

/// The finding with the least item of all ranks, on all ranks.
Finding least_of_ranks(Finding mine, MPI_Comm communicator) {
  if (communicator == MPI_COMM_NULL) return mine;
  std::int64_t least = mine.item;
  check(MPI_Allreduce(MPI_IN_PLACE, &least, 1, MPI_INT64_T, MPI_MIN, communicator));
  int speaker = mine.item == least ? rank_in(communicator) : size_of(communicator);
  check(MPI_Allreduce(MPI_IN_PLACE, &speaker, 1, MPI_INT, MPI_MIN, communicator));
  int length = mpi_count(static_cast<std::int64_t>(mine.explanation.size()));
  check(MPI_Bcast(&length, 1, MPI_INT, speaker, communicator));
  mine.item = least;
  mine.explanation.resize(static_cast<std::size_t>(length));
  check(MPI_Bcast(mine.explanation.data(), length, MPI_CHAR, speaker, communicator));
  return mine;
}

/// Judges single answers.
class Oracle {
 public:
  Oracle(const FibBatch& batch, std::uint64_t seed)
      : batch_{batch}, chains_{LucasChain{random_prime(seed, 0)}, LucasChain{random_prime(seed, 1)}} {}

  /// What is wrong with `answer` as F(n); nothing where it is right.
  [[nodiscard]] std::optional<std::string> objection(std::uint64_t n, const Natural& answer) const {
    if (n == 0) return answer == Natural{} ? std::nullopt : std::optional{said(n, "is not 0")};
    const long double off = std::abs(answer.log2() - fibonacci_log2(n));
    if (!(off <= largest_log2_error(n))) {
      return said(n, "has " + std::to_string(answer.bits()) + " bits and is off by 2^" +
                         std::to_string(static_cast<double>(answer.log2() - fibonacci_log2(n))));
    }
    for (const LucasChain& chain : chains_) {
      const std::uint64_t found = answer.modulo(chain.prime());
      const std::uint64_t right = chain.fibonacci(n);
      if (found != right) {
        return said(n, "is " + std::to_string(found) + " modulo " + std::to_string(chain.prime()) + "; " +
                           std::to_string(right) + " is right");
      }
    }
    return std::nullopt;
  }
  [[nodiscard]] std::optional<std::string> objection(std::uint64_t n, std::uint64_t residue) const {
    const std::uint64_t right = fibonacci_modulo_by_division(n, batch_.modulus);
    if (residue == right) return std::nullopt;
    return said(n, "mod " + std::to_string(batch_.modulus) + " is " + std::to_string(residue) + "; " +
                       std::to_string(right) + " is right");
  }

 private:
  static std::string said(std::uint64_t n, const std::string& what) { return "F(" + std::to_string(n) + ") " + what; }

  // The formula leaves out a term below 1.5 phi^-2n of F(n), which is phi^-2n 1.5 / ln 2 in the logarithm. Rounding,
  // with 64 bits in a long double: n log2(phi) to 2^-63 of its size, the difference and the sum of the exponent to as
  // much, and the logarithm of the leading word, below 64, to 2^-58.
  static long double largest_log2_error(std::uint64_t n) {
    constexpr long double phi = 1.6180339887498948482L;
    return std::pow(phi, -2 * static_cast<long double>(n)) * 2.17L + static_cast<long double>(n) * 0x1p-61L + 0x1p-57L;
  }

  const FibBatch& batch_;
  std::array<LucasChain, 2> chains_;
};

/// The first wrong one of the answers held here, looked at by as many threads as computed them. They are made and ended
/// here: a team of a runtime would still be spinning when the next execution is timed.
class Inspection {
 public:
  Inspection(const FibBatch& batch, const Answers& answers, const Oracle& oracle) : batch_{batch}, oracle_{oracle} {
    for (const Shelf& shelf : answers.shelves()) {
      for (const Answered& run : shelf.answered) runs_.push_back({&shelf, run});
    }
  }

  [[nodiscard]] Finding first_wrong(const Execution& execution) {
    {
      std::vector<std::jthread> others;
      for (int t = 1; t < execution.threads; ++t) {
        others.emplace_back([this, &execution, t] {
          if (execution.on_worker_start) execution.on_worker_start(t);
          inspect();
        });
      }
      inspect();
    }
    return first_;
  }

 private:
  struct Run {
    const Shelf* shelf;
    Answered answered;
  };

  void inspect() {
    Finding mine;
    for (std::size_t r = next_++; r < runs_.size(); r = next_++) {
      const Answered& run = runs_[r].answered;
      for (std::int64_t i = run.items.begin; i < run.items.end && i < mine.item; ++i) {
        const auto place = static_cast<std::size_t>(run.first + i - run.items.begin);
        if (auto objection = objection_to(i, *runs_[r].shelf, place)) mine = {i, *std::move(objection)};
      }
    }
    const std::scoped_lock lock{mutex_};
    if (mine.item < first_.item) first_ = std::move(mine);
  }

  [[nodiscard]] std::optional<std::string> objection_to(std::int64_t i, const Shelf& shelf, std::size_t place) const {
    if (i < 0 || i >= batch_.inputs.count()) return "is not in the batch";
    const std::uint64_t n = batch_.inputs[i];
    if (place >= (batch_.exact() ? shelf.naturals.size() : shelf.residues.size())) return "has lost its answer";
    return batch_.exact() ? oracle_.objection(n, shelf.naturals[place]) : oracle_.objection(n, shelf.residues[place]);
  }

  const FibBatch& batch_;
  const Oracle& oracle_;
  std::vector<Run> runs_;
  std::atomic<std::size_t> next_ = 0;
  std::mutex mutex_;
  Finding first_;
};

/// A hash of an index (the finaliser of splitmix64), so that a sum of hashes tells sets of indices apart.
std::uint64_t hash_of(std::int64_t i) {
  auto x = static_cast<std::uint64_t>(i) + 0x9e3779b97f4a7c15U;
  x = (x ^ x >> 30U) * 0xbf58476d1ce4e5b9U;
  x = (x ^ x >> 27U) * 0x94d049bb133111ebU;
  return x ^ x >> 31U;
}

/// Whether the items below `end` were answered exactly once each: their hashes sum up to what they should. Wrong with a
/// chance of 2^-64.
bool covered_once_below(std::int64_t end, const Answers& answers, MPI_Comm communicator) {
  const Range mine = share_of(end, size_of(communicator), rank_in(communicator));
  std::uint64_t sum = 0;
  for (std::int64_t i = mine.begin; i < mine.end; ++i) sum -= hash_of(i);
  std::uint64_t count = 0 - static_cast<std::uint64_t>(mine.size());
  for (const Shelf& shelf : answers.shelves()) {
    for (const Answered& run : shelf.answered) {
      for (std::int64_t i = run.items.begin; i < std::min(run.items.end, end); ++i, ++count) sum += hash_of(i);
    }
  }
  // Both sums are needed on all ranks before one of them may return.
  const bool hashes_agree = summed(sum, communicator) == 0;
  const bool counts_agree = summed(count, communicator) == 0;
  return hashes_agree && counts_agree;
}

/// The first item that was not answered exactly once. Only a wrong batch pays for the search, by bisection.
Finding first_not_once(const FibBatch& batch, const Answers& answers, MPI_Comm communicator) {
  std::int64_t covered = 0;
  std::int64_t uncovered = batch.inputs.count();
  if (covered_once_below(uncovered, answers, communicator)) return {};
  while (uncovered - covered > 1) {
    const std::int64_t middle = covered + (uncovered - covered) / 2;
    (covered_once_below(middle, answers, communicator) ? covered : uncovered) = middle;
  }
  std::uint64_t times = 0;
  for (const Shelf& shelf : answers.shelves()) {
    for (const Answered& run : shelf.answered) times += run.items.contains(covered) ? 1U : 0U;
  }
  return {covered, "is answered " + std::to_string(summed(times, communicator)) + " times"};
}

}  // namespace

Judgement judge_fib_batch(const FibBatch& batch, const Answers& answers, std::uint64_t seed,
                          const Execution& execution) {
  const MPI_Comm communicator = execution.communicator;
  const Oracle oracle{batch, seed};
  const Finding not_once = first_not_once(batch, answers, communicator);
  Finding wrong = least_of_ranks(Inspection{batch, answers, oracle}.first_wrong(execution), communicator);
  if (not_once.item < wrong.item) wrong = not_once;
  if (wrong.item == Finding{}.item) return {.right = true};
  return {.right = false, .explanation = "item " + std::to_string(wrong.item) + ": " + wrong.explanation};
}

std::string digest_of_fib_batch(const FibBatch& batch, const Answers& answers, MPI_Comm communicator) {
  std::uint64_t sum = 0;
  const auto add = [&sum](std::int64_t i, std::span<const std::uint64_t> limbs) {
    sum += XXH3_64bits_withSeed(limbs.data(), limbs.size_bytes(), hash_of(i));
  };
  if (batch.exact()) {
    answers.each_natural([&](std::int64_t i, const Natural& answer) { add(i, answer.limbs()); });
  } else {
    answers.each_residue([&](std::int64_t i, std::uint64_t answer) { add(i, {&answer, 1}); });
  }
  sum = summed(sum, communicator);
  constexpr std::string_view hexadecimal = "0123456789abcdef";
  std::string text(16, '0');
  for (std::size_t digit = 0; digit < text.size(); ++digit) text[15 - digit] = hexadecimal[sum >> (4 * digit) & 0xfU];
  return text;
}

}  // namespace duet
