#include <gtest/gtest.h>

#include <cstdint>
#include <span>
#include <string>

#include "kernels/core/mpi.hpp"
#include "kernels/data_decomposition/fib_number/fib_number.hpp"
#include "kernels/data_decomposition/fib_number/rank_doubling.hpp"

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

  /// True on all ranks where each has its columns of the number as one thread computes it.
  [[nodiscard]] bool is_the_serial_number(const SlicedNumber& answer, Sequence sequence, std::uint64_t n) const {
    TransformContext context{.radix = answer.radix};
    const DigitNumber right = sequence_digits(sequence, n, context);
    bool same = answer.digits == right.size;
    for (std::size_t r = 0; r < answer.shape.rows; ++r) {
      const auto row = answer.row(r);
      for (std::size_t i = 0; i < row.size(); ++i) {
        const std::size_t place = answer.place_of(r) + i;
        same = same && row[i] == (place < right.size ? right.digits()[place] : 0);
      }
    }
    return on_all(same);
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
  for (const std::uint64_t n : {65'537U, 2'000'003U}) {
    const FibNumber asked{.n = n};
    for (const int threads : {1, 2, 3}) {
      const Execution execution{.threads = threads, .communicator = communicator()};
      EXPECT_TRUE(is_the_serial_number(fib_number(asked, Model::hybrid, execution), Sequence::fibonacci, n)) << n;
    }
    EXPECT_TRUE(
        is_the_serial_number(fib_number(asked, Model::mpi, {.communicator = communicator()}), Sequence::fibonacci, n));
  }
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
  EXPECT_NE(judgement.explanation.find("F(1234567) is "), std::string::npos) << judgement.explanation;
}

}  // namespace
}  // namespace duet
