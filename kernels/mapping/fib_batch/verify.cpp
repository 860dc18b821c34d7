#include <xxhash.h>

#include <array>
#include <cmath>
#include <optional>
#include <vector>

#include "kernels/arithmetic/primes.hpp"
#include "kernels/core/digest.hpp"
#include "kernels/mapping/fib_batch/fib_batch.hpp"
#include "kernels/mapping/schedule/findings.hpp"

namespace duet {
namespace {

/// Judges single answers.
class Oracle {
 public:
  Oracle(const FibBatch& batch, std::uint64_t seed)
      : batch_{batch}, chains_{LucasChain{random_prime(seed, 0)}, LucasChain{random_prime(seed, 1)}} {
    constexpr std::int64_t many = 256;
    if (!batch.exact() && batch.inputs.count() >= many) by_addition_.emplace(batch.modulus, batch.inputs.largest());
  }

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
    const std::uint64_t right = by_addition_ ? (*by_addition_)(n) : fibonacci_modulo_by_division(n, batch_.modulus);
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
  std::optional<FibonacciByAddition> by_addition_;  // where there are many residues
};

/// The answers that one process holds, as threads look at them.
class Inspection {
 public:
  Inspection(const FibBatch& batch, const Answers& answers, const Oracle& oracle) : batch_{batch}, oracle_{oracle} {
    for (const Shelf& shelf : answers.shelves()) {
      for (const Answered& run : shelf.answered) runs_.push_back({&shelf, run});
    }
  }

  [[nodiscard]] Finding first_wrong(const Execution& execution) const {
    return first_wrong_of(
        runs_.size(), [this](std::size_t run, Finding& mine) { look(runs_[run], mine); }, execution);
  }
  [[nodiscard]] std::vector<Range> answered() const {
    std::vector<Range> items;
    items.reserve(runs_.size());
    for (const Run& run : runs_) items.push_back(run.answered.items);
    return items;
  }

 private:
  struct Run {
    const Shelf* shelf;
    Answered answered;
  };

  void look(const Run& run, Finding& mine) const {
    const Range items = run.answered.items;
    for (std::int64_t i = items.begin; i < items.end && i < mine.item; ++i) {
      const auto place = static_cast<std::size_t>(run.answered.first + i - items.begin);
      if (auto objection = objection_to(i, *run.shelf, place)) mine = {i, *std::move(objection)};
    }
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
};

}  // namespace

Judgement judge_fib_batch(const FibBatch& batch, const Answers& answers, std::uint64_t seed,
                          const Execution& execution) {
  const MPI_Comm communicator = execution.communicator;
  const Oracle oracle{batch, seed};
  const Inspection inspection{batch, answers, oracle};
  const Finding not_once = first_not_once(batch.inputs.count(), inspection.answered(), communicator);
  Finding wrong = least_of_ranks(inspection.first_wrong(execution), communicator);
  if (not_once.item < wrong.item) wrong = not_once;
  if (wrong.none()) return {.right = true};
  return {.right = false, .explanation = "item " + std::to_string(wrong.item) + ": " + wrong.explanation};
}

std::string digest_of_fib_batch(const FibBatch& batch, const Answers& answers, MPI_Comm communicator) {
  std::uint64_t sum = 0;
  const auto add = [&sum](std::int64_t i, std::span<const std::uint64_t> limbs) {
    sum += XXH3_64bits_withSeed(limbs.data(), limbs.size_bytes(), hash_of(static_cast<std::uint64_t>(i)));
  };
  if (batch.exact()) {
    answers.each_natural([&](std::int64_t i, const Natural& answer) { add(i, answer.limbs()); });
  } else {
    answers.each_residue([&](std::int64_t i, std::uint64_t answer) { add(i, {&answer, 1}); });
  }
  return digest_text(summed(sum, communicator));
}

}  // namespace duet
