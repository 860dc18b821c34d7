#include "kernels/arithmetic/primes.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cstdint>
#include <random>
#include <set>
#include <vector>

#include "kernels/arithmetic/fast_doubling.hpp"
#include "kernels/arithmetic/natural.hpp"

namespace duet {
namespace {

TEST(Primes, AreThoseOfTheSieve) {
  constexpr std::size_t end = 20'000;
  std::vector<bool> composite(end, false);
  for (std::size_t n = 0; n < end; ++n) {
    const bool prime = n >= 2 && !composite[n];
    EXPECT_EQ(is_prime(n), prime) << n;
    for (std::size_t multiple = n * n; prime && multiple < end; multiple += n) composite[multiple] = true;
  }
}

TEST(Primes, AreNotTheStrongPseudoprimesToFewBases) {
  EXPECT_FALSE(is_prime(2047));                 // to base 2
  EXPECT_FALSE(is_prime(3215031751));           // to 2, 3, 5, 7
  EXPECT_FALSE(is_prime(3825123056546413051));  // to the first nine primes
  EXPECT_FALSE(is_prime(561));                  // Carmichael
}

TEST(Primes, AreKnownNearThePowersOfTwo) {
  EXPECT_TRUE(is_prime((std::uint64_t{1} << 61U) - 1));
  EXPECT_TRUE(is_prime(18446744073709551557U));  // the largest below 2^64
  EXPECT_FALSE(is_prime(UINT64_MAX));
  EXPECT_FALSE(is_prime(18446744030759878681U));  // 4294967291^2
}

TEST(FactorModulo, MultipliesAsADivisionDoes) {
  std::mt19937_64 random{3};
  for (const std::uint64_t m : {std::uint64_t{1}, std::uint64_t{2}, std::uint64_t{3}, (std::uint64_t{1} << 62U) - 57,
                                (std::uint64_t{1} << 63U) - 1}) {
    for (const std::uint64_t c : {std::uint64_t{0}, std::uint64_t{1}, m - 1, m, UINT64_MAX, random(), random()}) {
      const FactorModulo times{c, m};
      for (const std::uint64_t x : {std::uint64_t{0}, std::uint64_t{1}, m - 1, m, UINT64_MAX, random(), random()}) {
        EXPECT_EQ(times(x), product_modulo(x, c, m)) << x << " " << c << " modulo " << m;
      }
    }
  }
}

TEST(RandomPrime, HasSixtyToSixtyTwoBitsAndDependsOnSeedAndDraw) {
  std::set<std::uint64_t> drawn;
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    for (std::uint64_t draw = 0; draw < 10; ++draw) {
      const std::uint64_t prime = random_prime(seed, draw);
      EXPECT_TRUE(is_prime(prime));
      EXPECT_GE(std::bit_width(prime), 60U);
      EXPECT_LE(std::bit_width(prime), 62U);
      EXPECT_EQ(prime, random_prime(seed, draw));
      drawn.insert(prime);
    }
  }
  EXPECT_EQ(drawn.size(), 100U);
}

TEST(LucasChain, AgreesWithExactNumbersAndWithDoubling) {
  for (const std::uint64_t prime : {std::uint64_t{3}, std::uint64_t{7}, std::uint64_t{11}, random_prime(1, 0)}) {
    const LucasChain chain{prime};
    for (std::uint64_t n = 0; n < 500; ++n) {
      EXPECT_EQ(chain.fibonacci(n), fibonacci(n).modulo(prime)) << n;
      EXPECT_EQ(chain.lucas(n), Natural{lucas_limbs(n)}.modulo(prime)) << n;
    }
    for (std::uint64_t n = UINT64_MAX; n != 0; n /= 3) {
      const std::uint64_t f = fibonacci_modulo_by_division(n, prime);
      EXPECT_EQ(chain.fibonacci(n), f) << n;
      // L(n) = F(n) + 2 F(n-1)
      EXPECT_EQ(chain.lucas(n), (f + 2 * fibonacci_modulo_by_division(n - 1, prime)) % prime) << n;
    }
  }
}

TEST(FibonacciByAddition, AgreesWithDoublingAndDivision) {
  for (const std::uint64_t m : {std::uint64_t{1}, std::uint64_t{2}, std::uint64_t{10}, std::uint64_t{1'000'000'007},
                                std::uint64_t{1} << 63U, (std::uint64_t{1} << 63U) + 1, UINT64_MAX - 58, UINT64_MAX}) {
    const FibonacciByAddition all{m, UINT64_MAX};
    for (std::uint64_t n = UINT64_MAX; n != 0; n /= 3) EXPECT_EQ(all(n), fibonacci_modulo_by_division(n, m)) << n;
    for (const std::uint64_t largest : {0U, 1U, 255U, 256U, 65536U}) {
      const FibonacciByAddition some{m, largest};
      for (const std::uint64_t n : {largest, largest / 2, std::uint64_t{0}}) {
        EXPECT_EQ(some(n), fibonacci_modulo_by_division(n, m)) << n << " of " << largest;
      }
    }
  }
}

}  // namespace
}  // namespace duet
