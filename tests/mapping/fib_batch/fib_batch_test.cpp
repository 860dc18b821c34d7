#include "kernels/mapping/fib_batch/fib_batch.hpp"

#include <gtest/gtest.h>
#include <omp.h>
#include <oneapi/tbb/global_control.h>

#include <ostream>
#include <stdexcept>
#include <string>
#include <vector>

#include "kernels/core/timesheet.hpp"
#include "tests/mapping/fib_batch/plain_fibonacci.hpp"

namespace duet {
namespace {

const std::vector<std::string> schedules{"block",         "cyclic",   "dynamic",   "guided",
                                         "longest_first", "stealing", "spawn_each"};

Execution execution_with(const std::string& schedule, int threads, const std::string& grain = "0") {
  static const std::vector<Setting> declared{{.name = "schedule", .preset = "", .meaning = "", .choices = schedules},
                                             {.name = "grain", .preset = "0", .meaning = ""}};
  return {.threads = threads, .tunables = Settings{"test", declared, {{"schedule", schedule}, {"grain", grain}}}};
}

/// Every item once, and each what GMP says.
void expect_right(const FibBatch& batch, const Answers& answers) {
  std::vector<int> times(static_cast<std::size_t>(batch.inputs.count()));
  const auto once = [&times](std::int64_t i) { ++times.at(static_cast<std::size_t>(i)); };
  answers.each_natural([&](std::int64_t i, const Natural& answer) {
    once(i);
    EXPECT_TRUE(PlainFibonacci{batch.inputs[i]}.is(answer)) << "item " << i;
  });
  answers.each_residue([&](std::int64_t i, std::uint64_t answer) {
    once(i);
    EXPECT_TRUE(PlainFibonacci{batch.inputs[i]}.is_modulo(batch.modulus, answer)) << "item " << i;
  });
  EXPECT_EQ(times, std::vector<int>(times.size(), 1));
}

struct Case {
  Model model;
  std::string schedule;

