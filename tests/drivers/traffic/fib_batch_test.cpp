/// What fib_batch moves, where that is known: nothing but a barrier where shares are arithmetic, an atomic operation on
/// rank 0's word for each piece where they are dealt from a counter.

#include <gtest/gtest.h>
#include <mpi.h>

#include <string>
#include <vector>

#include "drivers/traffic/meter.hpp"
#include "kernels/core/mpi.hpp"
#include "kernels/mapping/fib_batch/fib_batch.hpp"

namespace duet {
namespace {

const MPI_Comm world = MPI_COMM_WORLD;

struct Counted {
  RankTraffic traffic;
  std::int64_t answered = 0;  ///< items, by this rank
};

Counted counted(const std::string& schedule, std::int64_t items) {
  const std::vector<Setting> declared{
      {.name = "schedule", .preset = "block", .meaning = "", .choices = {"block", "cyclic", "dynamic"}},
      {.name = "grain", .preset = "1", .meaning = ""}};
  const FibBatch batch{.inputs = FibInputs::random(Spread::uniform, items, 300, 5), .modulus = 0};
  const Execution execution{.communicator = world, .tunables = Settings{"test", declared, {{"schedule", schedule}}}};
  RankWords words{world};
  Answers answers{1};
  TrafficMeter meter{world, std::vector<int>(static_cast<std::size_t>(size_of(world)), 0)};
  {
    const TrafficMeter::Running running{meter};
    fib_batch_mpi(batch, answers, words, execution);
  }
  Counted found{meter.total()};
  answers.each_natural([&](std::int64_t, const Natural&) { ++found.answered; });
  return found;
}

RankTraffic barrier_alone() {
  RankTraffic traffic;
  if (size_of(world) > 1) traffic.by(Carrier::barrier) = {{{1, 0}, {}}, {{1, 0}, {}}};
  return traffic;
}

TEST(FibBatchTraffic, IsABarrierWhereSharesAreArithmetic) {
  for (const char* const schedule : {"block", "cyclic"}) {
    for (const std::int64_t items : {0, 1, 100}) EXPECT_EQ(counted(schedule, items).traffic, barrier_alone());
  }
}

TEST(FibBatchTraffic, IsOneAtomicOperationForEachPieceAndOneThatFindsNoneLeft) {
  for (const std::int64_t items : {0, 1, 100}) {
    const Counted found = counted("dynamic", items);
    // Rank 0 asks itself; all others ask it, and get the number that stood there: 8 bytes each way.
    const std::int64_t mine = rank_in(world) == 0 ? 0 : found.answered + 1;
    std::int64_t of_others = mine;
    check(MPI_Allreduce(MPI_IN_PLACE, &of_others, 1, MPI_INT64_T, MPI_SUM, world));
    const std::int64_t asked = rank_in(world) == 0 ? of_others : mine;
    RankTraffic expected = barrier_alone();
    expected.by(Carrier::one_sided) = {{{asked, 8 * asked}, {}}, {{asked, 8 * asked}, {}}};
    EXPECT_EQ(found.traffic, expected) << items << " items, rank " << rank_in(world);
  }
}

}  // namespace
}  // namespace duet
