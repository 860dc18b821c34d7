#include "kernels/arithmetic/fibonacci_residue.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <numeric>
#include <stdexcept>
#include <vector>

#include "kernels/arithmetic/natural.hpp"
#include "kernels/arithmetic/primes.hpp"
#include "kernels/core/random.hpp"

namespace duet {
namespace {

const std::vector<std::uint64_t> moduli{1,
                                        2,
                                        3,
                                        4,
                                        5,
                                        6,
                                        7,
                                        10,
                                        64,
                                        1'000'000'007,
                                        1'000'000'000,
                                        std::uint64_t{1} << 32U,
                                        std::uint64_t{1} << 63U,
                                        std::uint64_t{3} << 62U,
                                        (std::uint64_t{1} << 61U) - 1,
                                        12345678901234567890U,
                                        UINT64_MAX - 58,
                                        UINT64_MAX - 1,
                                        UINT64_MAX};

std::vector<std::uint64_t> inputs_of_all_sizes() {
  std::vector<std::uint64_t> inputs(300);
  std::iota(inputs.begin(), inputs.end(), 0U);
  for (std::uint64_t i = 0; i < 300; ++i) inputs.push_back(random_bits(5, 0, i) >> (i % 64));
  inputs.insert(inputs.end(), {UINT64_MAX, UINT64_MAX - 1, std::uint64_t{1} << 63U, 255, 256, 257, 65535, 65536});
  return inputs;
}

TEST(FibonacciModulo, AgreesWithPlainDivisionForEveryKindOfModulus) {
  const std::vector<std::uint64_t> inputs = inputs_of_all_sizes();
  std::vector<std::uint64_t> residues(inputs.size());
  for (const std::uint64_t m : moduli) {
    FibonacciModulo{m}(inputs, residues);
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const std::uint64_t right = fibonacci_modulo_by_division(inputs[i], m);
      ASSERT_EQ(residues[i], right) << "F(" << inputs[i] << ") mod " << m;
      ASSERT_EQ(fibonacci_modulo(inputs[i], m), right) << "F(" << inputs[i] << ") mod " << m;
    }
  }
}

TEST(FibonacciModulo, AgreesWithExactNumbers) {
  std::vector<std::uint64_t> inputs(2000);
  std::iota(inputs.begin(), inputs.end(), 0U);
  std::vector<std::uint64_t> residues(inputs.size());
  for (const std::uint64_t m : moduli) {
    FibonacciModulo{m, inputs.back()}(inputs, residues);
    for (std::size_t i = 0; i < inputs.size(); ++i)
      ASSERT_EQ(residues[i], fibonacci(inputs[i]).modulo(m)) << i << " " << m;
  }
}

TEST(FibonacciModulo, RepeatsWithThePisanoPeriod) {
  for (const std::uint64_t n : {0U, 1U, 2U, 59U, 123456U}) {
    EXPECT_EQ(fibonacci_modulo(n, 10), fibonacci_modulo(n + 60, 10));
    EXPECT_EQ(fibonacci_modulo(n, 1'000'000'000), fibonacci_modulo(n + 1'500'000'000, 1'000'000'000));
  }
}

TEST(FibonacciModulo, TakesTablesThatJustReachTheLargestInput) {
  for (const std::uint64_t largest : {0U, 1U, 255U, 256U, 65535U, 65536U, 70000U}) {
    const FibonacciModulo modulo{1'000'000'006, largest};
    std::vector<std::uint64_t> inputs{largest, largest / 2, 0, largest / 3, largest};
    std::vector<std::uint64_t> residues(inputs.size());
    modulo(inputs, residues);
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      EXPECT_EQ(residues[i], fibonacci_modulo_by_division(inputs[i], 1'000'000'006));
    }
  }
}

TEST(FibonacciModulo, RefusesTheModulusZero) {
  EXPECT_THROW((void)fibonacci_modulo(5, 0), std::invalid_argument);
  EXPECT_THROW(FibonacciModulo{0}, std::invalid_argument);
}

}  // namespace
}  // namespace duet
