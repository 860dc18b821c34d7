#include <xxhash.h>

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

std::uint64_t power_modulo(std::uint64_t base, std::uint64_t exponent, std::uint64_t m) {
  std::uint64_t result = 1 % m;
  for (base %= m; exponent != 0; exponent >>= 1U) {
    if ((exponent & 1U) != 0) result = product_modulo(result, base, m);
    base = product_modulo(base, base, m);
  }
  return result;
}

Sight look_at(const SlicedNumber& number, const std::array<LucasChain, primes_count>& chains) {
  Sight sight;
  for (std::size_t r = 0; r < number.shape.rows; ++r) {
    const auto row = number.row(r);
    const std::size_t place = number.place_of(r);
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (row[i] != 0) sight.size = place + i + 1;
      if (row[i] >= number.radix.base) sight.not_digit = place + i + 1;
    }
    for (std::size_t high = 0; high < sight.leading.size(); ++high) {
      const std::size_t wanted = number.digits - 1 - high;
      if (high < number.digits && wanted >= place && wanted - place < row.size()) {
        sight.leading[high] = row[wanted - place];
      }
    }
    for (std::size_t x = 0; x < primes_count; ++x) {
      const std::uint64_t p = chains[x].prime();
      const std::uint64_t base = number.radix.base % p;
      std::uint64_t value = 0;
      for (std::size_t i = row.size(); i-- > 0;) value = (product_modulo(value, base, p) + row[i] % p) % p;
      value = product_modulo(value, power_modulo(base, place, p), p);
      sight.residues[x] = (sight.residues[x] + value) % p;
    }
  }
  return sight;
}

/// L(n) = 2 F(n+1) - F(n).
std::uint64_t right_residue(const FibNumber& asked, const LucasChain& chain) {
  const std::uint64_t f = chain.fibonacci(asked.n);
  if (asked.sequence == Sequence::fibonacci) return f;
  const std::uint64_t p = chain.prime();
  const std::uint64_t next = chain.fibonacci(asked.n + 1);
  return ((next + next) % p + p - f) % p;
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

std::string digest_of_fib_number(const SlicedNumber& answer, MPI_Comm communicator) {
  // Blocks of 64 digits lie on one rank in every distribution.
  std::uint64_t sum = 0;
  std::array<std::uint64_t, columns_in_strip> block{};
  for (std::size_t r = 0; r < answer.shape.rows; ++r) {
    const auto row = answer.row(r);
    for (std::size_t i = 0; i < row.size(); i += block.size()) {
      const std::size_t place = answer.place_of(r) + i;
      if (place >= answer.digits) break;
      const auto digits = row.subspan(i, std::min(block.size(), row.size() - i));
      std::fill(std::ranges::copy(digits, block.begin()).out, block.end(), 0);
      sum += XXH3_64bits_withSeed(block.data(), sizeof(block), place);
    }
  }
  if (communicator != MPI_COMM_NULL) {
    check(MPI_Allreduce(MPI_IN_PLACE, &sum, 1, MPI_UINT64_T, MPI_SUM, communicator));
  }
  std::array<char, 17> text{};
  std::snprintf(text.data(), text.size(), "%016llx", static_cast<unsigned long long>(sum));
  return text.data();
}

}  // namespace duet
