#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "kernels/core/mpi.hpp"
#include "kernels/data_decomposition/fib_number/fib_number.hpp"
#include "kernels/data_decomposition/fib_number/rank_doubling.hpp"
#include "kernels/data_decomposition/fib_number/rank_products.hpp"

namespace duet {
namespace {

class FibNumberRanks : public testing::Test {
 protected:
  [[nodiscard]] MPI_Comm communicator() const { return communicator_.get(); }
  [[nodiscard]] bool on_all(bool mine) const {
    int all = mine ? 1 : 0;
    check(MPI_Allreduce(MPI_IN_PLACE, &all, 1, MPI_INT, MPI_LAND, communicator()));
    return all != 0;
  }

  /// True on all ranks where each has its columns of the number, which may have zeros at the end.
  [[nodiscard]] bool is(const SlicedNumber& answer, std::span<const std::uint64_t> right) const {
    while (!right.empty() && right.back() == 0) right = right.first(right.size() - 1);
    bool same = answer.digits == right.size();
    for (std::size_t r = 0; r < answer.shape.rows; ++r) {
      const auto row = answer.row(r);
      for (std::size_t i = 0; i < row.size(); ++i) {
        const std::size_t place = answer.place_of(r) + i;
        same = same && row[i] == (place < right.size() ? right[place] : 0);
      }
    }
    return on_all(same);
  }
  /// The same for the number as one thread computes it.
  [[nodiscard]] bool is_the_serial_number(const SlicedNumber& answer, Sequence sequence, std::uint64_t n) const {
    TransformContext context{.radix = answer.radix};
    return is(answer, sequence_digits(sequence, n, context).digits());
  }

 protected:
  RankSpace space_;

