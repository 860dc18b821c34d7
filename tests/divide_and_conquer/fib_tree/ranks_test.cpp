/// The variants that pass messages: every task once, whoever took it.

#include <gtest/gtest.h>
#include <mpi.h>

#include <stdexcept>
#include <string>

#include "kernels/divide_and_conquer/fib_tree/fib_tree.hpp"
#include "kernels/divide_and_conquer/fib_tree/verify.hpp"
#include "tests/all_ranks.hpp"
#include "tests/divide_and_conquer/fib_tree/tunables.hpp"

namespace duet {
namespace {

class FibTreeRanks : public testing::Test {
 protected:
  [[nodiscard]] TreeCount counted(Model model, std::int64_t n, const Execution& execution) {
    return model == Model::mpi ? fib_tree_mpi(n, words_, execution) : fib_tree_hybrid(n, words_, execution);
  }
  [[nodiscard]] Execution execution(Model model, int threads, std::int64_t cutoff, const std::string& distribution,
                                    const std::string& join = "end") const {
    std::map<std::string, std::string> given{{"cutoff", std::to_string(cutoff)}, {"distribution", distribution}};
    if (model == Model::hybrid) given["join"] = join;
    return {.threads = threads, .communicator = communicator(), .tunables = tunables(model, given)};
  }
  [[nodiscard]] MPI_Comm communicator() const { return communicator_.get(); }

  /// Calls act(model, threads, distribution) for all that pass messages.
  template <class Act>
  void each_way(Act&& act) {
    for (const char* const distribution : {"static", "counter", "stealing"}) {
      SCOPED_TRACE(distribution);
      act(Model::mpi, 1, distribution);
      for (int threads = 1; threads <= 3; ++threads) act(Model::hybrid, threads, distribution);
    }
  }

 private:
  Communicator communicator_ = Communicator::duplicate(MPI_COMM_WORLD);
  RankWords words_{communicator_.get()};
};

TEST_F(FibTreeRanks, CountWhatTheFormulasSayAtEveryCutoff) {
  each_way([&](Model model, int threads, const std::string& distribution) {
    for (const std::int64_t n : {0, 1, 2, 3, 6, 13}) {
      for (const std::int64_t cutoff : {1, 2, 5, 12, 93}) {
        const TreeCount found = counted(model, n, execution(model, threads, cutoff, distribution));
        EXPECT_TRUE(on_every_rank(found == right_count(n, cutoff))) << n << " cut at " << cutoff;
      }
    }
  });
}

TEST_F(FibTreeRanks, CountTreesOfManyTasks) {
  each_way([&](Model model, int threads, const std::string& distribution) {
    for (const char* const join : {"end", "call"}) {
      const TreeCount found = counted(model, 18, execution(model, threads, 1, distribution, join));
      EXPECT_TRUE(on_every_rank(found == right_count(18, 1))) << join;
    }
  });
}

TEST_F(FibTreeRanks, UseTheSameWordsAgainAndAgain) {
  // A fast rank starts the next tree while a slow one still looks for something to steal in the last.
  for (int trial = 0; trial < 40; ++trial) {
    const std::string distribution = trial % 2 == 0 ? "stealing" : "counter";
    const TreeCount found = counted(Model::mpi, 10 + trial % 3, execution(Model::mpi, 1, 3, distribution));
    EXPECT_TRUE(on_every_rank(found == right_count(10 + trial % 3, 3))) << trial;
  }
}

TEST_F(FibTreeRanks, BookUsefulTime) {
  each_way([&](Model model, int threads, const std::string& distribution) {
    // Tasks of thousands of calls, and of a few.
    for (const std::int64_t cutoff : {17, 5}) {
      Timesheet timesheet{threads};
      Execution with = execution(model, threads, cutoff, distribution);
      with.timesheet = &timesheet;
      EXPECT_TRUE(on_every_rank(counted(model, 22, with) == right_count(22, cutoff)));
      double useful = 0;
      for (int thread = 0; thread < threads; ++thread) useful += timesheet.of(thread).useful;
      check(MPI_Allreduce(MPI_IN_PLACE, &useful, 1, MPI_DOUBLE, MPI_SUM, communicator()));
      EXPECT_GT(useful, 0) << "cut at " << cutoff;
    }
  });
}

TEST_F(FibTreeRanks, ChooseOneCutoffTogether) {
  const Problem problem = fib_tree_problem();
  for (const Model model : {Model::mpi, Model::hybrid}) {
    const Execution with{
        .threads = model == Model::mpi ? 1 : 2, .communicator = communicator(), .tunables = tunables(model, {})};
    const Placed placed = problem.variant(model).place(problem.pose("23", 1, {}), with);
    EXPECT_TRUE(agree(placed.facts.at("cutoff")));
    for (int trial = 0; trial < 2; ++trial) {
      placed.reset();
      placed.execute();
      EXPECT_TRUE(on_every_rank(placed.verify().right));
    }
    EXPECT_TRUE(agree(placed.digest()));
  }
}

TEST_F(FibTreeRanks, RefuseADistributionThatDoesNotExist) {
  Execution with{.communicator = communicator()};
  const std::vector<Setting> declared{{.name = "distribution", .preset = "magic", .meaning = "", .choices = {"magic"}}};
  with.tunables = Settings{"test", declared, {}};
  bool refused = false;
  try {
    static_cast<void>(counted(Model::mpi, 10, with));
  } catch (const std::invalid_argument&) {
    refused = true;
  }
  EXPECT_TRUE(on_every_rank(refused));
}

TEST_F(FibTreeRanks, AreAllToldOfTheOneThatIsWrong) {
  const int last = size_of(communicator()) - 1;
  TreeCount found = right_count(20, 3);
  if (rank_in(communicator()) == last) found.calls += 1;
  const Judgement judgement = judge_fib_tree(20, 3, found, communicator());
  EXPECT_TRUE(on_every_rank(!judgement.right));
  EXPECT_TRUE(agree(judgement.explanation));
  EXPECT_EQ(judgement.explanation, "rank " + std::to_string(last) + ": calls from n = 20: 21892; 21891 is right");
  EXPECT_TRUE(on_every_rank(judge_fib_tree(20, 3, right_count(20, 3), communicator()).right));
}

}  // namespace
}  // namespace duet