  friend void PrintTo(const Case& shown, std::ostream* out) { *out << name_of(shown.model) << " " << shown.schedule; }
};

class FibBatchModels : public testing::TestWithParam<Case> {
 protected:
  /// TBB grants no more workers than there are cores, unless it is told.
  oneapi::tbb::global_control workers_{oneapi::tbb::global_control::max_allowed_parallelism, 3};
};

TEST_P(FibBatchModels, AnswersEveryItemOnceWhateverTheSkew) {
  const auto& [model, schedule] = GetParam();
  for (const Spread spread : {Spread::uniform, Spread::log_uniform, Spread::ascending, Spread::giants}) {
    for (const std::int64_t count : {0, 1, 2, 3, 7, 130}) {
      for (int threads = 1; threads <= 3; ++threads) {
        SCOPED_TRACE(std::to_string(count) + " items, " + std::to_string(threads) + " threads");
        const FibBatch batch{.inputs = FibInputs::random(spread, count, 5'000, 2), .modulus = 0};
        expect_right(batch, fib_batch(batch, model, execution_with(schedule, threads)));
      }
    }
  }
}

TEST_P(FibBatchModels, AnswersModuloAnyNumber) {
  const auto& [model, schedule] = GetParam();
  const std::int64_t count = schedule == "spawn_each" ? 60 : 3'000;
  for (const std::uint64_t modulus : {std::uint64_t{1}, std::uint64_t{2}, std::uint64_t{1'000'000'000}, UINT64_MAX}) {
    for (int threads = 1; threads <= 3; ++threads) {
      const FibBatch batch{.inputs = FibInputs::random(Spread::uniform, count, 2'000, 3), .modulus = modulus};
      expect_right(batch, fib_batch(batch, model, execution_with(schedule, threads)));
    }
  }
}

TEST_P(FibBatchModels, TakesAnyGrain) {
  const auto& [model, schedule] = GetParam();
  const FibBatch batch{.inputs = FibInputs::random(Spread::log_uniform, 100, 3'000, 4), .modulus = 0};
  for (const char* grain : {"1", "2", "33", "100", "1000000"}) {
    expect_right(batch, fib_batch(batch, model, execution_with(schedule, 2, grain)));
  }
}

TEST_P(FibBatchModels, AnswersAListOfTheCallers) {
  const auto& [model, schedule] = GetParam();
  const std::vector<std::uint64_t> list{94, 0, 1, 10'000, 93, 92, 10'000, 2};
  const FibBatch batch{.inputs = FibInputs::given(list), .modulus = 0};
  expect_right(batch, fib_batch(batch, model, execution_with(schedule, 3)));
}

TEST_P(FibBatchModels, BooksUsefulTime) {
  const auto& [model, schedule] = GetParam();
  Timesheet timesheet{2};
  Execution execution = execution_with(schedule, 2);
  execution.timesheet = &timesheet;
  const FibBatch batch{.inputs = FibInputs::random(Spread::uniform, 100, 20'000, 4), .modulus = 0};
  (void)fib_batch(batch, model, execution);
  EXPECT_GT(timesheet.of(0).useful + timesheet.of(1).useful, 0);
}

TEST_P(FibBatchModels, CarriesAThreadsExceptionToTheCaller) {
  const auto& [model, schedule] = GetParam();
  std::vector<std::uint64_t> list(50, 100);
  list[33] = largest_fibonacci_index + 1;
  const FibBatch batch{.inputs = FibInputs::given(list), .modulus = 0};
  Answers answers{3};
  const Execution execution = execution_with(schedule, 3, "1");
  const auto act = [&] {
    return model == Model::openmp ? fib_batch_openmp(batch, answers, execution)
           : model == Model::tbb  ? fib_batch_tbb(batch, answers, execution)
                                  : fib_batch_serial(batch, answers, execution);
  };
  EXPECT_THROW(act(), std::length_error);
}

std::vector<Case> cases() {
  std::vector<Case> all{{Model::serial, "dynamic"}};
  for (const std::string& schedule : schedules) {
    all.push_back({Model::openmp, schedule});
    all.push_back({Model::tbb, schedule});
  }
  return all;
}

TEST_P(FibBatchModels, AnswersAGiantAmongDwarfs) {
  const auto& [model, schedule] = GetParam();
  const std::vector<std::uint64_t> inputs{17, 8'000'000, 3, 200'000, 0, 500};
  const FibBatch batch{.inputs = FibInputs::given(inputs)};
  const Answers right = fib_batch(batch, Model::serial, {});
  for (int threads = 1; threads <= 3; ++threads) {
    const Answers answers = fib_batch(batch, model, execution_with(schedule, threads));
    EXPECT_TRUE(judge_fib_batch(batch, answers, 1, {}).right);
    EXPECT_EQ(digest_of_fib_batch(batch, answers, MPI_COMM_NULL), digest_of_fib_batch(batch, right, MPI_COMM_NULL));
  }
}

INSTANTIATE_TEST_SUITE_P(Schedules, FibBatchModels, testing::ValuesIn(cases()), [](const auto& shown) {
  return std::string{name_of(shown.param.model)} + "_" + shown.param.schedule;
});

TEST(FibBatch, HasTheFactsOfTheTable) {
  const std::vector<std::uint64_t> list{0, 1, 2, 10, 90, 92, 93, 94, 1'000'000};
  const Answers answers = fib_batch({.inputs = FibInputs::given(list)}, Model::openmp, {.threads = 2});
  std::vector<std::string> digits(list.size());
  answers.each_natural([&](std::int64_t i, const Natural& f) { digits[static_cast<std::size_t>(i)] = f.decimal(); });
  const std::vector<std::string> small(digits.begin(), digits.end() - 1);
  EXPECT_EQ(small, (std::vector<std::string>{"0", "1", "1", "55", "2880067194370816120", "7540113804746346429",
                                             "12200160415121876738", "19740274219868223167"}));
  EXPECT_EQ(digits.back().size(), 208'988U);
  EXPECT_EQ(digits.back().substr(0, 20), "19532821287077577316");
  EXPECT_EQ(digits.back().substr(208'968), "68996526838242546875");
}

TEST(FibBatch, IsWorkedOnByAsManyThreadsAsAsked) {
  for (const int threads : {1, 2, 3}) {
    Timesheet timesheet{threads};
    Execution execution = execution_with("block", threads);
    execution.timesheet = &timesheet;
    const FibBatch batch{.inputs = FibInputs::random(Spread::uniform, 9, 1'000, 4)};
    const Answers answers = fib_batch(batch, Model::openmp, execution);
    ASSERT_EQ(answers.workers(), threads);
    for (int t = 0; t < threads; ++t) {
      EXPECT_GT(timesheet.of(t).useful, 0);
      EXPECT_EQ(answers.shelves()[static_cast<std::size_t>(t)].naturals.size(),
                9U / static_cast<unsigned>(threads) + (t < 9 % threads ? 1U : 0U));
    }
  }
}

TEST(FibBatch, RefusesANumberThatFitsNoMemory) {
  const std::vector<std::uint64_t> list{largest_fibonacci_index + 1};
  EXPECT_THROW((void)fib_batch({.inputs = FibInputs::given(list)}, Model::serial, {}), std::invalid_argument);
}

TEST(FibBatch, RefusesAScheduleThatDoesNotExist) {
  static const std::vector<Setting> declared{
      {.name = "schedule", .preset = "fair", .meaning = "", .choices = {"fair"}}};
  const Execution execution{.threads = 1, .tunables = Settings{"test", declared, {}}};
  EXPECT_THROW((void)fib_batch({}, Model::openmp, execution), std::invalid_argument);
}

TEST(FibBatch, LeavesTheCallersLoopScheduleAsItWas) {
  omp_set_schedule(omp_sched_static, 17);
  (void)fib_batch({}, Model::openmp, execution_with("guided", 2));
  omp_sched_t kind{};
  int chunk = 0;
  omp_get_schedule(&kind, &chunk);
  EXPECT_EQ(kind, omp_sched_static);
  EXPECT_EQ(chunk, 17);
}

TEST(FibBatchProblem, AnswersInEveryModelOfOneProcessAlike) {
  const Problem problem = fib_batch_problem();
  for (const auto& parameters : {std::map<std::string, std::string>{}, {{"modulus", "1000000007"}}}) {
    const Instance instance = problem.pose("97", 5, parameters);
    std::string digest;
    for (const Model model : {Model::serial, Model::openmp, Model::tbb}) {
      const Variant& variant = problem.variant(model);
      const Placed placed = variant.place(instance, {.threads = model == Model::serial ? 1 : 2,
                                                     .tunables = Settings{problem.name, variant.tunables, {}}});
      for (int trial = 0; trial < 3; ++trial) {
        placed.reset();
        placed.execute();
        const Judgement judgement = placed.verify();
        EXPECT_TRUE(judgement.right) << judgement.explanation;
      }
      if (digest.empty()) digest = placed.digest();
      EXPECT_EQ(placed.digest(), digest);
    }
    EXPECT_GT(problem.work(instance).operations, 0);
    EXPECT_GT(problem.memory(instance, Model::mpi, 2, 1), problem.work(instance).compulsory_bytes / 2);
  }
}

TEST(FibBatchProblem, JudgesASecondExecutionWithoutResetAsAnsweredTwice) {
  const Problem problem = fib_batch_problem();
  const Placed placed = problem.variant(Model::serial).place(problem.pose("5", 5, {}), {});
  placed.execute();
  placed.execute();
  EXPECT_FALSE(placed.verify().right);
}

TEST(FibBatchProblem, RefusesAnExactIndexThatFitsNoMemory) {
  const Problem problem = fib_batch_problem();
  const Instance instance = problem.pose("5", 5, {{"largest", "1000000000000"}});
  EXPECT_THROW((void)problem.variant(Model::serial).place(instance, {}), std::invalid_argument);
}

TEST(FibBatchMemory, IsAnUpperBoundOfWhatTheAnswersTake) {
  for (const Spread spread : {Spread::uniform, Spread::log_uniform, Spread::ascending, Spread::giants}) {
    const FibBatch batch{.inputs = FibInputs::random(spread, 1'000, 50'000, 4), .modulus = 0};
    double bytes = 0;
    const Answers answers = fib_batch(batch, Model::serial, {});
    answers.each_natural([&](std::int64_t, const Natural& f) {
      bytes += static_cast<double>(f.limbs().size_bytes() + sizeof(Natural));
    });
    EXPECT_GT(fib_batch_memory(batch, Model::serial, 1, 1), bytes);
    EXPECT_LT(fib_batch_memory(batch, Model::serial, 1, 1), 2 * bytes + 1e6);
  }
}

}  // namespace
}  // namespace duet
