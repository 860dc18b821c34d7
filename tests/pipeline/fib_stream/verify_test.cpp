#include <gtest/gtest.h>

#include <utility>

#include "tests/pipeline/fib_stream/asked_stream.hpp"

namespace duet {
namespace {

constexpr std::int64_t judged_count = 150;

class FibStreamVerify : public testing::Test {
 protected:
  FibStreamVerify() {
    for (std::int64_t i = 0; i < judged_count; ++i) found_.of_text.push_back(digest_of_line(text_of(i)));
  }
  [[nodiscard]] std::string text_of(std::int64_t i) const {
    GmpNumber number;
    mpz_fib_ui(number.get(), inputs_[i]);
    return decimal_by_gmp(number.limbs());
  }
  Judgement judged() { return judge_fib_stream(inputs_, found_, expected_, 9, {.threads = 2}); }

  FibInputs inputs_ = FibInputs::random(Spread::uniform, judged_count, 5'000, 3);
  FibDigests found_;
  std::vector<std::uint64_t> expected_;
};

TEST_F(FibStreamVerify, AcceptsWhatIsRight) {
  EXPECT_TRUE(judged().right);
  EXPECT_EQ(expected_, found_.of_text);
  EXPECT_TRUE(judged().right) << "the second time, too";
}

TEST_F(FibStreamVerify, RejectsOneWrongDigit) {
  for (const bool judged_before : {false, true}) {
    if (judged_before) {
      EXPECT_TRUE(judged().right);
    }
    const auto right = found_.of_text;
    std::string text = text_of(77);
    text.back() = text.back() == '0' ? '1' : '0';
    found_.of_text[77] = digest_of_line(text);
    const Judgement judgement = judged();
    EXPECT_FALSE(judgement.right);
    EXPECT_TRUE(judgement.explanation.starts_with("input 77: F(")) << judgement.explanation;
    found_.of_text = right;
  }
}

TEST_F(FibStreamVerify, RejectsTwoExchanged) {
  std::swap(found_.of_text[20], found_.of_text[21]);
  const Judgement judgement = judged();
  EXPECT_FALSE(judgement.right);
  EXPECT_TRUE(judgement.explanation.starts_with("input 20: ")) << judgement.explanation;
}

TEST_F(FibStreamVerify, RejectsOneMissingAndOneTooMany) {
  const std::uint64_t last = found_.of_text.back();
  found_.of_text.pop_back();
  EXPECT_FALSE(judged().right);
  EXPECT_EQ(judged().explanation, "149 answers to 150 inputs were taken");
  found_.of_text.push_back(last);
  found_.of_text.push_back(last);
  EXPECT_FALSE(judged().right);
}

TEST_F(FibStreamVerify, RejectsWhatIsLeftFromAnotherQuestion) {
  found_.of_text.assign(judged_count, 0);
  EXPECT_FALSE(judged().right);
}

}  // namespace
}  // namespace duet
