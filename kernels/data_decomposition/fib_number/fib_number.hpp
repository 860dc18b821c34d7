#pragma once

/// fib_number: one exact F(n) or L(n), n to 10^9 and beyond, as large as memory allows.
///
/// Input: an index that every worker knows. Output: the number's digits, in radix 2^b (b <= 60) or 10^d (d <= 18),
/// least significant first: in order under shared state, and under message passing in columns, a part of each row of
/// the last transform on every rank (sliced_number.hpp).
///
/// All models double (kernels/arithmetic/fast_doubling.hpp): from F(k), L(k) to F(2k), L(2k) by two forward and two
/// inverse transforms, seven lengths of the answer in all. What is decomposed is the transform:
///
///     serial          one thread goes depth first: what is below 2^15 words stays in its second-level cache
///     openmp, tbb     the first levels by columns, then subtrees, then the last levels by columns, of each prime
///                     while the next is a step behind; each thread takes the next part when it is free; all meet five
///                     times for the transforms of a step
///     mpi             up to 48 subtrees (rows times primes), each whole on one rank; digits are sent to all ranks
///                     before, coefficients by columns after (rank_doubling.hpp)
///     hybrid          the same, where the threads of a rank work off its subtrees side by side
///
/// Cost: 42 N log2(N) / 2 butterflies modulo 48-bit primes for N digits of 60 bits; memory about nine times the answer,
/// `fib_number_memory` says it before. Ranks receive 5 N words each, all steps together, for large p: see
/// rank_doubling.hpp.
///
/// Errors: std::length_error where no radix is left that the primes can multiply; MpiError.
///
/// Sources: see transform/transform.hpp; doubling of (F, L): Wunderlich and others, in Knuth, "The Art of Computer
/// Programming", volume 2, 4.6.3.

#include <cstdint>
#include <string>

#include "kernels/arithmetic/fast_doubling.hpp"
#include "kernels/core/execution.hpp"
#include "kernels/core/problem.hpp"
#include "kernels/core/vocabulary.hpp"
#include "kernels/data_decomposition/fib_number/rank_doubling.hpp"
#include "kernels/data_decomposition/fib_number/sliced_number.hpp"

namespace duet {

class TbbTeam;

/// What is asked.
struct FibNumber {
  Sequence sequence = Sequence::fibonacci;
  std::uint64_t n = 0;
  bool decimal = false;
  const DoublingRecord* record = nullptr;  ///< asked where to begin and told of the steps; null: nobody

  /// The radix of the answer, the same in every model.
  [[nodiscard]] Radix radix() const;
};

/// Working memory of one caller, which grows to what is needed. Who computes many numbers keeps it: taking pages anew
/// costs a quarter of the time.
struct FibNumberSpace {
  TransformContext here;
  RankSpace on_ranks;
};

/// The algorithms. mpi and hybrid are collective over execution.communicator.
[[nodiscard]] SlicedNumber fib_number_serial(const FibNumber& asked, const Execution& execution, FibNumberSpace& space);
[[nodiscard]] SlicedNumber fib_number_openmp(const FibNumber& asked, const Execution& execution, FibNumberSpace& space);
[[nodiscard]] SlicedNumber fib_number_tbb(const FibNumber& asked, const Execution& execution, FibNumberSpace& space,
                                          TbbTeam& workers);
[[nodiscard]] SlicedNumber fib_number_mpi(const FibNumber& asked, const Execution& execution, FibNumberSpace& space);
[[nodiscard]] SlicedNumber fib_number_hybrid(const FibNumber& asked, const Execution& execution, FibNumberSpace& space);

/// By any model, with memory of its own.
[[nodiscard]] SlicedNumber fib_number(const FibNumber& asked, Model model, const Execution& execution);

/// The bytes that all processes of one node need at the most, the answer included.
[[nodiscard]] double fib_number_memory(const FibNumber& asked, Model model, int ranks, int threads);

/// Judges by other mathematics than the kernels', in this order: every digit is in its range; there are as many digits
/// as is said; modulo two random primes of 60 to 62 bits, with the other sequence's number by Lucas' V chain
/// (arithmetic/primes.hpp), L(n)^2 - 5 F(n)^2 = 4 (-1)^n; the number itself is that of the chain modulo each of them,
/// which tells it from minus itself; and the leading digits are those of n log2(phi), which modulo a prime nobody sees.
/// Collective over `communicator`; the verdict is the same on every rank. `seed` draws the primes. About 6 ns a digit.
[[nodiscard]] Judgement judge_fib_number(const FibNumber& asked, const SlicedNumber& answer, std::uint64_t seed,
                                         MPI_Comm communicator);

/// A hash of all digits, the same however they are distributed. Collective.
[[nodiscard]] std::string digest_of_fib_number(const SlicedNumber& answer, MPI_Comm communicator);

/// The problem as the harness sees it. Size: n. Parameters: sequence, radix.
[[nodiscard]] Problem fib_number_problem();

}  // namespace duet
