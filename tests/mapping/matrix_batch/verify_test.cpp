#include "kernels/mapping/matrix_batch/verify.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <type_traits>
#include <utility>
#include <vector>

#include "kernels/mapping/matrix_batch/matrix_batch.hpp"
#include "tests/mapping/matrix_batch/batches.hpp"

namespace duet {
namespace {

/// A right answer in one process, which tests spoil.
template <class Element>
class Answer {
 public:
  explicit Answer(MatrixBatch batch, const DivisionFor& whom = {.workers = 3})
      : batch_{std::move(batch)}, memory_{batch_}, tasks_{memory_.runs(), whom} {
    memory_.fill({0, batch_.count()});
    matrix_batch_serial(tasks_, {});
    computed_ = tasks_.computed();
  }

  [[nodiscard]] SharedBatch<Element>& memory() { return memory_; }
  [[nodiscard]] std::vector<ComputedTask<Element>>& computed() { return computed_; }
  [[nodiscard]] std::span<const BatchTask> tasks() const { return tasks_.division().tasks; }
  [[nodiscard]] Judgement judgement(int threads = 1) const {
    return judge_matrix_batch<Element>(batch_, tasks(), computed_, 9, {.threads = threads});
  }
  [[nodiscard]] std::string digest() const {
    return digest_of_matrix_batch<Element>(tasks(), computed_, MPI_COMM_NULL);
  }

