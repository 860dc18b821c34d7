#include "kernels/arithmetic/fast_doubling.hpp"

#include <gmp.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

namespace duet {
namespace {

std::vector<std::uint64_t> limbs_by_gmp(bool lucas, std::uint64_t n) {
  mpz_t number;
  mpz_init(number);
  lucas ? mpz_lucnum_ui(number, n) : mpz_fib_ui(number, n);
  std::vector<std::uint64_t> limbs(mpz_limbs_read(number), mpz_limbs_read(number) + mpz_size(number));
  mpz_clear(number);
  return limbs;
}

std::string decimal_by_gmp(bool lucas, std::uint64_t n) {
  mpz_t number;
  mpz_init(number);
  lucas ? mpz_lucnum_ui(number, n) : mpz_fib_ui(number, n);
  std::string text(mpz_sizeinbase(number, 10) + 2, '\0');
  mpz_get_str(text.data(), 10, number);
  text.resize(text.find('\0'));
  mpz_clear(number);
  return text;
}

TEST(FastDoubling, AgreesWithGmpForSmallIndices) {
  for (std::uint64_t n = 0; n < 300; ++n) {
    EXPECT_EQ(fibonacci_limbs(n), limbs_by_gmp(false, n)) << n;
    EXPECT_EQ(lucas_limbs(n), limbs_by_gmp(true, n)) << n;
    EXPECT_EQ(fibonacci_decimal(n), decimal_by_gmp(false, n)) << n;
    EXPECT_EQ(lucas_decimal(n), decimal_by_gmp(true, n)) << n;
  }
}

TEST(FastDoubling, AgreesWithGmpWhereTransformsTakeOver) {
  for (std::uint64_t n :
       {3'999U,  4'000U,  4'001U,  8'000U,  8'001U,  8'002U,   23'968U,  23'969U,  23'970U,  23'971U,   47'938U,
        47'939U, 47'940U, 47'941U, 65'535U, 65'536U, 100'003U, 131'071U, 131'072U, 777'777U, 1'048'575U}) {
    EXPECT_TRUE(fibonacci_limbs(n) == limbs_by_gmp(false, n)) << n;
    EXPECT_TRUE(lucas_limbs(n) == limbs_by_gmp(true, n)) << n;
    EXPECT_TRUE(fibonacci_decimal(n) == decimal_by_gmp(false, n)) << n;
    EXPECT_TRUE(lucas_decimal(n) == decimal_by_gmp(true, n)) << n;
  }
}

TEST(FastDoubling, WorksInNarrowerRadicesToo) {
  for (const Radix& radix : {Radix::binary(59), Radix::binary(53), Radix::decimal(17), Radix::decimal(16)}) {
    for (const std::uint64_t n : {100U, 54'321U, 123'456U}) {
      TransformContext context{.radix = radix};
      const DigitNumber number = sequence_digits(Sequence::fibonacci, n, context);
      if (radix.bits == 0) {
        EXPECT_TRUE(decimal_string(number.digits(), radix) == decimal_by_gmp(false, n)) << n;
      } else {
        std::vector<std::uint64_t> limbs(limbs_by_gmp(false, n).size());
        pack_limbs(number.digits(), radix, limbs);
        EXPECT_TRUE(limbs == limbs_by_gmp(false, n)) << n;
      }
    }
  }
}

TEST(FastDoubling, HasTheDigitsOfTheTenMillionth) {
  const std::string digits = fibonacci_decimal(10'000'000);
  EXPECT_EQ(digits.size(), 2'089'877U);
  EXPECT_EQ(digits.substr(0, 20), "11298343782253997603");
  EXPECT_EQ(digits.substr(digits.size() - 20), "86998673686380546875");
}

TEST(FastDoubling, KnowsItsMemoryBeforehand) {
  // Nine times the answer's 87 MB for n = 10^9.
  EXPECT_LT(doubling_bytes(1'000'000'000, Radix::binary(60)), 9 * 87e6);
  EXPECT_LT(doubling_bytes(10'000'000'000, binary_radix_for_index(10'000'000'000)), 9e9);
}

}  // namespace
}  // namespace duet
