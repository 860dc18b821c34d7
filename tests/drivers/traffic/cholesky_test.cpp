/// The bytes and messages of every rank of a factorisation are those that kernels/pipeline/cholesky/cholesky.hpp gives.

#include <gtest/gtest.h>
#include <mpi.h>

#include <string>
#include <vector>

#include "drivers/traffic/meter.hpp"
#include "kernels/core/mpi.hpp"
#include "kernels/pipeline/cholesky/cholesky.hpp"
#include "kernels/pipeline/cholesky/panel_exchange.hpp"

namespace duet {
namespace {

const MPI_Comm world = MPI_COMM_WORLD;

/// Two nodes of consecutive ranks; the first has one more where their number is odd.
int node_of(std::int64_t rank) { return rank < (size_of(world) + 1) / 2 ? 0 : 1; }

/// What rank `mine` of a rows x columns grid moves by the formula, written down anew from the header.
RankTraffic::Both by_formula(std::int64_t n, std::int64_t tile, std::int64_t rows, std::int64_t columns,
                             std::int64_t mine) {
  RankTraffic::Both both;
  const std::int64_t r = mine / columns;
  const std::int64_t c = mine % columns;
  const std::int64_t count = (n + tile - 1) / tile;
  const auto extent = [&](std::int64_t i) { return i + 1 < count ? tile : (n - i * tile + 23) / 24 * 24; };
  const auto broadcast = [&](std::int64_t root, bool along_row, std::int64_t bytes) {
    if (root == mine) {
      bool leaves_node = false;
      for (std::int64_t other = 0; other < (along_row ? columns : rows); ++other) {
        leaves_node = leaves_node || node_of(along_row ? r * columns + other : other * columns + c) != node_of(mine);
      }
      (leaves_node ? both.sent.between_nodes : both.sent.within_node) += {1, bytes};
    } else {
      (node_of(root) != node_of(mine) ? both.received.between_nodes : both.received.within_node) += {1, bytes};
    }
  };
  for (std::int64_t k = 0; k < count; ++k) {
    const std::int64_t width = extent(k);
    if (c == k % columns && rows > 1) broadcast(k % rows * columns + c, false, 64 + 8 * width * width);
    std::int64_t of_row = 0;
    for (std::int64_t i = k + 1; i < count; ++i) of_row += i % rows == r ? extent(i) : 0;
    if (columns > 1) broadcast(r * columns + k % columns, true, 64 + 8 * width * of_row);
    for (std::int64_t from = 0; rows > 1 && from < rows; ++from) {
      std::int64_t of_both = 0;
      for (std::int64_t j = k + 1; j < count; ++j) of_both += j % rows == from && j % columns == c ? extent(j) : 0;
      if (of_both > 0) broadcast(from * columns + c, false, 8 * width * of_both);
    }
  }
  return both;
}

struct Passing {
  const char* name;
  void (*factor)(const TileMatrix&, PanelExchange&, const Execution&);
  int threads;
};

class CholeskyTraffic : public testing::TestWithParam<Passing> {};

INSTANTIATE_TEST_SUITE_P(Models, CholeskyTraffic,
                         testing::Values(Passing{"mpi", cholesky_mpi, 1}, Passing{"hybrid", cholesky_hybrid, 2}),
                         [](const auto& passing) { return std::string{passing.param.name}; });

TEST_P(CholeskyTraffic, IsWhatTheFormulaSaysOnEveryGrid) {
  std::vector<int> nodes;
  for (int rank = 0; rank < size_of(world); ++rank) nodes.push_back(node_of(rank));
  for (std::int64_t rows = 1; rows <= size_of(world); ++rows) {
    if (size_of(world) % rows != 0) continue;
    for (const auto& [n, tile] : std::vector<std::pair<std::int64_t, std::int64_t>>{
             {0, 24}, {1, 24}, {24, 24}, {97, 24}, {97, 48}, {250, 24}, {250, 72}}) {
      SCOPED_TRACE(std::to_string(n) + " in tiles of " + std::to_string(tile) + " on " + std::to_string(rows) +
                   " rows, rank " + std::to_string(rank_in(world)));
      const TileLayout layout{n, tile, {rows, size_of(world) / rows}};
      PanelExchange exchange{layout, world};
      const TileMatrix a{layout, rank_in(world)};
      for (const auto& [i, j] : a.mine()) {
        fill_tile(layout, i, j, a.tile(i, j), [&](std::int64_t row, std::int64_t column) {
          return row == column ? 2 * static_cast<double>(n) : 1.0;
        });
      }
      TrafficMeter meter{world, nodes};
      {
        const TrafficMeter::Running running{meter};
        GetParam().factor(a, exchange, {.threads = GetParam().threads, .communicator = world});
      }
      RankTraffic expected;
      expected.by(Carrier::broadcast) = by_formula(n, tile, rows, layout.grid().columns, rank_in(world));
      const RankTraffic traffic = meter.total();
      EXPECT_EQ(traffic.received().within_node.messages, expected.received().within_node.messages);
      EXPECT_EQ(traffic.received().within_node.bytes, expected.received().within_node.bytes);
      EXPECT_EQ(traffic.received().between_nodes.messages, expected.received().between_nodes.messages);
      EXPECT_EQ(traffic.received().between_nodes.bytes, expected.received().between_nodes.bytes);
      EXPECT_EQ(traffic, expected);
    }
  }
}

TEST(CholeskyTrafficInAll, IsHalfTheMatrixForEachOfTheOtherColumns) {
  // On a grid of one row every rank receives what it does not own, once.
  const std::int64_t ranks = size_of(world);
  const TileLayout layout{24 * 12, 24, {1, ranks}};
  std::int64_t received = 0;
  for (std::int64_t rank = 0; rank < ranks; ++rank)
    received += by_formula(24 * 12, 24, 1, ranks, rank).received.whole().bytes;
  EXPECT_EQ(received, ranks == 1 ? 0 : (ranks - 1) * (12 * 64 + 8 * 24 * 24 * 12 * 11 / 2));
}

}  // namespace
}  // namespace duet
