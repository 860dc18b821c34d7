/// The words and messages of every rank of a long Fibonacci number are those that
/// kernels/data_decomposition/fib_number/rank_doubling.hpp gives.

#include <gtest/gtest.h>
#include <mpi.h>

#include <array>
#include <string>
#include <vector>

#include "drivers/traffic/meter.hpp"
#include "kernels/arithmetic/teams.hpp"
#include "kernels/core/mpi.hpp"
#include "kernels/data_decomposition/fib_number/fib_number.hpp"

namespace duet {
namespace {

const MPI_Comm world = MPI_COMM_WORLD;

RankTraffic counted(const SlicedQuestion& asked, const Execution& execution) {
  RankSpace space;
  const TransformTeam team = execution.threads == 1 ? single_team(execution) : openmp_team(execution);
  const RankDoubling ranks{.communicator = world, .team = team, .least_shared = asked.least_shared};
  // All on one node: what is between nodes is the meter's affair, and tested there.
  TrafficMeter meter{world, std::vector<int>(static_cast<std::size_t>(size_of(world)), 0)};
  {
    const TrafficMeter::Running running{meter};
    static_cast<void>(sliced_sequence(asked.sequence, asked.n, asked.radix, ranks, space));
  }
  return meter.total();
}

void expect_formula(const SlicedQuestion& asked, int threads = 1) {
  SCOPED_TRACE("n " + std::to_string(asked.n) + ", radix " + std::to_string(asked.radix.base) + ", from " +
               std::to_string(asked.least_shared) + " digits, rank " + std::to_string(rank_in(world)));
  const RankTraffic traffic = counted(asked, {.threads = threads, .communicator = world});
  const RankMoves moves = rank_doubling_moves(asked, size_of(world), rank_in(world));
  const auto expect = [&](Carrier carrier, const Moved& told) {
    const Volume found = traffic.by(carrier).received.whole();
    EXPECT_EQ(found.messages, told.messages) << name_of(carrier);
    EXPECT_EQ(found.bytes, 8 * told.words) << name_of(carrier);
  };
  expect(Carrier::point_to_point, moves.operands + moves.results + moves.parities);
  expect(Carrier::reduction, moves.carries);
  expect(Carrier::broadcast, moves.row_carries);
  EXPECT_EQ(traffic.received().whole().bytes, 8 * moves.whole().words);
  EXPECT_EQ(traffic.received().whole().messages, moves.whole().messages);
}

TEST(FibNumberTraffic, IsWhatTheFormulaSays) {
  for (const std::uint64_t n : {5'000U, 44'445U, 65'536U, 699'051U, 1'000'000U}) {
    for (const Sequence sequence : {Sequence::fibonacci, Sequence::lucas}) {
      for (const bool decimal : {false, true}) {
        const Radix radix = FibNumber{.n = n, .decimal = decimal}.radix();
        expect_formula({.sequence = sequence, .n = n, .radix = radix, .least_shared = 64});
        expect_formula({.sequence = sequence, .n = n, .radix = radix});
      }
    }
  }
}

TEST(FibNumberTraffic, IsTheSameForRanksWithThreads) {
  for (const std::uint64_t n : {65'537U, 3'000'000U}) expect_formula({.n = n, .radix = Radix::binary(60)}, 2);
}

TEST(FibNumberTraffic, IsWhatTheFormulaSaysOfLongRows) {
  expect_formula({.n = 20'000'003, .radix = Radix::binary(60)});
}

TEST(FibNumberTraffic, IsNothingWhereEveryRankComputesTheNumber) {
  const SlicedQuestion asked{.n = 20'000, .radix = Radix::binary(60)};
  EXPECT_EQ(counted(asked, {.communicator = world}), RankTraffic{});
  expect_formula(asked);
}

}  // namespace
}  // namespace duet
