#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "kernels/arithmetic/natural.hpp"
#include "kernels/arithmetic/primes.hpp"
#include "kernels/core/mpi.hpp"
#include "kernels/core/number_text.hpp"
#include "kernels/data_decomposition/fib_number/fib_number.hpp"

namespace duet {
namespace {

constexpr std::size_t primes_count = 2;

/// What one rank sees of the number; all of them together decide.
struct Sight {
  std::array<std::uint64_t, primes_count> residues{};
  std::uint64_t size = 0;       ///< 1 + the place of its highest digit that is not zero
  std::uint64_t not_digit = 0;  ///< 1 + the place of a digit that is none
  /// Its digits among the highest three, at places size - 1, size - 2, size - 3 of the number as it is claimed.
  std::array<std::uint64_t, 3> leading{};
};
constexpr int sight_words = primes_count + 2 + 3;
static_assert(sizeof(Sight) == sight_words * sizeof(std::uint64_t));

Sight look_at(const SlicedNumber& number, const std::array<LucasChain, primes_count>& chains) {
  Sight sight;
  for (std::size_t high = 0; high < std::min(sight.leading.size(), number.digits); ++high) {
    sight.leading[high] = number.digit_if_mine(number.digits - 1 - high);
  }
  for (std::size_t r = 0; r < number.shape.rows; ++r) {
    const auto row = number.row(r);
    const std::size_t place = number.place_of(r);
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (row[i] != 0) sight.size = place + i + 1;
      if (row[i] >= number.radix.base) sight.not_digit = place + i + 1;
    }
    // Side by side, since each digit waits for the one above it.
    const std::array<FactorModulo, primes_count> bases{FactorModulo{number.radix.base, chains[0].prime()},
                                                       FactorModulo{number.radix.base, chains[1].prime()}};
    std::array<std::uint64_t, primes_count> values{};
    for (std::size_t i = row.size(); i-- > 0;) {
      for (std::size_t x = 0; x < primes_count; ++x) {
        values[x] = bases[x].lessened(bases[x](values[x]) + row[i] % chains[x].prime());
      }
    }
    for (std::size_t x = 0; x < primes_count; ++x) {
      const std::uint64_t p = chains[x].prime();
      const std::uint64_t value = product_modulo(values[x], power_modulo(number.radix.base, place, p), p);
      sight.residues[x] = (sight.residues[x] + value) % p;
    }
  }
  return sight;
}

std::uint64_t right_residue(const FibNumber& asked, const LucasChain& chain) {
  return asked.sequence == Sequence::fibonacci ? chain.fibonacci(asked.n) : chain.lucas(asked.n);
}

/// L(n)^2 - 5 F(n)^2 modulo the prime, where `residue` is that of the number asked for, and the other is the chain's.
std::uint64_t norm(const FibNumber& asked, std::uint64_t residue, const LucasChain& chain) {
  const bool is_f = asked.sequence == Sequence::fibonacci;
  const std::uint64_t p = chain.prime();
  const std::uint64_t f = is_f ? residue : chain.fibonacci(asked.n);
  const std::uint64_t l = is_f ? chain.lucas(asked.n) : residue;
  return (product_modulo(l, l, p) + p - product_modulo(5, product_modulo(f, f, p), p)) % p;
}

/// log2 L(n) is n log2(phi), but for a term as small as that left out in fibonacci_log2.
long double right_log2(const FibNumber& asked) {
  constexpr long double half_log2_five = 1.16096404744368117394L;
  return fibonacci_log2(asked.n) + (asked.sequence == Sequence::lucas ? half_log2_five : 0.0L);
}

}  // namespace

Judgement judge_fib_number(const FibNumber& asked, const SlicedNumber& answer, std::uint64_t seed,
                           MPI_Comm communicator) {
  const std::array<LucasChain, primes_count> chains{LucasChain{random_prime(seed, 0)},
                                                    LucasChain{random_prime(seed, 1)}};
  const Sight mine = look_at(answer, chains);
  std::vector<Sight> all{mine};
  if (communicator != MPI_COMM_NULL) {
    all.resize(static_cast<std::size_t>(size_of(communicator)));
    check(MPI_Allgather(&mine, sight_words, MPI_UINT64_T, all.data(), sight_words, MPI_UINT64_T, communicator));
  }
  Sight sight;
  for (const Sight& one : all) {
    sight.size = std::max(sight.size, one.size);
    sight.not_digit = std::max(sight.not_digit, one.not_digit);
    for (std::size_t i = 0; i < sight.leading.size(); ++i) sight.leading[i] += one.leading[i];
    for (std::size_t x = 0; x < primes_count; ++x) {
      sight.residues[x] = (sight.residues[x] + one.residues[x]) % chains[x].prime();
    }
  }

  const char letter = asked.sequence == Sequence::fibonacci ? 'F' : 'L';
  const auto wrong = [&](const std::string& what) {
    return Judgement{.right = false, .explanation = std::string{letter} + "(" + std::to_string(asked.n) + ") " + what};
  };
  if (sight.not_digit != 0) {
    return wrong("has no digit at place " + std::to_string(sight.not_digit - 1) + ": it is not below " +
                 std::to_string(answer.radix.base));
  }
  if (sight.size != answer.digits) {
    return wrong("is said to have " + std::to_string(answer.digits) + " digits and has " + std::to_string(sight.size));
  }
  // L^2 - 5 F^2 = 4 (-1)^n sees all but the sign; the residue itself sees that too.
  const bool odd = asked.n % 2 != 0;
  for (std::size_t x = 0; x < primes_count; ++x) {
    const std::uint64_t p = chains[x].prime();
    const std::uint64_t found = norm(asked, sight.residues[x], chains[x]);
    if (found != (odd ? p - 4 : 4)) {
      return wrong("breaks L^2 - 5 F^2 = " + std::string{odd ? "-4" : "4"} + ": it is " + std::to_string(found) +
                   " modulo " + std::to_string(p));
    }
  }
  for (std::size_t x = 0; x < primes_count; ++x) {
    const std::uint64_t right = right_residue(asked, chains[x]);
    if (sight.residues[x] != right) {
      return wrong("is " + std::to_string(sight.residues[x]) + " modulo " + std::to_string(chains[x].prime()) + "; " +
                   std::to_string(right) + " is right");
    }
  }
  if (answer.digits == 0) return {.right = true};  // right modulo two primes: 0
  const auto base = static_cast<long double>(answer.radix.base);
  const long double leading =
      (static_cast<long double>(sight.leading[0]) * base + static_cast<long double>(sight.leading[1])) * base +
      static_cast<long double>(sight.leading[2]);
  const long double log2 = std::log2(leading) + (static_cast<long double>(answer.digits) - 3) * std::log2(base);
  // Small numbers are off by the term that the formula leaves out, below 2.2 phi^-2n; large ones by the rounding of
  // n log2(phi) and of the number of digits times log2(base), both to 2^-62 of their size.
  constexpr long double phi = 1.6180339887498948482L;
  const long double allowed = 2.2L * std::pow(phi, -2 * static_cast<long double>(asked.n)) +
                              (static_cast<long double>(asked.n) + 64) * 0x1p-61L + 0x1p-57L;
  const long double off = std::abs(log2 - right_log2(asked));
  if (!(off <= allowed)) {
    return wrong("is off by a factor of 2^" + number_text(static_cast<double>(log2 - right_log2(asked))));
  }
  return {.right = true};
}

}  // namespace duet
