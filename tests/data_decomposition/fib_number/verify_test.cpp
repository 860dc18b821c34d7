#include <gmp.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "kernels/arithmetic/gmp_number.hpp"
#include "kernels/arithmetic/natural.hpp"
#include "kernels/arithmetic/primes.hpp"
#include "kernels/data_decomposition/fib_number/fib_number.hpp"

namespace duet {
namespace {

constexpr std::uint64_t seed = 5;

/// What the number is worth.
Natural natural_of(const SlicedNumber& number) {
  const auto digits = number.row(0).first(number.digits);
  if (number.radix.bits == 0) return Natural::from_decimal(decimal_string(digits, number.radix));
  std::vector<std::uint64_t> limbs(limbs_of_digits(digits.size(), number.radix));
  pack_limbs(digits, number.radix, limbs);
  return Natural{std::move(limbs)};
}

/// The number in digits, as a kernel would answer it.
SlicedNumber answer_of(const Natural& number, const Radix& radix) {
  std::vector<std::uint64_t> digits(digits_of_limbs(number.limbs().size(), radix));
  unpack_limbs(number.limbs(), radix, digits);
  while (!digits.empty() && digits.back() == 0) digits.pop_back();
  Words words{digits.size()};
  std::ranges::copy(digits, words.data());
  return in_order({std::move(words), digits.size(), radix});
}

class FibNumberVerify : public testing::Test {
 protected:
  /// What the judge says; nothing where he accepts.
  [[nodiscard]] std::string objection() const {
    const Judgement judgement = judge_fib_number(asked_, answer_, seed, MPI_COMM_NULL);
    EXPECT_EQ(judgement.right, judgement.explanation.empty());
    EXPECT_EQ(judgement.explanation.find('\n'), std::string::npos);
    return judgement.explanation;
  }
  [[nodiscard]] bool accepts() const { return objection().empty(); }
  [[nodiscard]] bool objects(const std::string& text) const { return objection().find(text) != std::string::npos; }
  [[nodiscard]] std::span<std::uint64_t> digits() { return answer_.row(0); }

  void ask(Sequence sequence, std::uint64_t n) {
    asked_ = {.sequence = sequence, .n = n};
    answer_ = fib_number(asked_, Model::serial, {});
  }

  /// Adds `multiple` times the product of the judge's two primes times 2^shift.
  void add_what_no_residue_sees(const Natural& multiple, std::size_t shift) {
    std::vector<std::uint64_t> power(shift / 64 + 1);
    power.back() = std::uint64_t{1} << shift % 64;
    const Natural both = Natural{random_prime(seed, 0)} * Natural{random_prime(seed, 1)};
    answer_ = answer_of(natural_of(answer_) + multiple * both * Natural{power}, answer_.radix);
  }

