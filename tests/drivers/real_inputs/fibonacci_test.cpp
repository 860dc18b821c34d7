/// `duet fibonacci` in every model.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <ostream>
#include <string>
#include <vector>

#include "tests/drivers/files/scratch_folder.hpp"
#include "tests/drivers/real_inputs/program.hpp"

namespace duet {
namespace {

/// The sum of two naturals in decimal, by hand.
std::string sum_of(std::string a, std::string b) {
  std::ranges::reverse(a);
  std::ranges::reverse(b);
  std::string sum;
  for (std::size_t i = 0, carry = 0; i < std::max(a.size(), b.size()) || carry != 0; ++i) {
    const std::size_t digit = (i < a.size() ? static_cast<std::size_t>(a[i] - '0') : 0) +
                              (i < b.size() ? static_cast<std::size_t>(b[i] - '0') : 0) + carry;
    sum += static_cast<char>('0' + digit % 10);
    carry = digit / 10;
  }
  std::ranges::reverse(sum);
  return sum;
}

/// F(0) to F(count - 1) by their definition.
std::vector<std::string> fibonacci_by_sums(int count) {
  std::vector<std::string> numbers{"0", "1"};
  while (static_cast<int>(numbers.size()) < count) numbers.push_back(sum_of(numbers.back(), *(numbers.end() - 2)));
  return numbers;
}

class FibonacciInModel : public testing::TestWithParam<Start> {
 protected:
  Ended fibonacci(const std::string& arguments) {
    return run_in(folder_.path(""), GetParam().prefix + "$duet fibonacci " + GetParam().options + " " + arguments);
  }
  ScratchFolder folder_;
};

TEST_P(FibonacciInModel, AnswersEachInputInOrder) {
  constexpr int count = 2'000;
  const std::vector<std::string> numbers = fibonacci_by_sums(count);
  std::string inputs = "# every number, in an order of its own\r\n\n";
  std::string expected;
  for (int i = 0; i < count; ++i) {
    const int n = (i * 777 + 5) % count;
    const bool below = i % 3 == 0;
    inputs += (below ? "-" : "") + std::to_string(n) + (i % 5 == 0 ? "  # so\n" : "\n");
    expected += (below && n % 2 == 0 && n > 0 ? "-" : "") + numbers[static_cast<std::size_t>(n)] + "\n";
  }
  folder_.file("n.txt", inputs);
  const Ended to_file = fibonacci("--inputs n.txt -o f.txt");
  EXPECT_EQ(to_file.status, 0) << to_file.error;
  EXPECT_EQ(to_file.error, "");
  EXPECT_NE(to_file.output.find("2000 numbers"), std::string::npos) << to_file.output;
  EXPECT_EQ(content_of(folder_.path("f.txt")), expected);
  const Ended to_output = fibonacci("--inputs - <n.txt");
  EXPECT_EQ(to_output.status, 0) << to_output.error;
  EXPECT_EQ(to_output.output, expected);
}

TEST_P(FibonacciInModel, AnswersModulo) {
  folder_.file("n.txt", "0\n10\n-10\n1000000007\n18446744073709551615\n-4\n60");
  const Ended ended = fibonacci("--inputs n.txt --mod 10");
  EXPECT_EQ(ended.status, 0) << ended.error;
  // F(n) mod 10 has the period 60: 1000000007 = 47, 2^64 - 1 = 15 modulo 60; -F(10) = -55, -F(4) = -3.
  EXPECT_EQ(ended.output, "0\n5\n5\n3\n0\n7\n0\n");
}

TEST_P(FibonacciInModel, AnswersThousandsModulo) {
  constexpr std::size_t count = 5'000;
  constexpr std::uint64_t modulus = 9'223'372'036'854'775'783U;
  std::vector<std::uint64_t> residues{0, 1};
  while (residues.size() < count) residues.push_back((residues.back() + *(residues.end() - 2)) % modulus);
  std::string inputs;
  std::string expected;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t n = (i * 777 + 5) % count;
    const bool below = i % 3 == 0;
    const bool minus = below && n % 2 == 0 && n > 0;
    inputs += (below ? "-" : "") + std::to_string(n) + (i % 7 == 0 ? "\r\n" : "\n");
    expected += std::to_string(minus ? modulus - residues[n] : residues[n]) + "\n";
  }
  folder_.file("n.txt", inputs);
  const Ended ended = fibonacci("--inputs n.txt --mod " + std::to_string(modulus));
  EXPECT_EQ(ended.status, 0) << ended.error;
  EXPECT_EQ(ended.output, expected);
}

TEST_P(FibonacciInModel, NamesTheLineThatIsWrongAndLeavesNothing) {
  folder_.file("n.txt", "1\n\n2.5\n");
  folder_.file("f.txt", "before");
  const Ended ended = fibonacci("--inputs n.txt -o f.txt");
  EXPECT_EQ(ended.status, 1);
  EXPECT_EQ(ended.error.substr(0, ended.error.find('\n')), "duet: n.txt: line 3: expected a whole number, found '2.5'");
  EXPECT_EQ(content_of(folder_.path("f.txt")), "before");
  EXPECT_EQ(folder_.entries(), 2U);
}

TEST_P(FibonacciInModel, TakesNoInputsForNoAnswers) {
  folder_.file("n.txt", "# nothing\n");
  const Ended ended = fibonacci("--inputs n.txt");
  EXPECT_EQ(ended.status, 0) << ended.error;
  EXPECT_EQ(ended.output, "");
}

TEST_P(FibonacciInModel, GoesOnFromACheckpoint) {
  const Ended whole = fibonacci("12000001 -o whole.txt");
  ASSERT_EQ(whole.status, 0) << whole.error;
  // The number is there when the disk turns out to be full, and the last step but one is kept.
  const Ended lost = fibonacci("12000001 --checkpoint c -o /dev/full");
  EXPECT_EQ(lost.status, 1);
  EXPECT_NE(lost.error.find("/dev/full: cannot write at byte 0"), std::string::npos) << lost.error;
  EXPECT_EQ(folder_.entries(), 2U);
  const Ended found = fibonacci("12000001 --checkpoint c -o f.txt");
  EXPECT_EQ(found.status, 0) << found.error;
  EXPECT_EQ(found.error, "duet: c: goes on from F(6000000), 1 doubling left\n");
  EXPECT_TRUE(content_of(folder_.path("f.txt")) == content_of(folder_.path("whole.txt")));
  EXPECT_EQ(folder_.entries(), 2U);
}

INSTANTIATE_TEST_SUITE_P(Each, FibonacciInModel, testing::ValuesIn(starts),
                         [](const auto& of) { return of.param.name; });

class Fibonacci : public testing::Test {
 protected:
  Ended fibonacci(const std::string& arguments) {
    return run_in(folder_.path(""), "$duet fibonacci --model serial " + arguments);
  }
  void expect_refused(const std::string& arguments, const std::string& said) {
    const Ended ended = fibonacci(arguments);
    EXPECT_EQ(ended.status, 2) << arguments;
    EXPECT_TRUE(ended.error.starts_with("duet: " + said)) << ended.error;
    EXPECT_EQ(std::ranges::count(ended.error, '\n'), 1) << ended.error;
    EXPECT_EQ(ended.output, "");
  }
  ScratchFolder folder_;
};

TEST_F(Fibonacci, AnswersOneIndex) {
  EXPECT_EQ(fibonacci("0").output, "0\n");
  EXPECT_EQ(fibonacci("94").output, "19740274219868223167\n");
  EXPECT_EQ(fibonacci("-8").output, "-21\n");
  EXPECT_EQ(fibonacci("-9").output, "34\n");
  EXPECT_EQ(fibonacci("94 --mod 18446744073709551615").output, "1293530146158671552\n");
}

TEST_F(Fibonacci, WritesAMillionthNumberAsGmpDoes) {
  const Ended ended = fibonacci("1000000");
  ASSERT_EQ(ended.output.size(), 208'989U);
  EXPECT_TRUE(ended.output.starts_with("19532821287077577316"));
  EXPECT_TRUE(ended.output.ends_with("68996526838242546875\n"));
}

TEST_F(Fibonacci, RefusesWhatCannotBe) {
  expect_refused("", "give one index N, or --inputs FILE");
  expect_refused("5 --inputs n.txt", "give one index N, or --inputs FILE");
  expect_refused("1.5", "expected a whole number, found '1.5'");
  expect_refused("abc", "expected a whole number, found 'abc'");
  expect_refused("18446744073709551616", "'18446744073709551616' is beyond 2^64 - 1, the largest index");
  expect_refused("5 --mod 0", "--mod: '0' is not in 1 to 2^64 - 1");
  expect_refused("5 --mod -3", "--mod: '-3' is not in 1 to 2^64 - 1");
  expect_refused("5 --checkpoint c", "--checkpoint is for one exact number from 100000 on");
  expect_refused("200000 --mod 7 --checkpoint c", "--checkpoint is for one exact number from 100000 on");
  expect_refused("200000 --checkpoint f -o ./f", "--checkpoint and --output are the same file, './f'");
  expect_refused("5 -x", "The following argument was not expected: -x");
  expect_refused("5 -6", "The following argument was not expected: -6");
  expect_refused("--inputs none.txt", "none.txt: cannot open: No such file or directory");
  expect_refused("5 -o none/f.txt", "none/f.txt: cannot create a file in none");
  expect_refused("98984914894", "F(98984914894), with about 2.07e+10 digits, needs about ");
  expect_refused("1000000000000", "F(1000000000000) has about 2.09e+11 digits and would need about ");
}

TEST_F(Fibonacci, NamesTheLineThatNeedsTooMuchMemory) {
  folder_.file("n.txt", "5\n1000000000000\n");
  const Ended ended = fibonacci("--inputs n.txt -o f.txt");
  EXPECT_EQ(ended.status, 1);
  EXPECT_TRUE(ended.error.starts_with("duet: n.txt: line 2: F(1000000000000) has about 2.09e+11 digits"))
      << ended.error;
  EXPECT_EQ(folder_.entries(), 1U);
}

TEST_F(Fibonacci, SaysWhenItCannotWrite) {
  const Ended full = fibonacci("100 >/dev/full");
  EXPECT_EQ(full.status, 1);
  EXPECT_TRUE(full.error.starts_with("duet: standard output: cannot write at byte 0")) << full.error;
}

TEST_F(Fibonacci, ReadsCompressedInputsAndPipes) {
  folder_.file("n.gz", gzipped("10\n20\n"));
  EXPECT_EQ(fibonacci("--inputs n.gz").output, "55\n6765\n");
  EXPECT_EQ(run_in(folder_.path(""), "printf '10' | $duet fibonacci --model serial --inputs /dev/stdin").output,
            "55\n");
}

TEST_F(Fibonacci, TeachesInItsHelp) {
  const Ended ended = fibonacci("--help");
  EXPECT_EQ(ended.status, 0);
  EXPECT_NE(ended.output.find("seq 1000 | duet fibonacci --inputs - --mod 1000000007"), std::string::npos);
}

}  // namespace
}  // namespace duet
