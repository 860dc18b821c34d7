/// Every variant of the registry answers every size with every number of threads and ranks, its problem's own verifier
/// agrees, and where answers are exact they are bitwise those of the serial variant. Linked twice: with an ordinary
/// main the models of one process are run, under mpirun those that pass messages.

#include <gtest/gtest.h>
#include <mpi.h>
#include <oneapi/tbb/global_control.h>

#include <string>
#include <vector>

#include "kernels/core/mpi.hpp"
#include "kernels/registry.hpp"

namespace duet {
namespace {

constexpr int most_threads = 3;

bool under_mpi() {
  int initialised = 0;
  MPI_Initialized(&initialised);
  return initialised != 0;
}

struct Answer {
  Judgement judgement;
  std::string digest;
  double useful_seconds = 0;
};

/// Twice, so that an answer left over from before does not pass for a new one.
Answer answer_of(const Variant& variant, const Instance& instance, int threads, const Settings& tunables) {
  const oneapi::tbb::global_control workers{oneapi::tbb::global_control::max_allowed_parallelism, most_threads};
  Timesheet timesheet{threads};
  Execution execution;
  execution.threads = threads;
  execution.tunables = tunables;
  execution.timesheet = &timesheet;
  const Communicator communicator =
      passes_messages(variant.model) ? Communicator::duplicate(MPI_COMM_WORLD) : Communicator{};
  execution.communicator = communicator.get();
  const Placed placed = variant.place(instance, execution);
  Answer answer;
  for (int trial = 0; trial < 2; ++trial) {
    placed.reset();
    timesheet.clear();
    placed.execute();
    answer.judgement = placed.verify();
    if (!answer.judgement.right) break;
  }
  if (placed.digest) answer.digest = placed.digest();
  for (int thread = 0; thread < threads; ++thread) answer.useful_seconds += timesheet.of(thread).useful;
  return answer;
}

std::vector<const Variant*> variants_here(const Problem& problem) {
  std::vector<const Variant*> variants;
  for (const Variant& variant : problem.variants) {
    if (passes_messages(variant.model) == under_mpi()) variants.push_back(&variant);
  }
  return variants;
}

/// The usual sizes, as far as the problem compares any as large: the work of fib_tree grows with the power of its size.
std::vector<std::int64_t> sizes_of(const Problem& problem) {
  std::vector<std::int64_t> sizes;
  for (const std::int64_t size : {0, 1, 2, 3, 7, 31, 64, 97}) {
    if (size <= problem.sizes.back()) sizes.push_back(size);
  }
  return sizes;
}

/// The parameters worth their own run: the presets, and each choice of each parameter that offers some. A number that
/// is a mode (a modulus) is tested beside its kernel.
std::vector<std::map<std::string, std::string>> questions_of(const Problem& problem) {
  std::vector<std::map<std::string, std::string>> questions{{}};
  for (const Setting& parameter : problem.parameters) {
    for (const std::string& choice : parameter.choices) {
      if (choice != parameter.preset) questions.push_back({{parameter.name, choice}});
    }
  }
  // A wait is a wait however long it is.
  for (const Setting& parameter : problem.parameters) {
    if (parameter.name != "wait_ms") continue;
    for (auto& question : questions) question.emplace("wait_ms", "1");
  }
  return questions;
}

void expect_right(const Problem& problem, const Variant& variant, const Instance& instance, int threads,
                  const Settings& tunables) {
  const Answer answer = answer_of(variant, instance, threads, tunables);
  EXPECT_TRUE(answer.judgement.right) << answer.judgement.explanation;
  if (answer.judgement.bound > 0) {
    EXPECT_LE(answer.judgement.error, answer.judgement.bound);
  }
  if (!answer.digest.empty()) {
    const Variant& serial = problem.variant(Model::serial);
    EXPECT_EQ(answer.digest, answer_of(serial, instance, 1, {}).digest);
  }
}

TEST(EveryKernel, AnswersEverySizeWithAnyNumberOfWorkers) {
  for (const Problem& problem : all_problems()) {
    for (const Variant* const variant : variants_here(problem)) {
      for (const std::int64_t size : sizes_of(problem)) {
        for (int threads = 1; threads <= (runs_threads(variant->model) ? most_threads : 1); ++threads) {
          SCOPED_TRACE(problem.name + " in " + std::string{name_of(variant->model)} + ", size " + std::to_string(size) +
                       ", " + std::to_string(threads) + " threads");
          expect_right(problem, *variant, problem.pose(std::to_string(size), 7, {}), threads, {});
          if (HasFailure()) return;
        }
      }
    }
  }
}

TEST(EveryKernel, AnswersEveryFormOfTheQuestion) {
  for (const Problem& problem : all_problems()) {
    for (const Variant* const variant : variants_here(problem)) {
      for (const auto& parameters : questions_of(problem)) {
        SCOPED_TRACE(problem.name + " in " + std::string{name_of(variant->model)} + " " +
                     (parameters.empty() ? "" : parameters.begin()->first + "=" + parameters.begin()->second));
        expect_right(problem, *variant, problem.pose("31", 8, parameters), runs_threads(variant->model) ? 2 : 1, {});
        if (HasFailure()) return;
      }
    }
  }
}

TEST(EveryKernel, GivesTheSameAnswerForEveryChoiceOfATunable) {
  for (const Problem& problem : all_problems()) {
    for (const Variant* const variant : variants_here(problem)) {
      for (const Setting& tunable : variant->tunables) {
        for (const std::string& choice : tunable.choices) {
          for (const char* size : {"0", "2", "31"}) {
            for (int threads = 1; threads <= (runs_threads(variant->model) ? most_threads : 1); threads += 2) {
              SCOPED_TRACE(problem.name + " in " + std::string{name_of(variant->model)} + ", size " + size + ", " +
                           tunable.name + "=" + choice + ", " + std::to_string(threads) + " threads");
              const Settings tunables{problem.name, variant->tunables, {{tunable.name, choice}}};
              expect_right(problem, *variant, problem.pose(size, 9, {}), threads, tunables);
              if (HasFailure()) return;
            }
          }
        }
      }
    }
  }
}

TEST(EveryKernel, BooksUsefulTimeAndCountsWork) {
  for (const Problem& problem : all_problems()) {
    for (const Variant* const variant : variants_here(problem)) {
      SCOPED_TRACE(problem.name + " in " + std::string{name_of(variant->model)});
      const Instance instance = problem.pose(std::to_string(sizes_of(problem).back()), 10, {});
      const Answer answer = answer_of(*variant, instance, runs_threads(variant->model) ? 2 : 1, {});
      double useful = answer.useful_seconds;
      if (under_mpi()) MPI_Allreduce(MPI_IN_PLACE, &useful, 1, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD);
      EXPECT_GT(useful, 0);
      EXPECT_GT(problem.work(instance).operations, 0);
      EXPECT_GT(problem.work(instance).compulsory_bytes, 0);
      EXPECT_GT(problem.memory(instance, variant->model, 2, 2), 0);
    }
  }
}

TEST(EveryKernel, GivesTheSameQuestionForTheSameSeedAndAnotherForAnother) {
  for (const Problem& problem : all_problems()) {
    for (const Variant* const variant : variants_here(problem)) {
      SCOPED_TRACE(problem.name + " in " + std::string{name_of(variant->model)});
      const Answer first = answer_of(*variant, problem.pose("31", 11, {}), 1, {});
      const Answer again = answer_of(*variant, problem.pose("31", 11, {}), 1, {});
      EXPECT_EQ(first.digest, again.digest);
      if (first.digest.empty() || !problem.seeded) continue;
      EXPECT_NE(first.digest, answer_of(*variant, problem.pose("31", 12, {}), 1, {}).digest);
    }
  }
}

}  // namespace
}  // namespace duet
