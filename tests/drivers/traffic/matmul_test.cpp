/// The bytes and messages of every rank of a product are those that kernels/data_decomposition/matmul/matmul.hpp gives.

#include <gtest/gtest.h>
#include <mpi.h>

#include <algorithm>
#include <string>
#include <vector>

#include "drivers/traffic/meter.hpp"
#include "kernels/core/mpi.hpp"
#include "kernels/data_decomposition/matmul/multiplication.hpp"

namespace duet {
namespace {

const MPI_Comm world = MPI_COMM_WORLD;

/// The size of part i of n things in `parts` parts, and who owns thing x: written down anew, so that a slip in the
/// kernel's own division does not pass for right.
std::int64_t size_of_share(std::int64_t n, std::int64_t parts, std::int64_t i) {
  return n / parts + (i < n % parts ? 1 : 0);
}
std::int64_t owner(std::int64_t n, std::int64_t parts, std::int64_t x) {
  for (std::int64_t part = 0;; ++part) {
    x -= size_of_share(n, parts, part);
    if (x < 0) return part;
  }
}

/// Two nodes of consecutive ranks; the first has one more where their number is odd.
int node_of(std::int64_t rank) { return rank < (size_of(world) + 1) / 2 ? 0 : 1; }
std::vector<int> two_nodes() {
  std::vector<int> nodes;
  for (int rank = 0; rank < size_of(world); ++rank) nodes.push_back(node_of(rank));
  return nodes;
}

/// What rank `mine` of a rows x columns grid moves by the formula: panels of A come along its row, of B along its
/// column, and a panel ends where A's or B's owner changes and after `width`.
RankTraffic::Both by_formula(const ProductShape& shape, std::int64_t rows, std::int64_t columns, std::int64_t mine,
                             std::int64_t width) {
  RankTraffic::Both both;
  const std::int64_t r = mine / columns;
  const std::int64_t c = mine % columns;
  const std::int64_t a_rows = size_of_share(shape.m, rows, r);
  const std::int64_t b_columns = size_of_share(shape.n, columns, c);
  const auto add = [](Flow& flow, bool between, std::int64_t bytes) {
    if (bytes > 0) (between ? flow.between_nodes : flow.within_node) += {1, bytes};
  };
  const auto owners = [&](std::int64_t x) { return std::pair{owner(shape.k, columns, x), owner(shape.k, rows, x)}; };
  for (std::int64_t begin = 0, end = 0; begin < shape.k; begin = end) {
    while (end < shape.k && owners(end) == owners(begin)) ++end;
    const auto [a_column, b_row] = owners(begin);
    const std::int64_t pieces = (end - begin + width - 1) / width;
    bool a_leaves_node = false;
    bool b_leaves_node = false;
    for (std::int64_t other = 0; other < columns; ++other) {
      a_leaves_node = a_leaves_node || node_of(r * columns + other) != node_of(mine);
    }
    for (std::int64_t other = 0; other < rows; ++other) {
      b_leaves_node = b_leaves_node || node_of(other * columns + c) != node_of(mine);
    }
    for (std::int64_t piece = 0; piece < pieces; ++piece) {
      const std::int64_t wide = size_of_share(end - begin, pieces, piece);
      if (a_column != c) {
        add(both.received, node_of(r * columns + a_column) != node_of(mine), 8 * a_rows * wide);
      } else if (columns > 1) {
        add(both.sent, a_leaves_node, 8 * a_rows * wide);
      }
      if (b_row != r) {
        add(both.received, node_of(b_row * columns + c) != node_of(mine), 8 * b_columns * wide);
      } else if (rows > 1) {
        add(both.sent, b_leaves_node, 8 * b_columns * wide);
      }
    }
  }
  return both;
}

/// The closed form of the header, for bytes.
std::int64_t received_bytes(const ProductShape& shape, std::int64_t rows, std::int64_t columns, std::int64_t mine) {
  const std::int64_t r = mine / columns;
  const std::int64_t c = mine % columns;
  return 8 * (size_of_share(shape.m, rows, r) * (shape.k - size_of_share(shape.k, columns, c)) +
              size_of_share(shape.n, columns, c) * (shape.k - size_of_share(shape.k, rows, r)));
}

RankTraffic traffic_of(Model model, const ProductShape& shape, std::int64_t rows, std::int64_t panel) {
  const int threads = model == Model::hybrid ? 2 : 1;
  const Settings tunables{
      "matmul",
      matmul_tunables(model),
      {{"local_kernel", "eigen"}, {"grid", std::to_string(rows)}, {"panel", std::to_string(panel)}}};
  const auto ones = [](View block, const Block&) { std::fill_n(block.data, block.rows * block.columns, 1.0); };
  Multiplication product{model, shape, {.threads = threads, .communicator = world, .tunables = tunables}, ones, ones};
  TrafficMeter meter{world, two_nodes()};
  {
    const TrafficMeter::Running running{meter};
    product.execute();
  }
  RankTraffic total = meter.total();
  EXPECT_TRUE(product.verify(3).right);
  return total;
}

void expect_formula(Model model, const ProductShape& shape, std::int64_t rows, std::int64_t panel) {
  const int mine = rank_in(world);
  const std::int64_t columns = size_of(world) / rows;
  SCOPED_TRACE(std::string{name_of(model)} + " " + std::to_string(shape.m) + "x" + std::to_string(shape.n) + "x" +
               std::to_string(shape.k) + " on " + std::to_string(rows) + "x" + std::to_string(columns) +
               " ranks, rank " + std::to_string(mine));
  const RankTraffic traffic = traffic_of(model, shape, rows, panel);
  RankTraffic expected;
  expected.by(Carrier::broadcast) = by_formula(shape, rows, columns, mine, panel);
  EXPECT_EQ(traffic.received().within_node.messages, expected.received().within_node.messages);
  EXPECT_EQ(traffic.received().within_node.bytes, expected.received().within_node.bytes);
  EXPECT_EQ(traffic.received().between_nodes.messages, expected.received().between_nodes.messages);
  EXPECT_EQ(traffic.received().between_nodes.bytes, expected.received().between_nodes.bytes);
  EXPECT_EQ(traffic, expected);
  EXPECT_EQ(traffic.received().whole().bytes, received_bytes(shape, rows, columns, mine));
}

class MatmulTraffic : public testing::TestWithParam<Model> {};

INSTANTIATE_TEST_SUITE_P(Models, MatmulTraffic, testing::Values(Model::mpi, Model::hybrid),
                         [](const auto& model) { return std::string{name_of(model.param)}; });

TEST_P(MatmulTraffic, IsWhatTheFormulaSaysOnEveryGrid) {
  for (std::int64_t rows = 1; rows <= size_of(world); ++rows) {
    if (size_of(world) % rows == 0) expect_formula(GetParam(), {97, 31, 130}, rows, 40);
  }
}

TEST_P(MatmulTraffic, IsWhatTheFormulaSaysForEveryShape) {
  const Grid grid = grid_for(64, 64, size_of(world));
  for (const ProductShape& shape : {ProductShape{64, 64, 64}, ProductShape{7, 3, 97}, ProductShape{1, 1, 1},
                                    ProductShape{0, 5, 3}, ProductShape{5, 4, 0}, ProductShape{2, 97, 31}}) {
    expect_formula(GetParam(), shape, grid.rows, 5);
  }
}

}  // namespace
}  // namespace duet
