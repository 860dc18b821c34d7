#include <gtest/gtest.h>
#include <mpi.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "kernels/core/mpi.hpp"
#include "kernels/mapping/matrix_batch/matrix_batch.hpp"
#include "kernels/mapping/matrix_batch/verify.hpp"
#include "tests/mapping/matrix_batch/batches.hpp"

namespace duet {
namespace {

bool on_all(MPI_Comm communicator, bool mine) {
  int all = mine ? 1 : 0;
  check(MPI_Allreduce(MPI_IN_PLACE, &all, 1, MPI_INT, MPI_LAND, communicator));
  return all != 0;
}

template <class Element>
void multiply(Model model, RankBatch<Element>& mine, const Execution& execution) {
  if (model == Model::mpi) return matrix_batch_mpi(mine, execution);
  matrix_batch_hybrid(mine, execution);
}

template <class Element>
Judgement judged(const RankBatch<Element>& mine, const std::vector<ComputedTask<Element>>& computed,
                 const Execution& execution) {
  return judge_matrix_batch<Element>(mine.batch(), mine.division().tasks, computed, 9, execution);
}

template <class Element>
std::string serial_digest(const MatrixBatch& batch) {
  SharedBatch<Element> memory{batch};
  memory.fill({0, batch.count()});
  const DividedRuns<Element> tasks{memory.runs(), {}};
  matrix_batch_serial(tasks, {});
  const auto computed = tasks.computed();
  return digest_of_matrix_batch<Element>(tasks.division().tasks, computed, MPI_COMM_NULL);
}

class MatrixBatchRanks : public testing::Test {
 protected:
  [[nodiscard]] MPI_Comm communicator() const { return communicator_.get(); }
  [[nodiscard]] int rank() const { return rank_in(communicator()); }
  [[nodiscard]] int ranks() const { return size_of(communicator()); }

  /// Calls act(model, execution) for all that pass messages.
  template <class Act>
  void each_way(Act&& act) {
    for (const std::string& schedule : rank_schedules) {
      for (int threads = 0; threads <= 2; ++threads) {
        SCOPED_TRACE(schedule + ", " + std::to_string(threads) + " threads");
        act(threads == 0 ? Model::mpi : Model::hybrid,
            execution_with(schedule, std::max(1, threads), "0", communicator()));
      }
    }
  }

  template <class Element>
  void expect_right(const MatrixBatch& batch) {
    const std::string digest = serial_digest<Element>(batch);
    each_way([&](Model model, const Execution& execution) {
      RankBatch<Element> mine{batch, model, execution};
      // Twice, so that operands and results left over do not pass for new ones.
      for (int trial = 0; trial < 2; ++trial) {
        mine.reset();
        multiply(model, mine, execution);
        const auto computed = mine.computed();
        const Judgement judgement = judged(mine, computed, execution);
        EXPECT_TRUE(judgement.right) << judgement.explanation;
        const auto tasks = std::span{mine.division().tasks};
        EXPECT_TRUE(on_all(communicator(), digest_of_matrix_batch<Element>(tasks, computed, communicator()) == digest));
      }
    });
  }