 private:
  Communicator communicator_ = Communicator::duplicate(MPI_COMM_WORLD);
};

TEST_F(FibNumberRanks, HoldTheSerialNumberTogether) {
  const TransformTeam& team = serial_team();
  // From 64 digits on, every step is shared; 24-bit runs of ones and zeros meet both parities at every step.
  for (const std::size_t least : {64U, 300U}) {
    const RankDoubling ranks{.communicator = communicator(), .team = team, .least_shared = least};
    for (const std::uint64_t n : {0U, 1U, 5'000U, 8'863U, 20'001U, 44'445U, 65'535U, 65'536U, 100'000U, 699'051U}) {
      for (const Sequence sequence : {Sequence::fibonacci, Sequence::lucas}) {
        for (const bool decimal : {false, true}) {
          const Radix radix = FibNumber{.n = n, .decimal = decimal}.radix();
          EXPECT_TRUE(is_the_serial_number(sliced_sequence(sequence, n, radix, ranks, space_), sequence, n))
              << n << " from " << least << " digits, decimal " << decimal;
        }
      }
    }
  }
}

TEST_F(FibNumberRanks, MeetEveryShapeOfATransform) {
  const TransformTeam& team = serial_team();
  const RankDoubling ranks{.communicator = communicator(), .team = team, .least_shared = 64};
  for (std::uint64_t n = 20'000; n < 45'000; n += 487) {
    const Sequence sequence = n % 2 == 0 ? Sequence::lucas : Sequence::fibonacci;
    const Radix radix = FibNumber{.n = n, .decimal = n % 3 == 0}.radix();
    EXPECT_TRUE(is_the_serial_number(sliced_sequence(sequence, n, radix, ranks, space_), sequence, n)) << n;
  }
}

TEST_F(FibNumberRanks, WorkWithThreadsToo) {
  for (const std::uint64_t n : {65'537U, 2'000'003U, 20'000'003U}) {
    const FibNumber asked{.n = n};
    for (const int threads : {1, 2, 3}) {
      const Execution execution{.threads = threads, .communicator = communicator()};
      EXPECT_TRUE(is_the_serial_number(fib_number(asked, Model::hybrid, execution), Sequence::fibonacci, n)) << n;
    }
    EXPECT_TRUE(
        is_the_serial_number(fib_number(asked, Model::mpi, {.communicator = communicator()}), Sequence::fibonacci, n));
  }
}

TEST_F(FibNumberRanks, MultiplyInEveryDivision) {
  const Radix radix = Radix::binary(60);
  const TransformTeam two{2, serial_team().parallel};
  std::mt19937_64 random{3};
  for (const TransformTeam* team : {&serial_team(), &two}) {
    const RankDoubling ranks{.communicator = communicator(), .team = *team};
    for (unsigned levels = 0; levels <= 6; ++levels) {
      for (const std::size_t digits : {70U, 1'000U, 5'000U, 9'001U}) {
        for (const bool sends_digits : {true, false}) {
          if (sends_digits && levels != 0) continue;
          std::vector<std::uint64_t> a(digits);
          for (std::uint64_t& digit : a) digit = random() % radix.base;
          const std::vector<std::uint64_t> b(digits, radix.base - 1);
          std::vector<std::uint64_t> right(2 * digits);
          std::vector<std::uint64_t> right_square(2 * digits);
          TransformContext context{.radix = radix};
          double_digits(a, b, right, right_square, context);

          RankProducts products{radix, ranks, {size_of(communicator()), sends_digits, levels}, space_.buffers()};
          SlicedNumber x = products.slice_of(a, 0);
          SlicedNumber y = products.slice_of(b, 0);
          products.multiply(x, y, Combination::doubling);
          products.settle({&x, &y}, {0, 0});
          EXPECT_TRUE(is(x, right)) << digits << " " << levels << " " << sends_digits;
          EXPECT_TRUE(is(y, right_square)) << digits << " " << levels << " " << sends_digits;
          y = products.slice_of(b, 0);
          products.multiply(x = products.slice_of(a, 0), y, Combination::square);
          products.settle({&x}, {0});
          EXPECT_TRUE(is(x, right_square)) << digits << " " << levels << " " << sends_digits;
        }
      }
    }
  }
}

TEST_F(FibNumberRanks, CarryThroughAllRanksAndRows) {
  const RankDoubling ranks{.communicator = communicator(), .team = serial_team()};
  for (const Radix& radix : {Radix::binary(60), Radix::decimal(18)}) {
    for (const unsigned levels : {0U, 2U}) {
      RankProducts products{radix, ranks, {size_of(communicator()), false, levels}, space_.buffers()};
      constexpr std::size_t digits = 6'000;
      const std::vector<std::uint64_t> largest(digits, radix.base - 1);
      std::vector<std::uint64_t> power(digits + 1);
      power.back() = 1;
      SlicedNumber up = products.slice_of(largest, digits + 1);
      SlicedNumber down = products.slice_of(power, digits + 1);
      products.settle({&up, &down}, {1, -1});
      EXPECT_TRUE(is(up, power));
      EXPECT_TRUE(is(down, largest));
      products.settle({&up, &down}, {-2, 2});
      power.front() = 1;
      EXPECT_TRUE(is(down, power));
      std::vector<std::uint64_t> less = largest;
      less.front() -= 1;
      EXPECT_TRUE(is(up, less));
    }
  }
}

TEST_F(FibNumberRanks, SayWhenACarryHasNoRoom) {
  const Radix radix = Radix::binary(60);
  const RankDoubling ranks{.communicator = communicator(), .team = serial_team()};
  RankProducts products{radix, ranks, {size_of(communicator()), false, 0}, space_.buffers()};
  SlicedNumber full = products.slice_of(std::vector<std::uint64_t>(2048, radix.base - 1), 0);
  EXPECT_THROW(products.settle({&full}, {1}), std::logic_error);
}

TEST_F(FibNumberRanks, JudgeTogetherAndSayNoOnAllRanks) {
  const FibNumber asked{.n = 1'234'567};
  SlicedNumber answer = fib_number(asked, Model::mpi, {.communicator = communicator()});
  EXPECT_TRUE(judge_fib_number(asked, answer, 1, communicator()).right);
  const SlicedNumber plain = fib_number(asked, Model::serial, {});
  EXPECT_EQ(digest_of_fib_number(answer, communicator()), digest_of_fib_number(plain, MPI_COMM_NULL));

  const bool last = rank_in(communicator()) == size_of(communicator()) - 1;
  if (last) answer.row(0)[0] ^= 1U;
  const Judgement judgement = judge_fib_number(asked, answer, 1, communicator());
  EXPECT_FALSE(judgement.right);
  EXPECT_NE(judgement.explanation.find("F(1234567) breaks L^2 - 5 F^2 = -4: "), std::string::npos)
      << judgement.explanation;
}

}  // namespace
}  // namespace duet
