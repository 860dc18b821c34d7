#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "kernels/mapping/fib_batch/fib_batch.hpp"

namespace duet {
namespace {

FibBatch exact_batch() { return {.inputs = FibInputs::random(Spread::uniform, 200, 5'000, 6), .modulus = 0}; }
FibBatch modular_batch(std::int64_t count = 200) {
  return {.inputs = FibInputs::random(Spread::uniform, count, 5'000, 6), .modulus = 1'000'000'000};
}

Judgement judged(const FibBatch& batch, const Answers& answers, int threads = 1) {
  return judge_fib_batch(batch, answers, 9, {.threads = threads});
}

void expect_wrong(const FibBatch& batch, const Answers& answers, const std::string& beginning) {
  for (int threads = 1; threads <= 3; ++threads) {
    const Judgement judgement = judged(batch, answers, threads);
    EXPECT_FALSE(judgement.right);
    EXPECT_EQ(judgement.explanation.substr(0, beginning.size()), beginning) << judgement.explanation;
  }
}

/// The same number with one bit turned.
Natural with_bit_flipped(const Natural& number, std::int64_t bit) {
  std::vector<std::uint64_t> limbs(number.limbs().begin(), number.limbs().end());
  limbs.at(static_cast<std::size_t>(bit / 64)) ^= std::uint64_t{1} << (bit % 64);
  return Natural{std::move(limbs)};
}

/// Answers by one worker in order, one item a run, so that tests can spoil what they like.
Answers answers_to(const FibBatch& batch) {
  Answers answers{1};
  Shelf& shelf = answers.shelf(0);
  for (std::int64_t i = 0; i < batch.inputs.count(); ++i) {
    shelf.answered.push_back({{i, i + 1}, i});
    const Natural right = fibonacci(batch.inputs[i]);
    if (batch.exact()) {
      shelf.naturals.push_back(right);
    } else {
      shelf.residues.push_back(right.modulo(batch.modulus));
    }
  }
  return answers;
}

TEST(FibBatchVerify, AcceptsRightAnswers) {
  for (int threads = 1; threads <= 3; ++threads) {
    EXPECT_TRUE(judged(exact_batch(), answers_to(exact_batch()), threads).right);
    EXPECT_TRUE(judged(modular_batch(), answers_to(modular_batch()), threads).right);
  }
}

TEST(FibBatchVerify, AcceptsEveryIndexFromZeroOn) {
  std::vector<std::uint64_t> list(1500);
  for (std::size_t i = 0; i < list.size(); ++i) list[i] = i;
  const FibBatch batch{.inputs = FibInputs::given(list), .modulus = 0};
  const Judgement judgement = judged(batch, answers_to(batch));
  EXPECT_TRUE(judgement.right) << judgement.explanation;
}

TEST(FibBatchVerify, AcceptsAnEmptyBatch) { EXPECT_TRUE(judged({}, Answers{2}).right); }

TEST(FibBatchVerify, RejectsEverySingleFlippedBit) {
  const std::vector<std::uint64_t> list{777};
  const FibBatch batch{.inputs = FibInputs::given(list), .modulus = 0};
  const Natural right = fibonacci(777);
  for (std::int64_t bit = 0; bit < right.bits(); ++bit) {
    Answers answers = answers_to(batch);
    answers.shelf(0).naturals[0] = with_bit_flipped(right, bit);
    expect_wrong(batch, answers, "item 0: F(777) ");
  }
}

TEST(FibBatchVerify, NamesTheFirstOfSeveralWrongItems) {
  Answers answers = answers_to(exact_batch());
  for (const std::size_t i : {150U, 41U, 199U}) {
    answers.shelf(0).naturals[i] = with_bit_flipped(answers.shelf(0).naturals[i], 3);
  }
  expect_wrong(exact_batch(), answers, "item 41: ");
}

TEST(FibBatchVerify, RejectsPairedDigitErrorsThatCancelModuloAMersennePrime) {
  // 2^61 = 1 modulo 2^61 - 1: to move a bit from 2^61 to 2^0, or back, leaves the residue there alone.
  const std::vector<std::uint64_t> list{777};
  const FibBatch batch{.inputs = FibInputs::given(list), .modulus = 0};
  const Natural right = fibonacci(777);
  std::vector<std::uint64_t> limbs(right.limbs().begin(), right.limbs().end());
  constexpr std::uint64_t difference = (std::uint64_t{1} << 61U) - 1;
  limbs[0] = limbs[0] > difference ? limbs[0] - difference : limbs[0] + difference;
  const Natural wrong{limbs};
  ASSERT_EQ(wrong.bits(), right.bits());
  ASSERT_EQ(wrong.modulo((std::uint64_t{1} << 61U) - 1), right.modulo((std::uint64_t{1} << 61U) - 1));
  Answers answers = answers_to(batch);
  answers.shelf(0).naturals[0] = wrong;
  expect_wrong(batch, answers, "item 0: F(777) is ");
}

TEST(FibBatchVerify, RejectsAnAnswerThatIsOffByAPowerOfTwo) {
  Answers answers = answers_to(exact_batch());
  std::vector<std::uint64_t> longer{0};
  const Natural& right = answers.shelf(0).naturals[7];
  longer.insert(longer.end(), right.limbs().begin(), right.limbs().end());
  answers.shelf(0).naturals[7] = Natural{longer};
  expect_wrong(exact_batch(), answers, "item 7: ");
}

TEST(FibBatchVerify, RejectsAZeroAndANumberThatShouldBeZero) {
  Answers answers = answers_to(exact_batch());
  answers.shelf(0).naturals[3] = Natural{};
  expect_wrong(exact_batch(), answers, "item 3: ");
  const std::vector<std::uint64_t> list{5, 0};
  const FibBatch batch{.inputs = FibInputs::given(list), .modulus = 0};
  Answers one = answers_to(batch);
  one.shelf(0).naturals[1] = Natural{1};
  expect_wrong(batch, one, "item 1: F(0) is not 0");
}

TEST(FibBatchVerify, RejectsOneWrongResidue) {
  for (const std::int64_t count : {200, 1000}) {
    Answers answers = answers_to(modular_batch(count));
    EXPECT_TRUE(judged(modular_batch(count), answers).right);
    answers.shelf(0).residues[199] ^= 1U;
    expect_wrong(modular_batch(count), answers, "item 199: F(");
  }
}

TEST(FibBatchVerify, RejectsASwappedPair) {
  for (const FibBatch& batch : {exact_batch(), modular_batch()}) {
    Answers answers = answers_to(batch);
    std::swap(answers.shelf(0).answered[20].first, answers.shelf(0).answered[21].first);
    expect_wrong(batch, answers, "item 20: ");
  }
}

TEST(FibBatchVerify, RejectsAMissingItem) {
  for (const std::size_t missing : {0U, 100U, 199U}) {
    Answers answers = answers_to(exact_batch());
    auto& answered = answers.shelf(0).answered;
    answered.erase(answered.begin() + static_cast<std::ptrdiff_t>(missing));
    expect_wrong(exact_batch(), answers, "item " + std::to_string(missing) + ": is answered 0 times");
  }
}

TEST(FibBatchVerify, RejectsAnItemAnsweredTwice) {
  Answers answers = answers_to(exact_batch());
  answers.shelf(0).answered.push_back({{120, 121}, 120});
  expect_wrong(exact_batch(), answers, "item 120: is answered 2 times");
}

TEST(FibBatchVerify, RejectsOneTwiceInPlaceOfAnotherThoughTheCountIsRight) {
  // Items 1 and 2 twice in place of 0 and 3: the count and the sum of the indices are what they should be.
  Answers answers = answers_to(exact_batch());
  auto& answered = answers.shelf(0).answered;
  answered[0] = answered[1];
  answered[3] = answered[2];
  expect_wrong(exact_batch(), answers, "item 0: is answered 0 times");
}

TEST(FibBatchVerify, RejectsAnItemThatIsNotInTheBatch) {
  Answers answers = answers_to(exact_batch());
  answers.shelf(0).answered.push_back({{200, 201}, 5});
  expect_wrong(exact_batch(), answers, "item 200: is not in the batch");
}

TEST(FibBatchVerify, RejectsARunWithoutItsAnswer) {
  Answers answers = answers_to(exact_batch());
  answers.shelf(0).naturals.pop_back();
  expect_wrong(exact_batch(), answers, "item 199: has lost its answer");
}

TEST(FibBatchDigest, DependsOnEveryAnswerAndNotOnWhereItIs) {
  const FibBatch batch = exact_batch();
  const std::string right = digest_of_fib_batch(batch, answers_to(batch), MPI_COMM_NULL);
  Answers elsewhere{2};
  for (std::int64_t i = batch.inputs.count(); i-- > 0;) {
    Shelf& shelf = elsewhere.shelf(static_cast<int>(i % 2));
    shelf.answered.push_back({{i, i + 1}, static_cast<std::int64_t>(shelf.naturals.size())});
    shelf.naturals.push_back(fibonacci(batch.inputs[i]));
  }
  EXPECT_EQ(digest_of_fib_batch(batch, elsewhere, MPI_COMM_NULL), right);
  Answers swapped = answers_to(batch);
  std::swap(swapped.shelf(0).answered[20].first, swapped.shelf(0).answered[21].first);
  EXPECT_NE(digest_of_fib_batch(batch, swapped, MPI_COMM_NULL), right);
  Answers flipped = answers_to(batch);
  flipped.shelf(0).naturals[9] = with_bit_flipped(flipped.shelf(0).naturals[9], 0);
  EXPECT_NE(digest_of_fib_batch(batch, flipped, MPI_COMM_NULL), right);
}

}  // namespace
}  // namespace duet