 private:
  MatrixBatch batch_;
  SharedBatch<Element> memory_;
  DividedRuns<Element> tasks_;
  std::vector<ComputedTask<Element>> computed_;
};

template <class Element>
void expect_wrong(const Answer<Element>& answer, const std::string& beginning) {
  for (int threads = 1; threads <= 3; ++threads) {
    const Judgement judgement = answer.judgement(threads);
    EXPECT_FALSE(judgement.right);
    EXPECT_EQ(judgement.explanation.substr(0, beginning.size()), beginning) << judgement.explanation;
  }
}

MatrixBatch mixed_batch() {
  MatrixBatch batch = awkward_batch();
  batch.seed = 4;
  return batch;
}
constexpr std::int64_t large_item = 61;  // 300 x 200 x 100, divided among 3 workers

template <class Element>
class MatrixBatchVerify : public testing::Test {};
using Elements = testing::Types<double, float>;
TYPED_TEST_SUITE(MatrixBatchVerify, Elements);

TYPED_TEST(MatrixBatchVerify, AcceptsRightAnswers) {
  for (const SizeSpread spread : {SizeSpread::tiny, SizeSpread::uniform, SizeSpread::zipf, SizeSpread::giants}) {
    const Answer<TypeParam> answer{MatrixBatch::random(spread, 60, 300, 4)};
    const Judgement judgement = answer.judgement(2);
    EXPECT_TRUE(judgement.right) << judgement.explanation;
    EXPECT_GT(judgement.error, 0);
    EXPECT_LE(judgement.error, judgement.bound);
  }
  EXPECT_TRUE(Answer<TypeParam>{mixed_batch()}.judgement().right);
  EXPECT_TRUE(Answer<TypeParam>{MatrixBatch{}}.judgement().right);
}

TYPED_TEST(MatrixBatchVerify, RejectsOneWrongEntryAnywhere) {
  for (const std::int64_t item : {std::int64_t{4}, std::int64_t{30}, std::int64_t{59}, large_item}) {
    const MatrixView<TypeParam> c = Answer<TypeParam>{mixed_batch()}.memory().c(item);
    for (const auto& [row, column] : std::vector<std::pair<std::int64_t, std::int64_t>>{
             {0, 0}, {c.rows - 1, c.columns - 1}, {c.rows / 2, c.columns / 3}}) {
      Answer<TypeParam> answer{mixed_batch()};
      // Rows of the large item are checked as a whole: n k rounding errors of a float hide what is below 0.06.
      const bool coarse = item == large_item && std::is_same_v<TypeParam, float>;
      answer.memory().c(item)(row, column) += static_cast<TypeParam>(coarse ? 0.1 : 1e-3);
      expect_wrong(answer, "item " + std::to_string(item) + ": C(");
    }
  }
}

TYPED_TEST(MatrixBatchVerify, RejectsAnEntryThatIsOffByFewRoundings) {
  Answer<TypeParam> answer{mixed_batch()};
  TypeParam& entry = answer.memory().c(30)(2, 1);
  // Four products of numbers below 1: no entry is off by more than four times half an ulp of 4.
  entry += 16 * std::numeric_limits<TypeParam>::epsilon();
  expect_wrong(answer, "item 30: C(2, 1) is ");
}

TYPED_TEST(MatrixBatchVerify, RejectsANumberThatIsNotFinite) {
  for (const TypeParam wrong :
       {std::numeric_limits<TypeParam>::quiet_NaN(), std::numeric_limits<TypeParam>::infinity()}) {
    for (const std::int64_t item : {std::int64_t{59}, large_item}) {
      Answer<TypeParam> answer{mixed_batch()};
      answer.memory().c(item)(7, 11) = wrong;
      expect_wrong(answer, "item " + std::to_string(item) + ": C(");
    }
  }
}

TYPED_TEST(MatrixBatchVerify, RejectsTwoItemsExchanged) {
  Answer<TypeParam> answer{mixed_batch()};
  // Both of 33 x 40 x 50.
  std::swap_ranges(answer.memory().c(58).data, answer.memory().c(58).data + 33 * 40, answer.memory().c(59).data);
  expect_wrong(answer, "item 58: C(0, 0) is ");
  Answer<TypeParam> tiny{mixed_batch()};
  std::swap_ranges(tiny.memory().c(20).data, tiny.memory().c(20).data + 15, tiny.memory().c(21).data);
  expect_wrong(tiny, "item 20: C(0, 0) is ");
}

TYPED_TEST(MatrixBatchVerify, RejectsTwoEntriesOfOneRowExchanged) {
  Answer<TypeParam> answer{mixed_batch()};
  const MatrixView<TypeParam> c = answer.memory().c(large_item);
  std::swap(c(250, 3), c(250, 180));
  expect_wrong(answer, "item " + std::to_string(large_item) + ": C(");
}

TYPED_TEST(MatrixBatchVerify, RejectsAMissingItem) {
  for (const std::size_t missing : {0U, 8U}) {
    Answer<TypeParam> answer{mixed_batch()};
    auto& computed = answer.computed();
    const std::int64_t item = answer.tasks()[missing].items.begin;
    computed.erase(computed.begin() + static_cast<std::ptrdiff_t>(missing));
    expect_wrong(answer, "item " + std::to_string(item) + ": its block at (0, 0) is answered 0 times");
  }
}

TYPED_TEST(MatrixBatchVerify, RejectsAMissingPartOfADividedItem) {
  Answer<TypeParam> answer{mixed_batch()};
  ASSERT_TRUE(answer.tasks().back().is_part_of(mixed_batch()[answer.tasks().back().items.begin]));
  answer.computed().pop_back();
  expect_wrong(answer, "item " + std::to_string(answer.tasks().back().items.begin) + ": its block at (");
}

TYPED_TEST(MatrixBatchVerify, RejectsAnItemAnsweredTwiceInPlaceOfAnother) {
  Answer<TypeParam> answer{mixed_batch()};
  answer.computed()[5] = answer.computed()[6];
  expect_wrong(answer, "item " + std::to_string(answer.tasks()[5].items.begin) + ": ");
}

TYPED_TEST(MatrixBatchVerify, RejectsAWrongShape) {
  Answer<TypeParam> answer{mixed_batch()};
  for (ComputedTask<TypeParam>& each : answer.computed()) {
    if (answer.tasks()[static_cast<std::size_t>(each.task)].items.begin == 7)
      std::swap(each.run.c.rows, each.run.c.columns);
    if (answer.tasks()[static_cast<std::size_t>(each.task)].items.begin == 6)
      std::swap(each.run.c.rows, each.run.c.columns);
  }
  expect_wrong(answer, "item 6: C is 1 x 90; 90 x 1 is right");
}

TYPED_TEST(MatrixBatchVerify, RejectsTooShortARun) {
  Answer<TypeParam> answer{mixed_batch()};
  const auto run = std::ranges::find_if(answer.computed(), [](const auto& each) { return each.run.count > 1; });
  ASSERT_NE(run, answer.computed().end());
  run->run.count -= 1;
  expect_wrong(answer, "item " + std::to_string(answer.tasks()[static_cast<std::size_t>(run->task)].items.begin) +
                           ": is one of ");
}

TYPED_TEST(MatrixBatchVerify, NamesTheFirstOfSeveralWrongItems) {
  Answer<TypeParam> answer{mixed_batch()};
  for (const std::int64_t item : {large_item, std::int64_t{33}, std::int64_t{58}}) answer.memory().c(item)(1, 1) = 100;
  expect_wrong(answer, "item 33: C(1, 1) is 100 where ");
}

TYPED_TEST(MatrixBatchVerify, JudgesByOperandsThatItMakesAnew) {
  // A kernel that spoils an operand and is right about the spoilt one is wrong.
  Answer<TypeParam> answer{mixed_batch()};
  answer.memory().a(59)(0, 0) += 1;
  const ProductRun<TypeParam> run{answer.memory().a(59), answer.memory().b(59), answer.memory().c(59)};
  multiply_run(local_kernel("duet"), run);
  expect_wrong(answer, "item 59: C(0, 0) is ");
}

template <class Element>
std::optional<std::string> objection(const Matrix<Element>& a, const Matrix<Element>& b, const Matrix<Element>& c) {
  Deviation worst;
  return objection_to_product<Element>(a.view(), b.view(), c.view(), 3, 0, worst);
}

TYPED_TEST(MatrixBatchVerify, WantsWhatIsNotFiniteWhereIEEE754PutsIt) {
  for (const std::int64_t n : {6, 40}) {
    Matrix<TypeParam> a{n, n};
    Matrix<TypeParam> b{n, n};
    Matrix<TypeParam> c{n, n};
    const MatrixBatch batch{.seed = 8};
    fill_operand(batch, 0, Factor::a, 0, 0, a.view());
    fill_operand(batch, 0, Factor::b, 0, 0, b.view());
    a.view()(2, 3) = std::numeric_limits<TypeParam>::quiet_NaN();
    b.view()(1, 4) = std::numeric_limits<TypeParam>::infinity();
    local_kernel("duet").of<TypeParam>()(std::as_const(a).view(), std::as_const(b).view(), c.view(), Update::assign);
    EXPECT_EQ(objection(a, b, c), std::nullopt);
    const auto refuses = [&](std::int64_t row, std::int64_t column, TypeParam wrong) {
      const TypeParam right = std::exchange(c.view()(row, column), wrong);
      EXPECT_NE(objection(a, b, c), std::nullopt) << row << ", " << column << ", " << wrong;
      c.view()(row, column) = right;
    };
    refuses(2, 0, 1);
    refuses(0, 4, 1);
    refuses(0, 4, -c.view()(0, 4));
    refuses(5, 5, std::numeric_limits<TypeParam>::quiet_NaN());
    refuses(5, 5, c.view()(5, 5) + TypeParam{1} / 64);
  }
}

TYPED_TEST(MatrixBatchVerify, AllowsUnderflowAndNothingBeyondIt) {
  for (const std::int64_t n : {4, 40}) {
    const TypeParam small = std::sqrt(std::numeric_limits<TypeParam>::min()) / 64;
    Matrix<TypeParam> a{n, n};
    Matrix<TypeParam> b{n, n};
    Matrix<TypeParam> c{n, n};
    std::fill_n(a.data(), n * n, small);
    std::fill_n(b.data(), n * n, small);
    local_kernel("duet").of<TypeParam>()(std::as_const(a).view(), std::as_const(b).view(), c.view(), Update::assign);
    EXPECT_EQ(objection(a, b, c), std::nullopt);
    c.view()(1, 1) *= 2;
    EXPECT_NE(objection(a, b, c), std::nullopt);
  }
}

TYPED_TEST(MatrixBatchVerify, HasADigestOfEveryEntryWhateverTheDivision) {
  const std::string right = Answer<TypeParam>{mixed_batch()}.digest();
  for (const int workers : {1, 2, 7}) {
    for (const Schedule schedule : {Schedule::block, Schedule::longest_first}) {
      EXPECT_EQ((Answer<TypeParam>{mixed_batch(), {.schedule = schedule, .workers = workers}}.digest()), right);
    }
  }
  Answer<TypeParam> flipped{mixed_batch()};
  flipped.memory().c(large_item)(299, 199) *= -1;
  EXPECT_NE(flipped.digest(), right);
  Answer<TypeParam> exchanged{mixed_batch()};
  const MatrixView<TypeParam> c = exchanged.memory().c(30);
  std::swap(c(0, 1), c(1, 0));
  EXPECT_NE(exchanged.digest(), right);
}

}  // namespace
}  // namespace duet