 private:
  Communicator communicator_ = Communicator::duplicate(MPI_COMM_WORLD);
};

TEST_F(MatrixBatchRanks, MultiplyEveryItemWithTheBitsOfTheSerialVariantWhateverTheSpread) {
  for (const SizeSpread spread : {SizeSpread::tiny, SizeSpread::uniform, SizeSpread::zipf, SizeSpread::giants}) {
    for (const std::int64_t count : {0, 1, 3, 60}) {
      SCOPED_TRACE(std::string{name_of(spread)} + ", " + std::to_string(count) + " items");
      expect_right<double>(MatrixBatch::random(spread, count, spread == SizeSpread::tiny ? 8 : 200, 2));
    }
  }
}

TEST_F(MatrixBatchRanks, MultiplyEveryShapeInDoubleAndFloat) {
  expect_right<double>(awkward_batch());
  expect_right<float>(awkward_batch());
}

TEST_F(MatrixBatchRanks, DivideGiantsOfManyRowsAndOfManyColumns) {
  const MatrixBatch batch{.shapes = {{900, 60, 80}, {8, 8, 8}, {60, 900, 80}, {900, 1, 900}}};
  const Execution execution = execution_with("longest_first", 1, "0", communicator());
  const RankBatch<double> mine{batch, Model::mpi, execution};
  EXPECT_EQ(shared_operands(batch, mine.division(), 1).empty(), ranks() == 1);
  expect_right<double>(batch);
}

TEST_F(MatrixBatchRanks, HoldOperandsOnceWhereTasksAreBound) {
  const MatrixBatch batch = MatrixBatch::random(SizeSpread::zipf, 500, 300, 2);
  const RankBatch<double> mine{batch, Model::mpi, execution_with("block", 1, "0", communicator())};
  std::int64_t items = 0;
  for (const auto& [task, run] : mine.whole_tasks()) items += run.count;
  EXPECT_EQ(items, share_of(500, ranks(), rank()).size());
  EXPECT_TRUE(mine.parts().empty());
}

TEST_F(MatrixBatchRanks, StartTheNextBatchWhileASlowRankStillSteals) {
  const MatrixBatch batch = MatrixBatch::random(SizeSpread::uniform, 120, 30, 4);
  for (const char* const schedule : {"dynamic", "stealing", "guided"}) {
    const Execution execution = execution_with(schedule, 1, "1", communicator());
    RankBatch<double> mine{batch, Model::mpi, execution};
    for (int trial = 0; trial < 30; ++trial) {
      mine.reset();
      matrix_batch_mpi(mine, execution);
    }
    const Judgement judgement = judged(mine, mine.computed(), execution);
    EXPECT_TRUE(judgement.right) << judgement.explanation;
  }
}

TEST_F(MatrixBatchRanks, ExchangeOperandsInMessagesOfAnySize) {
  // Slices of more elements than a message may have are several messages.
  SharedOperand operand{.item = 0, .factor = Factor::b, .rows = 11, .columns = 7, .ranks = {}};
  for (int other = 0; other < ranks(); ++other) operand.ranks.push_back(other);
  for (const std::int64_t limit : {std::int64_t{1}, std::int64_t{5}, std::int64_t{7}, largest_mpi_count}) {
    Matrix<double> whole{11, 7};
    std::fill_n(whole.data(), 77, -1.0);
    const Range mine = operand.slice(operand.slice_of(rank()));
    for (std::int64_t word = mine.begin * 7; word < mine.end * 7; ++word)
      whole.data()[word] = static_cast<double>(word);
    const std::vector<OperandExchange<double>::Mine> all{{operand, whole.view()}};
    OperandExchange<double> exchange;
    exchange.start(all, communicator(), limit);
    exchange.finish();
    bool right = true;
    for (std::int64_t word = 0; word < 77; ++word) right = right && whole.data()[word] == static_cast<double>(word);
    EXPECT_TRUE(on_all(communicator(), right)) << limit;
    EXPECT_TRUE(exchange.test());
  }
}

TEST_F(MatrixBatchRanks, HaveNoSpawnEach) {
  for (const Model model : {Model::mpi, Model::hybrid}) {
    EXPECT_THROW((RankBatch<double>{{}, model, execution_with("spawn_each", 1, "0", communicator())}),
                 std::invalid_argument);
  }
}

/// The verdict, where it is the same on every rank; else a text that no test expects.
std::string verdict_of_all(const RankBatch<double>& mine, const std::vector<ComputedTask<double>>& computed,
                           MPI_Comm communicator) {
  const Judgement judgement = judged(mine, computed, {.communicator = communicator});
  std::array<char, 256> first{};
  judgement.explanation.copy(first.data(), first.size() - 1);
  check(MPI_Bcast(first.data(), static_cast<int>(first.size()), MPI_CHAR, 0, communicator));
  const bool same = judgement.explanation == first.data() && judgement.right == judgement.explanation.empty();
  return on_all(communicator, same) ? judgement.explanation : "the ranks disagree";
}

class MatrixBatchRanksVerify : public MatrixBatchRanks {
 protected:
  void SetUp() override { matrix_batch_mpi(mine_, execution_); }
  [[nodiscard]] std::string verdict(const std::vector<ComputedTask<double>>& computed) const {
    return verdict_of_all(mine_, computed, communicator());
  }
  [[nodiscard]] bool last() const { return rank() == ranks() - 1; }

  /// Two items on each rank.
  MatrixBatch batch_ = MatrixBatch::random(SizeSpread::uniform, 2 * std::int64_t{ranks()}, 30, 8);
  Execution execution_ = execution_with("cyclic", 1, "0", communicator());
  RankBatch<double> mine_{batch_, Model::mpi, execution_};
};

TEST_F(MatrixBatchRanksVerify, AcceptsRightAnswers) { EXPECT_EQ(verdict(mine_.computed()), ""); }

TEST_F(MatrixBatchRanksVerify, NamesTheFirstWrongItemOfAllRanks) {
  const auto computed = mine_.computed();
  computed.at(1).run.c(0, 0) += 1;
  const std::string right = "item " + std::to_string(ranks()) + ": C(0, 0) is ";
  EXPECT_EQ(verdict(computed).substr(0, right.size()), right);
}

TEST_F(MatrixBatchRanksVerify, RejectsAWrongEntryOnTheLastRank) {
  const auto computed = mine_.computed();
  if (last()) computed.at(0).run.c(0, 0) += 1;
  const std::string right = "item " + std::to_string(ranks() - 1) + ": C(0, 0) is ";
  EXPECT_EQ(verdict(computed).substr(0, right.size()), right);
}

TEST_F(MatrixBatchRanksVerify, RejectsAnItemMissingOnTheLastRank) {
  auto computed = mine_.computed();
  if (last()) computed.pop_back();
  EXPECT_EQ(verdict(computed), "item " + std::to_string(2 * ranks() - 1) + ": its block at (0, 0) is answered 0 times");
}

TEST_F(MatrixBatchRanksVerify, RejectsAnItemThatEveryRankAnswers) {
  auto computed = mine_.computed();
  for (ComputedTask<double>& each : computed) each.task = each.task < ranks() ? 0 : each.task;
  if (ranks() == 1) return;
  const std::string right = "item 0: ";
  EXPECT_EQ(verdict(computed).substr(0, right.size()), right);
}

}  // namespace
}  // namespace duet