  FibNumber asked_{.n = 123'457};
  SlicedNumber answer_ = fib_number(asked_, Model::serial, {});
};

TEST_F(FibNumberVerify, AcceptsTheRightNumber) {
  for (const Sequence sequence : {Sequence::fibonacci, Sequence::lucas}) {
    for (const bool decimal : {false, true}) {
      for (const std::uint64_t n : {0U, 1U, 2U, 3U, 4U, 46U, 47U, 92U, 93U, 94U, 1000U, 54'321U, 123'456U}) {
        asked_ = {.sequence = sequence, .n = n, .decimal = decimal};
        answer_ = fib_number(asked_, Model::serial, {});
        EXPECT_EQ(objection(), "") << n;
      }
    }
  }
}

TEST_F(FibNumberVerify, RejectsOneWrongBitAnywhereByTheIdentity) {
  for (const Sequence sequence : {Sequence::fibonacci, Sequence::lucas}) {
    for (const std::uint64_t n : {123'457U, 123'458U}) {
      ask(sequence, n);
      const std::string letter = sequence == Sequence::fibonacci ? "F" : "L";
      const std::string right = n % 2 == 0 ? "4" : "-4";
      for (const std::size_t place : {std::size_t{0}, answer_.digits / 2, answer_.digits - 1}) {
        for (const unsigned bit : {1U, 31U}) {
          digits()[place] ^= std::uint64_t{1} << bit;
          EXPECT_TRUE(objects(letter + "(" + std::to_string(n) + ") breaks L^2 - 5 F^2 = " + right + ": it is "))
              << objection();
          digits()[place] ^= std::uint64_t{1} << bit;
        }
      }
      EXPECT_TRUE(accepts());
    }
  }
}

TEST_F(FibNumberVerify, RejectsMinusTheNumberWhichTheIdentityAccepts) {
  for (const Sequence sequence : {Sequence::fibonacci, Sequence::lucas}) {
    ask(sequence, 123'457);
    // x + d is -x modulo both primes for d = -2 x, and as large as x.
    GmpNumber both;
    mpz_set_ui(both.get(), random_prime(seed, 0));
    mpz_mul_ui(both.get(), both.get(), random_prime(seed, 1));
    const Natural x = natural_of(answer_);
    GmpNumber d;
    mpz_import(d.get(), x.limbs().size(), -1, sizeof(std::uint64_t), 0, 0, x.limbs().data());
    mpz_mul_si(d.get(), d.get(), -2);
    mpz_mod(d.get(), d.get(), both.get());
    answer_ = answer_of(x + Natural{std::vector<std::uint64_t>(d.limbs().begin(), d.limbs().end())}, answer_.radix);
    EXPECT_TRUE(objects("(123457) is ")) << objection();
    EXPECT_TRUE(objects(" is right")) << objection();
  }
}

TEST_F(FibNumberVerify, RejectsWrongLeadingDigitsWhereResiduesAgree) {
  const auto bits = static_cast<std::size_t>(natural_of(answer_).bits());
  // Relative errors of about 2^-10 and 2^-30.
  for (const std::size_t below : {std::size_t{10}, std::size_t{30}}) {
    add_what_no_residue_sees(Natural{1}, bits - 124 - below);
    EXPECT_TRUE(objects("is off by a factor of 2^")) << objection();
    ask(Sequence::fibonacci, 123'457);
  }
  // Another number of digits than F(n) has, and they are as many as are said.
  add_what_no_residue_sees(Natural{1}, bits + 200);
  EXPECT_TRUE(objects("is off by a factor of 2^")) << objection();
}

TEST_F(FibNumberVerify, DoesNotSeeAMultipleOfItsPrimesFarBelowTheLeadingDigitsAndTakesOthersForAnotherSeed) {
  add_what_no_residue_sees(Natural{1}, 0);
  EXPECT_TRUE(accepts());
  EXPECT_FALSE(judge_fib_number(asked_, answer_, seed + 1, MPI_COMM_NULL).right);
}

TEST_F(FibNumberVerify, RejectsSwappedDigits) {
  std::swap(digits()[3], digits()[4]);
  EXPECT_FALSE(accepts());
}

TEST_F(FibNumberVerify, RejectsACarryThatWasNotPassedOn) {
  digits()[9] += answer_.radix.base;
  digits()[10] -= 1;
  // The same value, and yet no number.
  EXPECT_EQ(objection(), "F(123457) has no digit at place 9: it is not below 1152921504606846976");
}

TEST_F(FibNumberVerify, RejectsAWrongNumberOfDigits) {
  const std::size_t right = answer_.digits;
  answer_.digits = right - 1;
  EXPECT_FALSE(accepts());
  answer_.digits = right;
  digits()[right - 1] = 0;
  EXPECT_EQ(objection(),
            "F(123457) is said to have " + std::to_string(right) + " digits and has " + std::to_string(right - 1));
}

TEST_F(FibNumberVerify, RejectsNeighboursAndTheOtherSequence) {
  asked_.n += 1;
  EXPECT_FALSE(accepts());
  asked_.n -= 1;
  asked_.sequence = Sequence::lucas;
  EXPECT_FALSE(accepts());
}

TEST_F(FibNumberVerify, RejectsNothingAsANumber) {
  answer_.digits = 0;
  std::ranges::fill(digits(), 0);
  EXPECT_FALSE(accepts());
}

TEST(FibNumberIdentity, HoldsExactlyInBothRadices) {
  for (const bool decimal : {false, true}) {
    for (const std::uint64_t n : {0U, 1U, 2U, 93U, 94U, 4'001U, 54'321U, 100'002U, 699'051U, 1'000'000U}) {
      const Natural f = natural_of(fib_number({.n = n, .decimal = decimal}, Model::serial, {}));
      const Natural l =
          natural_of(fib_number({.sequence = Sequence::lucas, .n = n, .decimal = decimal}, Model::serial, {}));
      const Natural four{4};
      const Natural left = l.squared();
      const Natural right = Natural{5} * f.squared();
      EXPECT_TRUE(n % 2 == 0 ? left == right + four : left + four == right) << n;
    }
  }
}

}  // namespace
}  // namespace duet
