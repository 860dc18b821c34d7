#include "kernels/arithmetic/fibonacci_residue.hpp"

#include <gmpxx.h>
#include <gtest/gtest.h>
#include <hwy/highway.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <numeric>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "kernels/arithmetic/natural.hpp"
#include "kernels/arithmetic/primes.hpp"
#include "kernels/core/random.hpp"
#include "tests/local_product/only_target.hpp"

namespace duet {
namespace {

/// The smallest, powers of two and their neighbours, where each arithmetic begins or ends, and some that people use.
std::vector<std::uint64_t> moduli() {
  std::vector<std::uint64_t> all{1,
                                 3,
                                 5,
                                 6,
                                 7,
                                 10,
                                 1'000'000'007,
                                 1'000'000'000,
                                 std::uint64_t{3} << 62U,
                                 ((std::uint64_t{1} << 50U) - 1) << 14U,
                                 12345678901234567890U,
                                 UINT64_MAX - 58,
                                 UINT64_MAX - 1,
                                 UINT64_MAX};
  for (const unsigned power : {1U, 2U, 6U, 31U, 32U, 49U, 50U, 51U, 52U, 53U, 61U, 62U, 63U}) {
    const std::uint64_t two = std::uint64_t{1} << power;
    all.insert(all.end(), {two - 1, two, two + 1});
  }
  return all;
}

std::vector<std::uint64_t> inputs_of_all_sizes() {
  std::vector<std::uint64_t> inputs(100);
  std::iota(inputs.begin(), inputs.end(), 0U);
  for (std::uint64_t i = 0; i < 192; ++i) inputs.push_back(random_bits(5, 0, i) >> (i % 64));
  inputs.insert(inputs.end(), {UINT64_MAX, UINT64_MAX - 1, std::uint64_t{1} << 63U, 255, 256, 257, 65535, 65536});
  return inputs;
}

/// What can be chosen here for m, each with the instruction sets that it may be compiled for: calls act(arithmetic).
void with_each_arithmetic(std::uint64_t m, const std::function<void(ResidueArithmetic)>& act) {
  for (const ResidueArithmetic arithmetic : residue_arithmetics(m)) {
    if (arithmetic != ResidueArithmetic::doubles) {
      SCOPED_TRACE(name_of(arithmetic));
      act(arithmetic);
      continue;
    }
    const std::int64_t here = hwy::SupportedTargets();
    for (std::int64_t target = 1; target > 0; target <<= 1) {
      if ((here & target) == 0) continue;
      const OnlyTarget only{target};
      const std::vector<ResidueArithmetic> left = residue_arithmetics(m);
      if (std::ranges::find(left, arithmetic) == left.end()) continue;
      SCOPED_TRACE(std::string{"doubles, "} + hwy::TargetName(target));
      act(arithmetic);
    }
  }
}

/// From the narrowest tables to the widest.
constexpr std::array<std::int64_t, 5> expected_counts{1, 30, 500, 20'000, INT64_MAX};

/// F(n) mod m by GMP: the power of ((1 1) (1 0)), bit by bit from the lowest.
std::uint64_t fibonacci_modulo_by_gmp(std::uint64_t n, std::uint64_t m) {
  const auto number = [](std::uint64_t word) { return mpz_class{static_cast<unsigned long>(word)}; };
  const mpz_class modulus = number(m);
  // phi^n = a phi + b and phi^(2^k) = c phi + d.
  mpz_class a = 0;
  mpz_class b = 1;
  mpz_class c = 1;
  mpz_class d = 0;
  for (; n != 0; n >>= 1U) {
    if ((n & 1U) != 0) {
      const mpz_class next = a * (c + d) + b * c;
      b = (a * c + b * d) % modulus;
      a = next % modulus;
    }
    const mpz_class square = c * (c + d + d);
    d = (c * c + d * d) % modulus;
    c = square % modulus;
  }
  return mpz_class{a % modulus}.get_ui();
}

std::uint64_t residue_of(const FibonacciModulo& modulo, std::uint64_t n) {
  std::uint64_t residue = 0;
  modulo({&n, 1}, {&residue, 1});
  return residue;
}

TEST(FibonacciModulo, AgreesWithPlainDivisionForEveryKindOfModulusAndArithmetic) {
  const std::vector<std::uint64_t> inputs = inputs_of_all_sizes();
  std::vector<std::uint64_t> right(inputs.size());
  for (const std::uint64_t m : moduli()) {
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      right[i] = fibonacci_modulo_by_division(inputs[i], m);
      ASSERT_EQ(fibonacci_modulo(inputs[i], m), right[i]) << "F(" << inputs[i] << ") mod " << m;
    }
    with_each_arithmetic(m, [&](ResidueArithmetic arithmetic) {
      std::vector<std::uint64_t> residues(inputs.size());
      for (const std::int64_t expected : expected_counts) {
        std::ranges::fill(residues, UINT64_MAX);
        FibonacciModulo{m, UINT64_MAX, expected, arithmetic}(inputs, residues);
        ASSERT_EQ(residues, right) << "modulo " << m << ", tables for " << expected;
      }
    });
  }
}

TEST(FibonacciModulo, AgreesWithGmpForRandomInputsAndModuliOfEverySize) {
  constexpr std::size_t count = 24;
  std::array<std::uint64_t, count> inputs{};
  std::array<std::uint64_t, count> right{};
  std::array<std::uint64_t, count> residues{};
  for (std::uint64_t size = 0; size < 64; ++size) {
    for (std::uint64_t draw = 0; draw < 4; ++draw) {
      // Odd numbers and even ones, those with many twos too.
      const std::uint64_t top = std::uint64_t{1} << size;
      const std::uint64_t twos = draw == 0 ? 0 : random_bits(7, 1, size, draw) % (size + 1);
      const std::uint64_t m = (top | (random_bits(7, 0, size, draw) & (top - 1))) >> twos << twos;
      for (std::size_t i = 0; i < count; ++i) {
        inputs[i] = random_bits(7, 2, size * 4 + draw, i) >> (i % 3);
        right[i] = fibonacci_modulo_by_gmp(inputs[i], m);
      }
      with_each_arithmetic(m, [&](ResidueArithmetic arithmetic) {
        FibonacciModulo{m, UINT64_MAX, 1000, arithmetic}(inputs, residues);
        ASSERT_EQ(residues, right) << "modulo " << m;
      });
    }
  }
}

TEST(FibonacciModulo, AgreesOnManyInputsWhereAnArithmeticIsAtItsLimit) {
  constexpr std::size_t count = 20'000;
  std::vector<std::uint64_t> inputs(count);
  fill_random_bits(inputs, 11, 0, 0);
  std::vector<std::uint64_t> right(count);
  std::vector<std::uint64_t> residues(count);
  for (const std::uint64_t m :
       {(std::uint64_t{1} << 50U) - 1, (std::uint64_t{1} << 50U) - 2, (std::uint64_t{1} << 50U) - 27,
        (std::uint64_t{1} << 50U) + 55, (std::uint64_t{1} << 63U) - 25, UINT64_MAX - 58, UINT64_MAX}) {
    const FibonacciByAddition by_addition{m, UINT64_MAX};
    std::ranges::transform(inputs, right.begin(), by_addition);
    with_each_arithmetic(m, [&](ResidueArithmetic arithmetic) {
      FibonacciModulo{m, UINT64_MAX, count, arithmetic}(inputs, residues);
      ASSERT_EQ(residues, right) << "modulo " << m;
    });
  }
}

TEST(FibonacciModulo, AgreesWithExactNumbers) {
  std::vector<std::uint64_t> inputs(1000);
  std::iota(inputs.begin(), inputs.end(), 0U);
  std::vector<Natural> exact;
  for (const std::uint64_t n : inputs) exact.push_back(fibonacci(n));
  for (const std::uint64_t m : moduli()) {
    with_each_arithmetic(m, [&](ResidueArithmetic arithmetic) {
      std::vector<std::uint64_t> residues(inputs.size());
      FibonacciModulo{m, inputs.back(), INT64_MAX, arithmetic}(inputs, residues);
      for (std::size_t i = 0; i < inputs.size(); ++i) ASSERT_EQ(residues[i], exact[i].modulo(m)) << i << " " << m;
    });
  }
}

TEST(FibonacciModulo, AnswersBatchesOfEverySizeAndWritesNoFurther) {
  constexpr std::uint64_t untouched = 0xfeedfeedfeedfeed;
  for (const std::uint64_t m : {std::uint64_t{1'000'000'007}, std::uint64_t{1} << 40U, UINT64_MAX, UINT64_MAX - 1}) {
    with_each_arithmetic(m, [&](ResidueArithmetic arithmetic) {
      const FibonacciModulo modulo{m, UINT64_MAX, 100, arithmetic};
      for (std::size_t count = 0; count <= 70; ++count) {
        std::vector<std::uint64_t> inputs(count);
        for (std::size_t i = 0; i < count; ++i) inputs[i] = random_bits(3, 0, count, i);
        std::vector<std::uint64_t> residues(count + 16, untouched);
        modulo(inputs, std::span{residues}.first(count));
        for (std::size_t i = 0; i < count; ++i) {
          ASSERT_EQ(residues[i], fibonacci_modulo_by_division(inputs[i], m)) << i << " of " << count;
        }
        for (std::size_t i = count; i < residues.size(); ++i) ASSERT_EQ(residues[i], untouched) << count;
      }
    });
  }
}

TEST(FibonacciModulo, AnswersInPlace) {
  for (const std::uint64_t m : {std::uint64_t{1'000'000'007}, std::uint64_t{10}, UINT64_MAX}) {
    with_each_arithmetic(m, [&](ResidueArithmetic arithmetic) {
      std::vector<std::uint64_t> numbers = inputs_of_all_sizes();
      const std::vector<std::uint64_t> inputs = numbers;
      FibonacciModulo{m, UINT64_MAX, 100, arithmetic}(numbers, numbers);
      for (std::size_t i = 0; i < numbers.size(); ++i) ASSERT_EQ(numbers[i], fibonacci_modulo(inputs[i], m)) << m;
    });
  }
}

TEST(FibonacciModulo, RepeatsWithThePisanoPeriod) {
  for (const std::uint64_t n : {0U, 1U, 2U, 59U, 123456U}) {
    EXPECT_EQ(fibonacci_modulo(n, 10), fibonacci_modulo(n + 60, 10));
    EXPECT_EQ(fibonacci_modulo(n, 1'000'000'000), fibonacci_modulo(n + 1'500'000'000, 1'000'000'000));
  }
}

TEST(FibonacciModulo, TakesTablesThatJustReachTheLargestInput) {
  for (const std::uint64_t m : {std::uint64_t{1'000'000'006}, std::uint64_t{1'000'000'007}, UINT64_MAX}) {
    with_each_arithmetic(m, [&](ResidueArithmetic arithmetic) {
      for (const std::uint64_t largest : {0U, 1U, 3U, 4U, 15U, 16U, 255U, 256U, 65535U, 65536U, 70000U, 4194304U}) {
        for (const std::int64_t expected : expected_counts) {
          const FibonacciModulo modulo{m, largest, expected, arithmetic};
          for (const std::uint64_t n : {largest, largest / 2, std::uint64_t{0}, largest / 3}) {
            ASSERT_EQ(residue_of(modulo, n), fibonacci_modulo_by_division(n, m)) << n << " of " << largest;
          }
        }
      }
    });
  }
}

TEST(FibonacciModulo, OffersWordsForEveryModulusAndDoublesForShortOnes) {
  for (const std::uint64_t m : moduli()) EXPECT_EQ(residue_arithmetics(m).back(), ResidueArithmetic::words) << m;
  const auto has_doubles = [](std::uint64_t m) {
    const std::vector<ResidueArithmetic> all = residue_arithmetics(m);
    return std::ranges::find(all, ResidueArithmetic::doubles) != all.end();
  };
  EXPECT_FALSE(has_doubles((std::uint64_t{1} << 50U) + 1));
  EXPECT_EQ(has_doubles((std::uint64_t{1} << 50U) - 1), has_doubles(3));
  EXPECT_EQ(has_doubles((std::uint64_t{1} << 50U) - 2), has_doubles(3));
  EXPECT_THROW((FibonacciModulo{UINT64_MAX, 100, 10, ResidueArithmetic::doubles}), std::invalid_argument);
  EXPECT_THROW((void)residue_arithmetics(0), std::invalid_argument);
}

TEST(FibonacciModulo, RefusesTheModulusZero) {
  EXPECT_THROW((void)fibonacci_modulo(5, 0), std::invalid_argument);
  EXPECT_THROW(FibonacciModulo{0}, std::invalid_argument);
}

}  // namespace
}  // namespace duet
