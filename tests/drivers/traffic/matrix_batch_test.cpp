/// What matrix_batch moves is what its header says: slices of shared operands where tasks are bound, the operands of
/// pieces that are computed elsewhere where they are dealt.

#include <gtest/gtest.h>
#include <mpi.h>

#include <string>
#include <vector>

#include "drivers/traffic/meter.hpp"
#include "kernels/core/mpi.hpp"
#include "kernels/mapping/matrix_batch/matrix_batch.hpp"
#include "tests/mapping/matrix_batch/batches.hpp"

namespace duet {
namespace {

const MPI_Comm world = MPI_COMM_WORLD;

template <class Element>
RankTraffic counted(RankBatch<Element>& mine, const Execution& execution) {
  TrafficMeter meter{world, std::vector<int>(static_cast<std::size_t>(size_of(world)), 0)};
  {
    const TrafficMeter::Running running{meter};
    if (execution.threads == 1) {
      matrix_batch_mpi(mine, execution);
    } else {
      matrix_batch_hybrid(mine, execution);
    }
  }
  return meter.total();
}

RankTraffic::Both moved(const Volume& received, const Volume& sent) { return {{received, {}}, {sent, {}}}; }

/// The formula of the header, written down anew: who has parts of which item comes from the division alone.
template <class Element>
RankTraffic by_formula(const MatrixBatch& batch, const Division& division, int threads) {
  Volume received;
  Volume sent;
  for (std::int64_t item = 0; item < batch.count(); ++item) {
    const ItemShape& shape = batch[item];
    std::vector<bool> has_part(static_cast<std::size_t>(size_of(world)));
    std::int64_t rows = 0;
    std::int64_t columns = 0;
    for (std::size_t task = 0; task < division.tasks.size(); ++task) {
      const BatchTask& part = division.tasks[task];
      if (part.items.begin != item || (part.rows.size() == shape.m && part.columns.size() == shape.n)) continue;
      has_part[static_cast<std::size_t>(division.workers[task] / threads)] = true;
      const bool by_rows = part.rows.size() < shape.m;
      rows = by_rows ? shape.k : shape.m;
      columns = by_rows ? shape.n : shape.k;
    }
    std::int64_t parts = 0;
    for (const bool part : has_part) parts += part ? 1 : 0;
    if (parts < 2 || !has_part[static_cast<std::size_t>(rank_in(world))]) continue;
    const auto bytes = [&](std::int64_t slice) {
      return static_cast<std::int64_t>(sizeof(Element)) * share_of(rows, parts, slice).size() * columns;
    };
    std::int64_t slice = 0;
    for (int rank = 0; rank < size_of(world); ++rank) {
      if (!has_part[static_cast<std::size_t>(rank)]) continue;
      if (rank == rank_in(world) && bytes(slice) > 0) sent += {parts - 1, (parts - 1) * bytes(slice)};
      if (rank != rank_in(world) && bytes(slice) > 0) received += {1, bytes(slice)};
      ++slice;
    }
  }
  RankTraffic traffic;
  traffic.by(Carrier::point_to_point) = moved(received, sent);
  return traffic;
}

template <class Element>
void expect_formula(const MatrixBatch& batch) {
  for (const char* const schedule : {"longest_first", "block", "cyclic"}) {
    for (const int threads : {1, 2}) {
      SCOPED_TRACE(std::string{schedule} + ", " + std::to_string(threads) + " threads");
      const Execution execution = execution_with(schedule, threads, "0", world);
      RankBatch<Element> mine{batch, threads == 1 ? Model::mpi : Model::hybrid, execution};
      EXPECT_EQ(counted(mine, execution), by_formula<Element>(batch, mine.division(), threads));
    }
  }
}

TEST(MatrixBatchTraffic, IsTheSlicesOfSharedOperandsWhereTasksAreBound) {
  expect_formula<double>(MatrixBatch::random(SizeSpread::giants, 40, 400, 3));
  expect_formula<float>(MatrixBatch::random(SizeSpread::log_uniform, 40, 300, 3));
  expect_formula<double>({.shapes = {{3000, 30, 50}, {30, 3000, 50}, {3000, 40, 1}, {8, 8, 8}}});
  expect_formula<double>({});
}

TEST(MatrixBatchTraffic, IsNothingWhereNothingIsDivided) {
  const MatrixBatch batch = MatrixBatch::random(SizeSpread::zipf, 300, 1000, 3);
  for (const char* const schedule : {"block", "cyclic"}) {
    const Execution execution = execution_with(schedule, 1, "0", world);
    RankBatch<double> mine{batch, Model::mpi, execution};
    EXPECT_EQ(counted(mine, execution), RankTraffic{});
  }
}

TEST(MatrixBatchTraffic, IsTheOperandsOfPiecesThatAreComputedElsewhereWhereTheyAreDealt) {
  const MatrixBatch batch = MatrixBatch::random(SizeSpread::uniform, 200, 40, 3);
  const Execution execution = execution_with("dynamic", 1, "1", world);
  RankBatch<double> mine{batch, Model::mpi, execution};
  const RankTraffic traffic = counted(mine, execution);
  // One product a piece: its number is that of the task.
  std::vector<std::int64_t> of_holder(2 * static_cast<std::size_t>(size_of(world)));
  Volume got;
  std::int64_t taken = 0;
  for (const auto& [task, run] : mine.computed()) {
    ++taken;
    const int holder = mine.holder_of(task);
    if (holder == rank_in(world)) continue;
    const ItemShape& shape = batch[task];
    const auto lines = [](std::int64_t words) { return (words + 7) / 8 * 64; };
    const std::int64_t bytes = lines(std::int64_t{shape.m} * shape.k) + lines(std::int64_t{shape.k} * shape.n);
    got += {1, bytes};
    of_holder[2 * static_cast<std::size_t>(holder)] += 1;
    of_holder[2 * static_cast<std::size_t>(holder) + 1] += bytes;
  }
  check(MPI_Allreduce(MPI_IN_PLACE, of_holder.data(), 2 * size_of(world), MPI_INT64_T, MPI_SUM, world));
  const auto me = static_cast<std::size_t>(rank_in(world));
  Volume given{of_holder[2 * me], of_holder[2 * me + 1]};
  // And one atomic operation on rank 0's word for each piece, and one that finds none left.
  const std::int64_t asking = me == 0 ? 0 : taken + 1;
  std::int64_t asked = asking;
  check(MPI_Allreduce(MPI_IN_PLACE, &asked, 1, MPI_INT64_T, MPI_SUM, world));
  const std::int64_t words = me == 0 ? asked : asking;
  got += {words, 8 * words};
  given += {words, 8 * words};
  RankTraffic expected;
  expected.by(Carrier::one_sided) = moved(got, given);
  if (size_of(world) > 1) expected.by(Carrier::barrier) = {{{1, 0}, {}}, {{1, 0}, {}}};
  EXPECT_EQ(traffic, expected);
}

}  // namespace
}  // namespace duet
