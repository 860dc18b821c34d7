#include "kernels/data_decomposition/fib_number/fib_number.hpp"

#include <gmp.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <vector>

namespace duet {
namespace {

constexpr std::uint64_t seed = 5;

/// The limbs of F(n) or L(n) as GMP has them.
std::vector<std::uint64_t> limbs_by_gmp(const FibNumber& asked) {
  mpz_t number;
  mpz_init(number);
  asked.sequence == Sequence::lucas ? mpz_lucnum_ui(number, asked.n) : mpz_fib_ui(number, asked.n);
  std::vector<std::uint64_t> limbs(mpz_limbs_read(number), mpz_limbs_read(number) + mpz_size(number));
  mpz_clear(number);
  return limbs;
}

/// The limbs of a number in binary radix that lies in one row.
std::vector<std::uint64_t> limbs_of(const SlicedNumber& number) {
  const auto digits = number.row(0).first(number.digits);
  std::vector<std::uint64_t> limbs(limbs_of_digits(digits.size(), number.radix));
  pack_limbs(digits, number.radix, limbs);
  while (!limbs.empty() && limbs.back() == 0) limbs.pop_back();
  return limbs;
}

Judgement judged(const FibNumber& asked, const SlicedNumber& answer) {
  return judge_fib_number(asked, answer, seed, MPI_COMM_NULL);
}

TEST(FibNumber, IsThatOfGmpInEverySharedModel) {
  for (const std::uint64_t n : {0U, 1U, 2U, 93U, 94U, 20'000U, 20'001U, 65'535U, 100'003U, 1'000'003U}) {
    for (const Sequence sequence : {Sequence::fibonacci, Sequence::lucas}) {
      const FibNumber asked{.sequence = sequence, .n = n};
      const auto right = limbs_by_gmp(asked);
      for (const int threads : {1, 2, 3}) {
        EXPECT_TRUE(limbs_of(fib_number(asked, Model::openmp, {.threads = threads})) == right) << n << " " << threads;
        EXPECT_TRUE(limbs_of(fib_number(asked, Model::tbb, {.threads = threads})) == right) << n << " " << threads;
      }
      const SlicedNumber serial = fib_number(asked, Model::serial, {});
      EXPECT_TRUE(limbs_of(serial) == right) << n;
      EXPECT_TRUE(judged(asked, serial).right) << n << ": " << judged(asked, serial).explanation;
    }
  }
}

TEST(FibNumber, IsRightInDecimalToo) {
  for (const std::uint64_t n : {0U, 1U, 7U, 100U, 54'321U, 300'007U}) {
    for (const Sequence sequence : {Sequence::fibonacci, Sequence::lucas}) {
      const FibNumber asked{.sequence = sequence, .n = n, .decimal = true};
      const SlicedNumber answer = fib_number(asked, Model::openmp, {.threads = 2});
      EXPECT_TRUE(judged(asked, answer).right) << n << ": " << judged(asked, answer).explanation;
    }
  }
}

TEST(FibNumber, BooksWhatItsThreadsDo) {
  Timesheet timesheet{2};
  static_cast<void>(fib_number({.n = 3'000'000}, Model::openmp, {.threads = 2, .timesheet = &timesheet}));
  // Which thread takes how many parts is theirs to find out.
  EXPECT_GT(timesheet.of(0).useful + timesheet.of(1).useful, 0);
}

TEST(FibNumberDigest, DependsOnEveryDigitAndItsPlace) {
  const FibNumber asked{.n = 50'000};
  SlicedNumber answer = fib_number(asked, Model::serial, {});
  const std::string right = digest_of_fib_number(answer, MPI_COMM_NULL);
  EXPECT_EQ(digest_of_fib_number(fib_number(asked, Model::tbb, {.threads = 3}), MPI_COMM_NULL), right);
  answer.row(0)[answer.digits - 1] ^= 1U;
  EXPECT_NE(digest_of_fib_number(answer, MPI_COMM_NULL), right);
}

TEST(FibNumberMemory, IsKnownBefore) {
  // 87 MB of answer.
  EXPECT_LE(fib_number_memory({.n = 1'000'000'000}, Model::openmp, 1, 2), 870e6);
  EXPECT_GT(fib_number_memory({.n = 1'000'000'000}, Model::mpi, 4, 1), 400e6);
}

}  // namespace
}  // namespace duet
