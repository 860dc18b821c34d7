/// What a doubling tells of its steps, and that another one can go on from there.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "kernels/core/mpi.hpp"
#include "kernels/data_decomposition/fib_number/fib_number.hpp"
#include "kernels/data_decomposition/fib_number/rank_doubling.hpp"
#include "tests/all_ranks.hpp"

namespace duet {
namespace {

constexpr std::size_t least_digits = 100;

/// F(k) and L(k), whole on every rank.
struct Kept {
  unsigned left = 0;
  std::size_t digits = 0;
  std::vector<std::uint64_t> fibonacci;
  std::vector<std::uint64_t> lucas;
};

class FibNumberRecord : public testing::Test {
 protected:
  [[nodiscard]] MPI_Comm communicator() const { return communicator_.get(); }

  /// All digits on all ranks.
  [[nodiscard]] std::vector<std::uint64_t> whole(const std::vector<Stretch<const std::uint64_t>>& mine,
                                                 std::size_t length, bool on_ranks) const {
    std::vector<std::uint64_t> digits(length);
    for (const auto& stretch : mine) {
      std::ranges::copy(stretch.digits, digits.begin() + static_cast<std::ptrdiff_t>(stretch.place));
    }
    if (on_ranks) {
      check(MPI_Allreduce(MPI_IN_PLACE, digits.data(), mpi_count(std::ssize(digits)), MPI_UINT64_T, MPI_SUM,
                          communicator()));
    }
    return digits;
  }

  [[nodiscard]] std::vector<Kept> steps_of(FibNumber asked, Model model, int threads) const {
    std::vector<Kept> steps;
    DoublingRecord record{.least_digits = least_digits};
    record.reached = [&](const DoublingStep& step) {
      const bool on_ranks = passes_messages(model);
      steps.push_back({step.left, step.digits, whole(step.fibonacci, step.length, on_ranks),
                       whole(step.lucas, step.length, on_ranks)});
    };
    asked.record = &record;
    const SlicedNumber answer = fib_number(asked, model, execution(model, threads));
    EXPECT_TRUE(on_every_rank(judge_fib_number(asked, answer, 1, execution(model, threads).communicator).right));
    return steps;
  }

  [[nodiscard]] Execution execution(Model model, int threads) const {
    return {.threads = threads, .communicator = passes_messages(model) ? communicator() : MPI_COMM_NULL};
  }

  template <class Act>
  static void each_model(const Act& act) {
    for (const Model model : all_models) act(model, runs_threads(model) ? 2 : 1);
  }

 private:
  Communicator communicator_ = Communicator::duplicate(MPI_COMM_WORLD);
};

TEST_F(FibNumberRecord, TellsBothNumbersOfEveryStep) {
  each_model([&](Model model, int threads) {
    // Steps are shared from 4096 digits of a rank on.
    for (const bool decimal : {false, true}) {
      const FibNumber asked{.n = 1'600'001, .decimal = decimal};
      const std::vector<Kept> steps = steps_of(asked, model, threads);
      ASSERT_TRUE(on_every_rank(!steps.empty()));
      EXPECT_EQ(steps.back().left, 1U);
      for (const Kept& step : steps) {
        TransformContext context{.radix = asked.radix()};
        const SequencePair right = pair_digits(asked.n >> step.left, context);
        const auto same = [](const std::vector<std::uint64_t>& kept, const DigitNumber& number) {
          const auto [end_of_kept, end] = std::ranges::mismatch(kept, number.digits());
          return end == number.digits().end() && std::all_of(end_of_kept, kept.end(), [](auto d) { return d == 0; });
        };
        EXPECT_TRUE(on_every_rank(same(step.fibonacci, right.fibonacci))) << name_of(model) << " " << step.left;
        EXPECT_TRUE(on_every_rank(same(step.lucas, right.lucas))) << name_of(model) << " " << step.left;
        EXPECT_EQ(step.digits, right.lucas.size);
      }
    }
  });
}

TEST_F(FibNumberRecord, IsGoneOnFromInEveryModel) {
  for (const Sequence sequence : {Sequence::fibonacci, Sequence::lucas}) {
    FibNumber asked{.sequence = sequence, .n = 900'007};
    const std::string right = digest_of_fib_number(fib_number(asked, Model::serial, {}), MPI_COMM_NULL);
    for (const Kept& step : steps_of(asked, Model::mpi, 1)) {
      each_model([&](Model model, int threads) {
        DoublingRecord record;
        record.start = DoublingRecord::Start{.left = step.left, .digits = step.digits};
        record.start->read = [&](Sequence which, std::span<const Stretch<std::uint64_t>> mine) {
          const std::vector<std::uint64_t>& digits = which == Sequence::lucas ? step.lucas : step.fibonacci;
          for (const auto& stretch : mine) {
            for (std::size_t i = 0; i < stretch.digits.size(); ++i) {
              stretch.digits[i] = stretch.place + i < digits.size() ? digits[stretch.place + i] : 0;
            }
          }
        };
        asked.record = &record;
        const SlicedNumber answer = fib_number(asked, model, execution(model, threads));
        EXPECT_TRUE(on_every_rank(digest_of_fib_number(answer, execution(model, threads).communicator) == right))
            << name_of(model) << " with " << step.left << " left";
      });
    }
  }
}

TEST_F(FibNumberRecord, LetsAnErrorOfTheListenerOut) {
  each_model([&](Model model, int threads) {
    DoublingRecord record;
    record.reached = [](const DoublingStep&) { throw std::runtime_error("the disk is full"); };
    const FibNumber asked{.n = 1'000'000, .record = &record};
    EXPECT_THROW(static_cast<void>(fib_number(asked, model, execution(model, threads))), std::runtime_error);
  });
}

}  // namespace
}  // namespace duet
