#include "kernels/arithmetic/natural.hpp"

#include <gmp.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <iomanip>
#include <random>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace duet {
namespace {

TEST(Natural, HasNoLimbsForZero) {
  EXPECT_TRUE(Natural{}.limbs().empty());
  EXPECT_EQ(Natural{}, Natural{0});
  EXPECT_EQ(Natural{}, (Natural{std::vector<std::uint64_t>{0, 0}}));
  EXPECT_EQ(Natural{}.bits(), 0);
  EXPECT_EQ(Natural{}.modulo(7), 0U);
  EXPECT_EQ(Natural{}.decimal(), "0");
  EXPECT_TRUE(std::isinf(Natural{}.log2()));
}

TEST(Natural, ReadsAndWritesDecimals) {
  for (const char* digits : {"0", "1", "9", "10", "18446744073709551615", "18446744073709551616",
                             "340282366920938463463374607431768211456"}) {
    EXPECT_EQ(Natural::from_decimal(digits).decimal(), digits);
  }
  EXPECT_EQ(Natural::from_decimal("007"), Natural{7});
}

TEST(Natural, ReadsAndWritesHexadecimals) {
  for (const char* digits : {"0", "1", "9", "a", "f", "10", "deadbeef", "ffffffffffffffff", "10000000000000000",
                             "fedcba98765432100123456789abcdef", "1fedcba98765432100123456789abcdef"}) {
    EXPECT_EQ(Natural::from_hexadecimal(digits).hexadecimal(), digits);
  }
  EXPECT_EQ(Natural::from_hexadecimal("00FF"), Natural{255});
  EXPECT_EQ(Natural::from_hexadecimal(std::string(100, '0')), Natural{});
  EXPECT_EQ(Natural::from_hexadecimal("10000000000000000"), (Natural{std::vector<std::uint64_t>{0, 1}}));
}

TEST(Natural, RefusesWhatIsNotANumber) {
  for (const char* text : {"", "-1", "+1", " 1", "1 ", "0x10", "1e5", "twelve"}) {
    EXPECT_THROW((void)Natural::from_decimal(text), std::invalid_argument) << text;
  }
  for (const char* text : {"", "-1", "+1", " 1", "1 ", "0x10", "h", "1g", "ffffffffffffffff\n", "\xff"}) {
    EXPECT_THROW((void)Natural::from_hexadecimal(text), std::invalid_argument) << text;
  }
}

TEST(Natural, SaysInOneLineWhatIsNoDigit) {
  const auto refusal = [](Natural (*read)(std::string_view), std::string_view text) -> std::string {
    try {
      (void)read(text);
    } catch (const std::invalid_argument& error) {
      return error.what();
    }
    return "";
  };
  const auto decimal = [](std::string_view text) { return Natural::from_decimal(text); };
  EXPECT_EQ(refusal(decimal, "12x4"), "'12x4' is not a natural number in decimal: character 3 is no digit");
  EXPECT_EQ(refusal(decimal, ""), "'' is not a natural number in decimal");
  EXPECT_EQ(refusal(&Natural::from_hexadecimal, "0x1\n"),
            "'0x1?' is not a natural number in hexadecimal: character 2 is no digit");
  EXPECT_EQ(refusal(&Natural::from_hexadecimal, std::string(99, 'a') + "-"),
            "'" + std::string(40, 'a') + "...' is not a natural number in hexadecimal: character 100 is no digit");
}

TEST(Natural, IsWrittenToStreamsInTheBaseOfTheStream) {
  std::ostringstream out;
  out << Natural{255} << " " << std::hex << Natural{255} << " " << std::setw(6) << std::setfill('.') << Natural{10}
      << std::dec << " " << Natural{};
  EXPECT_EQ(out.str(), "255 ff .....a 0");
}

TEST(Natural, IsReadFromStreamsUpToTheFirstCharacterThatIsNoDigit) {
  std::istringstream in{"  123abc,ffz -7"};
  Natural number;
  EXPECT_TRUE(in >> number);
  EXPECT_EQ(number, Natural{123});
  EXPECT_TRUE(in >> std::hex >> number);
  EXPECT_EQ(number, Natural{0xabc});
  EXPECT_EQ(in.get(), ',');
  EXPECT_TRUE(in >> number);
  EXPECT_EQ(number, Natural{255});
  EXPECT_EQ(in.get(), 'z');
  EXPECT_FALSE(in >> std::dec >> number);
  EXPECT_EQ(number, Natural{255});  // as it was
  in.clear();
  EXPECT_EQ(in.get(), '-');
  EXPECT_TRUE(in >> number);
  EXPECT_EQ(number, Natural{7});
  EXPECT_TRUE(in.eof());
  EXPECT_FALSE(in >> number);
}

TEST(Natural, IsReadAgainFromWhatItWasWrittenAs) {
  const Natural right = fibonacci(200'000);
  for (const bool hexadecimal : {false, true}) {
    std::stringstream stream;
    stream << (hexadecimal ? std::hex : std::dec) << right << '\n' << right;
    Natural one;
    Natural two;
    EXPECT_TRUE(stream >> one >> two);
    EXPECT_TRUE(one == right && two == right);
  }
}

TEST(Natural, IsOrderedByWhatItIsWorth) {
  const std::vector<Natural> ascending{Natural{},
                                       Natural{1},
                                       Natural{2},
                                       Natural{UINT64_MAX},
                                       Natural{std::vector<std::uint64_t>{0, 1}},
                                       Natural{std::vector<std::uint64_t>{5, 1}},
                                       Natural{std::vector<std::uint64_t>{4, 2}},
                                       Natural{std::vector<std::uint64_t>{0, 0, 1}}};
  for (std::size_t i = 0; i < ascending.size(); ++i) {
    for (std::size_t j = 0; j < ascending.size(); ++j) {
      EXPECT_EQ(ascending[i] <=> ascending[j], i <=> j) << i << " " << j;
      EXPECT_EQ(ascending[i] < ascending[j], i < j);
    }
  }
}

TEST(Natural, AddsWithCarriesThatRunThrough) {
  EXPECT_EQ(Natural{} + Natural{}, Natural{});
  EXPECT_EQ(Natural{} + Natural{7}, Natural{7});
  EXPECT_EQ(Natural{7} + Natural{}, Natural{7});
  const Natural ones{std::vector<std::uint64_t>(50, UINT64_MAX)};
  EXPECT_EQ((ones + Natural{1}).bits(), 50 * 64 + 1);
  EXPECT_EQ(ones + Natural{1}, Natural{1} + ones);
  EXPECT_EQ(ones + ones + Natural{2}, (ones + Natural{1}) * Natural{2});
}

TEST(Natural, CountsBitsAndTakesRemainders) {
  const Natural power = Natural{std::vector<std::uint64_t>{0, 0, 1}};  // 2^128
  EXPECT_EQ(power.bits(), 129);
  EXPECT_EQ(power.modulo(1), 0U);
  EXPECT_EQ(power.modulo(3), 1U);
  EXPECT_EQ(power.modulo(UINT64_MAX), 1U);
  EXPECT_EQ(Natural{UINT64_MAX}.bits(), 64);
  EXPECT_DOUBLE_EQ(static_cast<double>(power.log2()), 128.0);
}

TEST(Natural, TellsNumbersApartThatDifferInOneBit) {
  const Natural right = fibonacci(1000);
  for (std::size_t bit = 0; bit < static_cast<std::size_t>(right.bits()); ++bit) {
    std::vector<std::uint64_t> limbs(right.limbs().begin(), right.limbs().end());
    limbs[bit / 64] ^= std::uint64_t{1} << bit % 64;
    EXPECT_NE(Natural{limbs}, right);
  }
}

/// Numbers of every kind: random, all ones, powers of two, sparse, and what is next to them.
std::vector<Natural> naturals_of(std::size_t limbs) {
  std::mt19937_64 random{limbs};
  std::vector<std::uint64_t> x(limbs);
  std::ranges::generate(x, random);
  std::vector<Natural> all{Natural{x}, Natural{std::vector<std::uint64_t>(limbs, UINT64_MAX)}};
  std::vector<std::uint64_t> power(limbs);
  power.back() = 1;
  all.emplace_back(power);
  power.front() |= 1;
  all.emplace_back(power);
  for (std::size_t i = 0; i < limbs; i += 29) power[i] = std::uint64_t{1} << i % 64;
  all.emplace_back(power);
  return all;
}

Natural product_by_gmp(const Natural& a, const Natural& b) {
  mpz_t x;
  mpz_t y;
  mpz_t product;
  mpz_init(product);
  mpz_mul(product, mpz_roinit_n(x, a.limbs().data(), static_cast<mp_size_t>(a.limbs().size())),
          mpz_roinit_n(y, b.limbs().data(), static_cast<mp_size_t>(b.limbs().size())));
  const Natural result{
      std::vector<std::uint64_t>(mpz_limbs_read(product), mpz_limbs_read(product) + mpz_size(product))};
  mpz_clear(product);
  return result;
}

TEST(Natural, MultipliesLikeGmpOnBothSidesOfTheChangeOfMethod) {
  EXPECT_EQ(Natural{} * Natural{5}, Natural{});
  EXPECT_EQ(Natural{7} * Natural{5}, Natural{35});
  EXPECT_EQ(Natural{}.squared(), Natural{});
  for (const std::size_t size : {1U, 3U, 129U, 130U, 131U, 500U, 2000U}) {
    for (const std::size_t other : {1U, 130U, 300U, 2001U}) {
      for (const Natural& a : naturals_of(size)) {
        for (const Natural& b : naturals_of(other)) EXPECT_TRUE(a * b == product_by_gmp(a, b)) << size << " " << other;
      }
    }
    for (const Natural& a : naturals_of(size)) {
      EXPECT_TRUE(a.squared() == product_by_gmp(a, a)) << size;
      EXPECT_TRUE(a * a == a.squared());
    }
  }
}

TEST(Natural, HasTheDecimalsOfGmpOnBothSidesOfTheChangeOfMethod) {
  for (const std::size_t size : {999U, 1000U, 1024U, 1025U, 3000U, 20'000U}) {
    for (const Natural& a : naturals_of(size)) {
      const std::string digits = a.decimal();
      mpz_t read;
      mpz_t right;
      mpz_init_set_str(right, digits.c_str(), 10);
      EXPECT_EQ(mpz_cmp(mpz_roinit_n(read, a.limbs().data(), static_cast<mp_size_t>(size)), right), 0) << size;
      EXPECT_NE(digits.front(), '0');
      mpz_clear(right);
    }
  }
}

TEST(Fibonacci, HasTheSmallValuesEverybodyKnows) {
  EXPECT_EQ(fibonacci(0), Natural{0});
  EXPECT_EQ(fibonacci(1), Natural{1});
  EXPECT_EQ(fibonacci(2), Natural{1});
  EXPECT_EQ(fibonacci(10), Natural{55});
  EXPECT_EQ(fibonacci(90), Natural{2880067194370816120U});
  EXPECT_EQ(fibonacci(92), Natural{7540113804746346429U});
  EXPECT_EQ(fibonacci(93), Natural{12200160415121876738U});
  EXPECT_EQ(fibonacci(94).decimal(), "19740274219868223167");
}

TEST(Fibonacci, IsTheSumOfTheTwoBefore) {
  mpz_t sum;
  mpz_init(sum);
  mpz_t before;
  mpz_init(before);
  mpz_set_ui(before, 1);
  for (std::uint64_t n = 0; n < 700; ++n) {
    const Natural here = fibonacci(n);
    mpz_t read;
    EXPECT_EQ(mpz_cmp(sum, mpz_roinit_n(read, here.limbs().data(), static_cast<mp_size_t>(here.limbs().size()))), 0)
        << n;
    mpz_add(before, before, sum);
    mpz_swap(before, sum);
  }
  mpz_clear(before);
  mpz_clear(sum);
}

TEST(Fibonacci, HasTheDigitsOfTheMillionth) {
  const std::string digits = fibonacci(1'000'000).decimal();
  EXPECT_EQ(digits.size(), 208'988U);
  EXPECT_EQ(digits.substr(0, 20), "19532821287077577316");
  EXPECT_EQ(digits.substr(digits.size() - 20), "68996526838242546875");
}

TEST(Fibonacci, HasTheDigitsOfTheTenMillionth) {
  const std::string digits = fibonacci(10'000'000).decimal();
  EXPECT_EQ(digits.size(), 2'089'877U);
  EXPECT_EQ(digits.substr(0, 20), "11298343782253997603");
  EXPECT_EQ(digits.substr(digits.size() - 20), "86998673686380546875");
}

TEST(Fibonacci, RefusesAnIndexWhoseNumberDoesNotFit) {
  EXPECT_THROW((void)fibonacci(largest_fibonacci_index + 1), std::length_error);
  EXPECT_THROW((void)fibonacci(UINT64_MAX), std::length_error);
}

TEST(Fibonacci, ChangesSignAtNegativeEvenIndices) {
  EXPECT_FALSE(fibonacci_is_negative_at_minus(0));
  EXPECT_FALSE(fibonacci_is_negative_at_minus(1));  // F(-1) = 1
  EXPECT_TRUE(fibonacci_is_negative_at_minus(2));   // F(-2) = -1
  EXPECT_FALSE(fibonacci_is_negative_at_minus(9));  // F(-9) = 34
  EXPECT_TRUE(fibonacci_is_negative_at_minus(10));  // F(-10) = -55
}

TEST(Fibonacci, HasTheSizeThatItsLogarithmSays) {
  for (const std::uint64_t n : {1U, 2U, 3U, 50U, 93U, 94U, 1000U, 4093U, 65536U, 100'003U}) {
    const Natural number = fibonacci(n);
    EXPECT_NEAR(static_cast<double>(number.log2()), static_cast<double>(fibonacci_log2(n)),
                1e-12 + 2.2 * std::pow(1.618033988749895, -2.0 * static_cast<double>(n)))
        << n;
    EXPECT_NEAR(fibonacci_bytes(n), 8.0 * static_cast<double>(number.limbs().size()), 8) << n;
  }
  EXPECT_EQ(fibonacci_bytes(0), 0);
}

TEST(Fibonacci, IsEstimatedToCostMoreForLargerIndices) {
  double before = 0;
  for (std::uint64_t n = 0; n < largest_fibonacci_index; n = n * 5 / 4 + 1) {
    const double now = fibonacci_nanoseconds(n);
    EXPECT_GT(now, before) << n;
    before = now;
  }
}

}  // namespace
}  // namespace duet
