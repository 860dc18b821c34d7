/// The bytes and messages of every rank of a stencil are those that kernels/data_decomposition/stencil/stencil.hpp
/// gives.

#include <gtest/gtest.h>
#include <mpi.h>

#include <algorithm>
#include <string>
#include <vector>

#include "drivers/traffic/meter.hpp"
#include "kernels/core/mpi.hpp"
#include "kernels/data_decomposition/stencil/relaxation.hpp"

namespace duet {
namespace {

const MPI_Comm world = MPI_COMM_WORLD;

/// The size of part i of n things in `parts` parts, written down anew, so that a slip in the kernel's own division does
/// not pass for right.
std::int64_t size_of_share(std::int64_t n, std::int64_t parts, std::int64_t i) {
  return n / parts + (i < n % parts ? 1 : 0);
}

/// A grid and what is done to it, on rows x columns of the ranks.
struct Case {
  GridShape shape;
  std::int64_t radius;
  std::int64_t sweeps;
  std::int64_t temporal;  ///< as asked for
  std::int64_t rank_rows;
  std::int64_t rank_columns;
};

/// The formula of the header, for rank `rank`, where each pass has at most `temporal` sweeps.
Volume by_formula(const Case& of, std::int64_t rank, std::int64_t temporal) {
  Volume volume;
  if (rank >= of.rank_rows * of.rank_columns) return volume;
  if (of.shape.rows <= 2 * of.radius || of.shape.columns <= 2 * of.radius) return volume;
  const std::int64_t i = rank / of.rank_columns;
  const std::int64_t j = rank % of.rank_columns;
  const std::int64_t rows = size_of_share(of.shape.rows, of.rank_rows, i);
  const std::int64_t columns = size_of_share(of.shape.columns, of.rank_columns, j);
  const std::int64_t vertical = (i > 0 ? 1 : 0) + (i < of.rank_rows - 1 ? 1 : 0);
  const std::int64_t horizontal = (j > 0 ? 1 : 0) + (j < of.rank_columns - 1 ? 1 : 0);
  const std::int64_t passes = (of.sweeps + temporal - 1) / temporal;
  for (std::int64_t pass = 0; pass < passes; ++pass) {
    const std::int64_t t = size_of_share(of.sweeps, passes, pass);
    const std::int64_t diagonal = of.radius * (t - 1);
    volume.bytes +=
        8 * (of.radius * t * (vertical * columns + horizontal * rows) + diagonal * diagonal * vertical * horizontal);
    volume.messages += vertical + horizontal + (t > 1 ? vertical * horizontal : 0);
  }
  return volume;
}

void expect_formula(Model model, const Case& of, std::int64_t temporal) {
  const int mine = rank_in(world);
  SCOPED_TRACE(std::string{name_of(model)} + " " + std::to_string(of.shape.rows) + "x" +
               std::to_string(of.shape.columns) + ", radius " + std::to_string(of.radius) + ", temporal " +
               std::to_string(of.temporal) + ", " + std::to_string(of.rank_rows) + " rows of ranks, rank " +
               std::to_string(mine));
  const Settings tunables{
      "stencil",
      stencil_tunables(model),
      {{"temporal", std::to_string(of.temporal)},
       {"grid", size_of(world) == of.rank_rows * of.rank_columns ? std::to_string(of.rank_rows) : std::string{"0"}}}};
  const auto initial = [](std::int64_t row, std::int64_t column) { return static_cast<double>(row % 7 - column % 5); };
  Relaxation relaxation{model,
                        of.shape,
                        {Star::of_radius(of.radius), of.sweeps},
                        {.threads = model == Model::hybrid ? 2 : 1, .communicator = world, .tunables = tunables},
                        initial};
  // All on one node: what is between nodes is the meter's affair, and tested there.
  TrafficMeter meter{world, std::vector<int>(static_cast<std::size_t>(size_of(world)), 0)};
  {
    const TrafficMeter::Running running{meter};
    relaxation.execute();
  }
  const RankTraffic traffic = meter.total();
  RankTraffic expected;
  const Volume volume = by_formula(of, mine, temporal);
  expected.by(Carrier::point_to_point).received.within_node = volume;
  expected.by(Carrier::point_to_point).sent.within_node = volume;
  EXPECT_EQ(traffic.received().whole().messages, volume.messages);
  EXPECT_EQ(traffic.received().whole().bytes, volume.bytes);
  EXPECT_EQ(traffic, expected);
  HaloVolume told;
  if (volume.messages > 0) {
    const std::int64_t passes = (of.sweeps + temporal - 1) / temporal;
    for (std::int64_t pass = 0; pass < passes; ++pass) {
      const HaloVolume one = halo_volume(relaxation.layout(), mine, size_of_share(of.sweeps, passes, pass));
      told.messages += one.messages;
      told.words += one.words;
    }
  }
  EXPECT_EQ(told.messages, volume.messages);
  EXPECT_EQ(8 * told.words, volume.bytes);
  EXPECT_TRUE(relaxation.verify(3).right);
}

class StencilTraffic : public testing::TestWithParam<Model> {};

INSTANTIATE_TEST_SUITE_P(Models, StencilTraffic, testing::Values(Model::mpi, Model::hybrid),
                         [](const auto& model) { return std::string{name_of(model.param)}; });

TEST_P(StencilTraffic, IsWhatTheFormulaSaysOnEveryGridOfRanks) {
  for (std::int64_t rows = 1; rows <= size_of(world); ++rows) {
    if (size_of(world) % rows != 0) continue;
    for (const std::int64_t temporal : {1, 3}) {
      expect_formula(GetParam(), {{397, 411}, 2, 7, temporal, rows, size_of(world) / rows}, temporal);
    }
  }
}

TEST_P(StencilTraffic, IsWhatTheFormulaSaysWhereBlocksLimitTheTemporalBlock) {
  // Blocks of 5 to 6 rows hold halos of 5 sweeps and no more.
  const std::int64_t ranks = size_of(world);
  const std::int64_t temporal = ranks == 1 ? 8 : 5;
  expect_formula(GetParam(), {{5 * ranks + ranks / 2, 40}, 1, 8, 8, ranks, 1}, temporal);
}

TEST_P(StencilTraffic, IsNothingWhereNothingChanges) {
  expect_formula(GetParam(), {{2, 400}, 1, 4, 1, 1, size_of(world)}, 1);
  expect_formula(GetParam(), {{400, 6}, 3, 4, 1, size_of(world), 1}, 1);
  expect_formula(GetParam(), {{397, 411}, 1, 0, 1, 1, size_of(world)}, 1);
}

TEST_P(StencilTraffic, IsThatOfFewerRanksWhereBlocksWouldBeThinnerThanTheRadius) {
  // 40 rows and columns hold two blocks of 16 or more in each direction: 4 ranks at the most.
  const std::int64_t ranks = size_of(world);
  if (ranks < 4) GTEST_SKIP() << "all ranks find room";
  expect_formula(GetParam(), {{40, 40}, 16, 2, 1, 2, 2}, 1);
}

}  // namespace
}  // namespace duet
