#include "kernels/arithmetic/fibonacci_decimals.hpp"

#include <gmp.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "kernels/arithmetic/fast_doubling.hpp"
#include "kernels/arithmetic/fibonacci_text_check.hpp"
#include "kernels/arithmetic/gmp_number.hpp"

namespace duet {
namespace {

std::string text_of_gmp(std::uint64_t n) {
  GmpNumber number;
  mpz_fib_ui(number.get(), n);
  return duet::decimal_by_gmp(number.limbs());
}

std::string by_table(const FibonacciDecimals& decimals, std::uint64_t n) {
  std::vector<std::uint64_t> digits(most_sequence_digits(n, Radix::decimal(18)));
  const std::size_t size = decimals.write(n, digits.data());
  std::string text(18 * size + 1, '?');
  char* const end = write_decimal({digits.data(), size}, 18, text.data());
  return text.substr(0, static_cast<std::size_t>(end - text.data()));
}

TEST(FibonacciDecimals, AreThoseOfGmp) {
  const FibonacciDecimals decimals{UINT64_MAX};
  EXPECT_EQ(decimals.largest(), FibonacciDecimals::most_index);
  for (std::uint64_t n = 0; n < 2'000; ++n) ASSERT_EQ(by_table(decimals, n), text_of_gmp(n)) << n;
  for (std::uint64_t n = 2'000; n <= decimals.largest(); n += 97) ASSERT_EQ(by_table(decimals, n), text_of_gmp(n)) << n;
  ASSERT_EQ(by_table(decimals, decimals.largest()), text_of_gmp(decimals.largest()));
}

TEST(FibonacciDecimals, EndAtTheLargestThatIsAsked) {
  for (const std::uint64_t largest : {0U, 1U, 63U, 64U, 65U, 100U}) {
    const FibonacciDecimals decimals{largest};
    EXPECT_EQ(decimals.largest(), largest);
    EXPECT_EQ(by_table(decimals, largest), text_of_gmp(largest));
  }
}

TEST(FibonacciDecimals, AreWrittenInSeventeenPlacesToo) {
  const std::vector<std::uint64_t> digits{5, 99'999'999'999'999'999U, 12};
  std::string text(60, '?');
  char* const end = write_decimal(digits, 17, text.data());
  EXPECT_EQ(text.substr(0, static_cast<std::size_t>(end - text.data())), "129999999999999999900000000000000005");
}

TEST(FibonacciTextCheck, AcceptsWhatIsRight) {
  const FibonacciTextCheck check{5};
  for (std::uint64_t n = 0; n < 1'000; ++n) ASSERT_EQ(check.objection(n, text_of_gmp(n)), std::nullopt) << n;
  for (const std::uint64_t n : {20'000U, 123'457U, 1'000'000U})
    ASSERT_EQ(check.objection(n, text_of_gmp(n)), std::nullopt);
}

TEST(FibonacciTextCheck, RejectsEveryWrongDigit) {
  const FibonacciTextCheck check{6};
  for (const std::uint64_t n : {0U, 1U, 2U, 7U, 90U, 500U}) {
    const std::string right = text_of_gmp(n);
    for (std::size_t place = 0; place < right.size(); ++place) {
      for (char digit = '0'; digit <= '9'; ++digit) {
        if (digit == right[place]) continue;
        std::string wrong = right;
        wrong[place] = digit;
        EXPECT_NE(check.objection(n, wrong), std::nullopt) << n << ": " << wrong;
      }
    }
  }
}

TEST(FibonacciTextCheck, RejectsOtherTexts) {
  const FibonacciTextCheck check{7};
  const std::string right = text_of_gmp(500);
  EXPECT_NE(check.objection(500, ""), std::nullopt);
  EXPECT_NE(check.objection(500, right.substr(1)), std::nullopt);
  EXPECT_NE(check.objection(500, right.substr(0, right.size() - 1)), std::nullopt);
  EXPECT_NE(check.objection(500, right + "0"), std::nullopt);
  EXPECT_NE(check.objection(500, "0" + right), std::nullopt);
  EXPECT_NE(check.objection(500, "-" + right), std::nullopt);
  EXPECT_NE(check.objection(499, right), std::nullopt);
  EXPECT_NE(check.objection(10, "5 "), std::nullopt);
}

}  // namespace
}  // namespace duet
