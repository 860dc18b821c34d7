/// What fib_tree moves, where that is known: a barrier and a sum of three words, and where tasks come from a counter,
/// an atomic operation for each of them and one for each rank, which finds none left.

#include <gtest/gtest.h>
#include <mpi.h>

#include <array>
#include <string>
#include <vector>

#include "drivers/traffic/meter.hpp"
#include "kernels/core/mpi.hpp"
#include "kernels/divide_and_conquer/fib_tree/fib_tree.hpp"
#include "kernels/divide_and_conquer/fib_tree/tree_tunables.hpp"

namespace duet {
namespace {

const MPI_Comm world = MPI_COMM_WORLD;

RankTraffic counted(const std::string& distribution, std::int64_t n, std::int64_t cutoff) {
  const Execution execution{.communicator = world,
                            .tunables = Settings{"fib_tree",
                                                 settings_of_tree(Model::mpi),
                                                 {{"distribution", distribution}, {"cutoff", std::to_string(cutoff)}}}};
  RankWords words{world};
  TrafficMeter meter{world, std::vector<int>(static_cast<std::size_t>(size_of(world)), 0)};
  {
    const TrafficMeter::Running running{meter};
    static_cast<void>(fib_tree_mpi(n, words, execution));
  }
  return meter.total();
}

/// What the barrier and the sum are counted as.
RankTraffic frame() {
  TrafficMeter meter{world, std::vector<int>(static_cast<std::size_t>(size_of(world)), 0)};
  {
    const TrafficMeter::Running running{meter};
    check(MPI_Barrier(world));
    std::array<std::uint64_t, 3> sums{};
    check(MPI_Allreduce(MPI_IN_PLACE, sums.data(), 3, MPI_UINT64_T, MPI_SUM, world));
  }
  return meter.total();
}

TEST(FibTreeTraffic, IsABarrierAndASumWhereSharesAreStatic) {
  const RankTraffic expected = frame();
  for (const std::int64_t n : {0, 5, 20}) EXPECT_EQ(counted("static", n, 3), expected) << n;
}

TEST(FibTreeTraffic, IsOneAtomicOperationForEachTaskAndOneForEachRankBesides) {
  for (const std::int64_t n : {0, 2, 16}) {
    for (const std::int64_t cutoff : {1, 4, 93}) {
      const RankTraffic found = counted("counter", n, cutoff);
      RankTraffic expected = frame();
      // Rank 0 asks itself; all others ask it, and get the number that stood there: 8 bytes each way. Who takes how
      // many is luck.
      const std::int64_t asked = found.by(Carrier::one_sided).received.whole().messages;
      expected.by(Carrier::one_sided) = {{{asked, 8 * asked}, {}}, {{asked, 8 * asked}, {}}};
      EXPECT_EQ(found, expected) << n << " cut at " << cutoff << ", rank " << rank_in(world);
      std::int64_t of_others = rank_in(world) == 0 ? 0 : asked;
      check(MPI_Allreduce(MPI_IN_PLACE, &of_others, 1, MPI_INT64_T, MPI_SUM, world));
      const std::int64_t others = size_of(world) - 1;
      EXPECT_LE(of_others, static_cast<std::int64_t>(tasks_of_tree(n, cutoff)) + others);
      EXPECT_GE(of_others, others);
      if (rank_in(world) == 0) {
        EXPECT_EQ(asked, of_others);
      }
    }
  }
}

}  // namespace
}  // namespace duet
