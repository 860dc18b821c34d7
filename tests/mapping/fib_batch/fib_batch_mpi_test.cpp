#include <gtest/gtest.h>
#include <mpi.h>

#include <array>
#include <stdexcept>
#include <string>
#include <vector>

#include "kernels/core/mpi.hpp"
#include "kernels/mapping/fib_batch/fib_batch.hpp"
#include "tests/mapping/fib_batch/plain_fibonacci.hpp"

namespace duet {
namespace {

const std::vector<std::string> schedules{"block", "cyclic", "dynamic", "guided", "longest_first", "stealing"};

Execution execution_with(MPI_Comm communicator, const std::string& schedule, int threads,
                         const std::string& grain = "0") {
  static const std::vector<Setting> declared{{.name = "schedule", .preset = "block", .meaning = "", .choices = {}},
                                             {.name = "grain", .preset = "0", .meaning = ""}};
  std::vector<Setting> settings = declared;
  settings[0].choices = schedules;
  settings[0].choices.emplace_back("spawn_each");
  return {.threads = threads,
          .communicator = communicator,
          .tunables = Settings{"test", settings, {{"schedule", schedule}, {"grain", grain}}}};
}

bool on_all(MPI_Comm communicator, bool mine) {
  int all = mine ? 1 : 0;
  check(MPI_Allreduce(MPI_IN_PLACE, &all, 1, MPI_INT, MPI_LAND, communicator));
  return all != 0;
}

/// Over all ranks together every item is there once, and each is what GMP says.
bool right_on_all(const FibBatch& batch, const Answers& answers, MPI_Comm communicator) {
  std::vector<int> times(static_cast<std::size_t>(batch.inputs.count()) + 1);
  times.back() = 1;
  bool right = true;
  answers.each_natural([&](std::int64_t i, const Natural& answer) {
    ++times.at(static_cast<std::size_t>(i));
    right = right && PlainFibonacci{batch.inputs[i]}.is(answer);
  });
  answers.each_residue([&](std::int64_t i, std::uint64_t answer) {
    ++times.at(static_cast<std::size_t>(i));
    right = right && PlainFibonacci{batch.inputs[i]}.is_modulo(batch.modulus, answer);
  });
  std::vector<int> all(times.size());
  check(MPI_Allreduce(times.data(), all.data(), mpi_count(static_cast<std::int64_t>(times.size())), MPI_INT, MPI_SUM,
                      communicator));
  all.back() /= size_of(communicator);
  return on_all(communicator, right && all == std::vector<int>(all.size(), 1));
}

class FibBatchRanks : public testing::Test {
 protected:
  [[nodiscard]] MPI_Comm communicator() const { return communicator_.get(); }
  [[nodiscard]] int rank() const { return rank_in(communicator()); }
  [[nodiscard]] int ranks() const { return size_of(communicator()); }

  /// Calls act(model, threads, schedule) for all that pass messages.
  template <class Act>
  void each_way(Act&& act) {
    for (const std::string& schedule : schedules) {
      SCOPED_TRACE(schedule);
      act(Model::mpi, 1, schedule);
      for (int threads = 1; threads <= 3; ++threads) act(Model::hybrid, threads, schedule);
    }
  }

