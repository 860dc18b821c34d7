/// The bytes and messages of every rank of a product are those that kernels/data_decomposition/matmul/matmul.hpp gives.

#include <gtest/gtest.h>
#include <mpi.h>

#include <algorithm>
#include <map>
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

/// What rank `mine` of a grid moves by the formula: panels of A come along its row, of B along its column, and a panel
/// ends where A's or B's owner changes and after `width`; then come the layers' summands of its own rows of C.
RankTraffic by_formula(const ProductShape& shape, const ProductGrid& grid, std::int64_t mine, std::int64_t width,
                       std::int64_t word) {
  RankTraffic traffic;
  if (mine >= grid.size()) return traffic;
  const auto [rows, columns, layers] = grid;
  const std::int64_t layer = mine / (rows * columns);
  const std::int64_t r = mine / columns % rows;
  const std::int64_t c = mine % columns;
  const auto at = [&](std::int64_t l, std::int64_t row, std::int64_t column) {
    return (l * grid.rows + row) * grid.columns + column;
  };
  const std::int64_t a_rows = size_of_share(shape.m, rows, r);
  const std::int64_t b_columns = size_of_share(shape.n, columns, c);
  const std::int64_t k = size_of_share(shape.k, layers, layer);
  const auto add = [](Flow& flow, bool between, std::int64_t bytes) {
    if (bytes > 0) (between ? flow.between_nodes : flow.within_node) += {1, bytes};
  };
  RankTraffic::Both& panels = traffic.by(Carrier::broadcast);
  const auto owners = [&, columns = columns, rows = rows](std::int64_t x) {
    return std::pair{owner(k, columns, x), owner(k, rows, x)};
  };
  for (std::int64_t begin = 0, end = 0; begin < k; begin = end) {
    while (end < k && owners(end) == owners(begin)) ++end;
    const auto [a_column, b_row] = owners(begin);
    const std::int64_t pieces = (end - begin + width - 1) / width;
    bool a_leaves_node = false;
    bool b_leaves_node = false;
    for (std::int64_t other = 0; other < columns; ++other) {
      a_leaves_node = a_leaves_node || node_of(at(layer, r, other)) != node_of(mine);
    }
    for (std::int64_t other = 0; other < rows; ++other) {
      b_leaves_node = b_leaves_node || node_of(at(layer, other, c)) != node_of(mine);
    }
    for (std::int64_t piece = 0; piece < pieces; ++piece) {
      const std::int64_t wide = size_of_share(end - begin, pieces, piece);
      if (a_column != c) {
        add(panels.received, node_of(at(layer, r, a_column)) != node_of(mine), word * a_rows * wide);
      } else if (columns > 1) {
        add(panels.sent, a_leaves_node, word * a_rows * wide);
      }
      if (b_row != r) {
        add(panels.received, node_of(at(layer, b_row, c)) != node_of(mine), word * b_columns * wide);
      } else if (rows > 1) {
        add(panels.sent, b_leaves_node, word * b_columns * wide);
      }
    }
  }
  RankTraffic::Both& summands = traffic.by(Carrier::point_to_point);
  for (std::int64_t other = 0; other < layers; ++other) {
    if (other == layer) continue;
    const bool between = node_of(at(other, r, c)) != node_of(mine);
    add(summands.received, between, word * size_of_share(a_rows, layers, layer) * b_columns);
    add(summands.sent, between, word * size_of_share(a_rows, layers, other) * b_columns);
  }
  return traffic;
}

/// The closed form of the header, for bytes.
std::int64_t received_bytes(const ProductShape& shape, const ProductGrid& grid, std::int64_t mine, std::int64_t word) {
  if (mine >= grid.size()) return 0;
  const auto [rows, columns, layers] = grid;
  const std::int64_t layer = mine / (rows * columns);
  const std::int64_t r = mine / columns % rows;
  const std::int64_t c = mine % columns;
  const std::int64_t k = size_of_share(shape.k, layers, layer);
  const std::int64_t m = size_of_share(shape.m, rows, r);
  const std::int64_t n = size_of_share(shape.n, columns, c);
  return word * (m * (k - size_of_share(k, columns, c)) + n * (k - size_of_share(k, rows, r)) +
                 (layers - 1) * size_of_share(m, layers, layer) * n);
}