 private:
  Communicator communicator_ = Communicator::duplicate(MPI_COMM_WORLD);
};

TEST_F(FibBatchRanks, AnswerEveryItemOnceWhateverTheSkew) {
  each_way([&](Model model, int threads, const std::string& schedule) {
    for (const Spread spread : {Spread::log_uniform, Spread::ascending, Spread::giants}) {
      for (const std::int64_t count : {0, 1, 2, 3, 7, 130}) {
        const FibBatch batch{.inputs = FibInputs::random(spread, count, 3'000, 2), .modulus = 0};
        const Answers answers = fib_batch(batch, model, execution_with(communicator(), schedule, threads));
        EXPECT_TRUE(right_on_all(batch, answers, communicator())) << count << " items, " << threads << " threads";
      }
    }
  });
}

TEST_F(FibBatchRanks, AnswerModuloAnyNumber) {
  each_way([&](Model model, int threads, const std::string& schedule) {
    for (const std::uint64_t modulus : {std::uint64_t{2}, std::uint64_t{1'000'000'000}, UINT64_MAX}) {
      const FibBatch batch{.inputs = FibInputs::random(Spread::uniform, 2'000, 1'500, 3), .modulus = modulus};
      const Answers answers = fib_batch(batch, model, execution_with(communicator(), schedule, threads));
      EXPECT_TRUE(right_on_all(batch, answers, communicator())) << modulus << ", " << threads << " threads";
    }
  });
}

TEST_F(FibBatchRanks, UseTheSameWordsAgainAndAgain) {
  // Without a barrier between: a fast rank starts the next batch while a slow one still steals in the last.
  RankWords words{communicator()};
  for (const char* const schedule : {"dynamic", "stealing", "guided", "stealing"}) {
    std::vector<Answers> answers;
    const FibBatch batch{.inputs = FibInputs::random(Spread::giants, 150, 2'000, 4), .modulus = 0};
    for (int trial = 0; trial < 40; ++trial) {
      answers.emplace_back(1);
      fib_batch_mpi(batch, answers.back(), words, execution_with(communicator(), schedule, 1, "1"));
    }
    for (const Answers& each : answers) EXPECT_TRUE(right_on_all(batch, each, communicator())) << schedule;
  }
}

TEST_F(FibBatchRanks, HaveTheDigestOfTheSerialVariant) {
  for (const std::uint64_t modulus : {0U, 1'000'000'007U}) {
    const FibBatch batch{.inputs = FibInputs::random(Spread::log_uniform, 97, 5'000, 5), .modulus = modulus};
    const std::string serial = digest_of_fib_batch(batch, fib_batch(batch, Model::serial, {}), MPI_COMM_NULL);
    each_way([&](Model model, int threads, const std::string& schedule) {
      const Answers answers = fib_batch(batch, model, execution_with(communicator(), schedule, threads));
      EXPECT_TRUE(on_all(communicator(), digest_of_fib_batch(batch, answers, communicator()) == serial));
    });
  }
}

TEST_F(FibBatchRanks, HaveNoSpawnEach) {
  for (const Model model : {Model::mpi, Model::hybrid}) {
    bool refused = false;
    try {
      (void)fib_batch({}, model, execution_with(communicator(), "spawn_each", 1));
    } catch (const std::invalid_argument&) {
      refused = true;
    }
    EXPECT_TRUE(on_all(communicator(), refused));
  }
}

TEST_F(FibBatchRanks, AnswerAsAProblemOfTheHarness) {
  const Problem problem = fib_batch_problem();
  for (const Model model : {Model::mpi, Model::hybrid}) {
    const Variant& variant = problem.variant(model);
    const Execution execution{.threads = model == Model::mpi ? 1 : 2,
                              .communicator = communicator(),
                              .tunables = Settings{problem.name, variant.tunables, {}}};
    const Placed placed = variant.place(problem.pose("64", 3, {{"inputs", "giants"}}), execution);
    for (int trial = 0; trial < 3; ++trial) {
      placed.reset();
      placed.execute();
      const Judgement judgement = placed.verify();
      EXPECT_TRUE(on_all(communicator(), judgement.right)) << judgement.explanation;
    }
  }
}

/// The verdict, where it is the same on every rank; else a text that no test expects.
std::string verdict_of_all(const FibBatch& batch, const Answers& answers, MPI_Comm communicator) {
  const Judgement judgement = judge_fib_batch(batch, answers, 9, {.communicator = communicator});
  std::array<char, 256> first{};
  judgement.explanation.copy(first.data(), first.size() - 1);
  check(MPI_Bcast(first.data(), static_cast<int>(first.size()), MPI_CHAR, 0, communicator));
  const bool same = judgement.explanation == first.data() && judgement.right == judgement.explanation.empty();
  return on_all(communicator, same) ? judgement.explanation : "the ranks disagree";
}

class FibBatchRanksVerify : public FibBatchRanks {
 protected:
  /// Three items on each rank, the last rank's last.
  [[nodiscard]] FibBatch batch() const {
    return {.inputs = FibInputs::random(Spread::uniform, 3 * std::int64_t{ranks()}, 3'000, 8), .modulus = 0};
  }
  [[nodiscard]] Answers right_answers() const {
    return fib_batch(batch(), Model::mpi, execution_with(communicator(), "cyclic", 1));
  }
  [[nodiscard]] bool last() const { return rank() == ranks() - 1; }
};

TEST_F(FibBatchRanksVerify, AcceptsRightAnswers) {
  EXPECT_EQ(verdict_of_all(batch(), right_answers(), communicator()), "");
}

TEST_F(FibBatchRanksVerify, RejectsAWrongAnswerOnTheLastRank) {
  Answers answers = right_answers();
  if (last()) answers.shelf(0).naturals.at(0) = Natural{12345};
  const std::string verdict = verdict_of_all(batch(), answers, communicator());
  const std::string right = "item " + std::to_string(ranks() - 1) + ": F(";
  EXPECT_EQ(verdict.substr(0, right.size()), right);
}

TEST_F(FibBatchRanksVerify, NamesTheFirstWrongItemOfAllRanks) {
  Answers answers = right_answers();
  answers.shelf(0).naturals.at(1) = Natural{12345};  // item `ranks + rank` of each rank
  const std::string verdict = verdict_of_all(batch(), answers, communicator());
  const std::string right = "item " + std::to_string(ranks()) + ": F(";
  EXPECT_EQ(verdict.substr(0, right.size()), right);
}

TEST_F(FibBatchRanksVerify, RejectsAnItemMissingOnTheLastRank) {
  Answers answers = right_answers();
  if (last()) answers.shelf(0).answered.pop_back();
  EXPECT_EQ(verdict_of_all(batch(), answers, communicator()),
            "item " + std::to_string(3 * ranks() - 1) + ": is answered 0 times");
}

TEST_F(FibBatchRanksVerify, RejectsAnItemThatEveryRankAnswers) {
  Answers answers = right_answers();
  Shelf& shelf = answers.shelf(0);
  if (rank() != 0) {
    shelf.answered.push_back({{0, 1}, static_cast<std::int64_t>(shelf.naturals.size())});
    shelf.naturals.push_back(fibonacci(batch().inputs[0]));
  }
  EXPECT_EQ(verdict_of_all(batch(), answers, communicator()),
            ranks() == 1 ? "" : "item 0: is answered " + std::to_string(ranks()) + " times");
}

}  // namespace
}  // namespace duet