template <class Element>
RankTraffic traffic_of(Model model, const ProductShape& shape, const std::map<std::string, std::string>& given,
                       ProductGrid& grid) {
  const int threads = model == Model::hybrid ? 2 : 1;
  std::map<std::string, std::string> settings = given;
  settings["local_kernel"] = "eigen";
  const Settings tunables{"matmul", matmul_tunables(model), settings};
  const auto ones = [](MatrixView<Element> block, const Block&) {
    std::fill_n(block.data, block.rows * block.columns, Element{1});
  };
  MultiplicationOf<Element> product{
      model, shape, {.threads = threads, .communicator = world, .tunables = tunables}, ones, ones};
  TrafficMeter meter{world, two_nodes()};
  {
    const TrafficMeter::Running running{meter};
    product.execute();
  }
  RankTraffic total = meter.total();
  EXPECT_TRUE(product.verify(3).right);
  grid = product.layout().grid();
  return total;
}

/// `rows` and `layers` as the tunables say them.
template <class Element = double>
void expect_formula(Model model, const ProductShape& shape, std::int64_t rows, std::int64_t layers,
                    std::int64_t panel) {
  const int mine = rank_in(world);
  ProductGrid grid;
  const RankTraffic traffic = traffic_of<Element>(
      model, shape,
      {{"grid", std::to_string(rows)}, {"layers", std::to_string(layers)}, {"panel", std::to_string(panel)}}, grid);
  SCOPED_TRACE(std::string{name_of(model)} + " " + std::to_string(shape.m) + "x" + std::to_string(shape.n) + "x" +
               std::to_string(shape.k) + " on " + grid_text(grid) + " ranks, rank " + std::to_string(mine));
  const RankTraffic expected = by_formula(shape, grid, mine, panel, sizeof(Element));
  EXPECT_EQ(traffic.received().within_node.messages, expected.received().within_node.messages);
  EXPECT_EQ(traffic.received().within_node.bytes, expected.received().within_node.bytes);
  EXPECT_EQ(traffic.received().between_nodes.messages, expected.received().between_nodes.messages);
  EXPECT_EQ(traffic.received().between_nodes.bytes, expected.received().between_nodes.bytes);
  EXPECT_EQ(traffic, expected);
  EXPECT_EQ(traffic.received().whole().bytes, received_bytes(shape, grid, mine, sizeof(Element)));
  EXPECT_LE(static_cast<double>(traffic.received().whole().bytes), sizeof(Element) * received_words(shape, grid));
}

class MatmulTraffic : public testing::TestWithParam<Model> {};

INSTANTIATE_TEST_SUITE_P(Models, MatmulTraffic, testing::Values(Model::mpi, Model::hybrid),
                         [](const auto& model) { return std::string{name_of(model.param)}; });

TEST_P(MatmulTraffic, IsWhatTheFormulaSaysOnEveryGrid) {
  const std::int64_t ranks = size_of(world);
  for (std::int64_t rows = 1; rows <= ranks; ++rows) {
    for (std::int64_t layers = 1; rows * layers <= ranks; ++layers) {
      if (ranks % (rows * layers) == 0) expect_formula(GetParam(), {97, 31, 130}, rows, layers, 40);
    }
  }
}

TEST_P(MatmulTraffic, IsWhatTheFormulaSaysForEveryShape) {
  for (const ProductShape& shape : {ProductShape{64, 64, 64}, ProductShape{7, 3, 97}, ProductShape{1, 1, 1},
                                    ProductShape{0, 5, 3}, ProductShape{5, 4, 0}, ProductShape{2, 97, 31}}) {
    expect_formula(GetParam(), shape, 0, 0, 5);
    expect_formula(GetParam(), shape, 1, size_of(world), 5);
  }
}

TEST_P(MatmulTraffic, OfFloatsIsHalf) { expect_formula<float>(GetParam(), {97, 31, 130}, 0, 0, 40); }

}  // namespace
}  // namespace duet
