#include <gtest/gtest.h>
#include <mpi.h>

#include <string>

#include "kernels/data_decomposition/matmul/layer_sum.hpp"
#include "kernels/data_decomposition/matmul/matmul.hpp"
#include "kernels/data_decomposition/matmul/multiplication.hpp"
#include "kernels/data_decomposition/matmul/panel_broadcast.hpp"
#include "kernels/data_decomposition/matmul/verify.hpp"
#include "tests/all_ranks.hpp"
#include "tests/data_decomposition/matmul/reference.hpp"
#include "tests/special_values.hpp"

namespace duet {
namespace {

/// Every grid of the ranks there are, and of one rank less, which leaves the last one idle.
std::vector<ProductGrid> grids() {
  std::vector<ProductGrid> grids;
  const std::int64_t ranks = size_of(MPI_COMM_WORLD);
  for (std::int64_t rows = 1; rows <= ranks; ++rows) {
    for (std::int64_t columns = 1; rows * columns <= ranks; ++columns) {
      for (std::int64_t layers = 1; rows * columns * layers <= ranks; ++layers) {
        if (rows * columns * layers >= std::max<std::int64_t>(ranks - 1, 1)) grids.push_back({rows, columns, layers});
      }
    }
  }
  return grids;
}

/// A grid with as many layers as there are ranks.
ProductGrid all_layers() { return {1, 1, size_of(MPI_COMM_WORLD)}; }

/// Mixed shapes: every pair of extents, with a third that differs from both.
std::vector<ProductShape> shapes() {
  std::vector<ProductShape> shapes;
  for (std::size_t i = 0; i < test_extents.size(); ++i) {
    for (std::size_t j = 0; j < test_extents.size(); ++j) {
      shapes.push_back({test_extents[i], test_extents[j], test_extents[(i + 3 * j + 5) % test_extents.size()]});
    }
  }
  return shapes;
}

/// This rank's blocks of a random product.
struct Blocks {
  Blocks(const ProductShape& shape, const RankGrid& on)
      : ranks{on},
        layout{shape, on.shape()},
        a{random_block(layout.a_of(on.rank()), 0)},
        b{random_block(layout.b_of(on.rank()), 1)},
        c{layout.c_of(on.rank()).rows.size(), layout.c_of(on.rank()).columns.size()} {
    forget();
  }
  void forget() { std::fill_n(c.data(), c.rows() * c.columns(), nan); }
  [[nodiscard]] OwnedBlocks mine() { return {ranks, layout, a.view(), b.view(), c.view()}; }
  [[nodiscard]] bool owns(std::int64_t row, std::int64_t column) const {
    const Block block = layout.c_of(ranks.rank());
    return block.rows.contains(row) && block.columns.contains(column);
  }
  [[nodiscard]] double& entry(std::int64_t row, std::int64_t column) {
    const Block block = layout.c_of(ranks.rank());
    return c.view()(row - block.rows.begin, column - block.columns.begin);
  }
  /// Judges, and checks that all ranks judge alike.
  [[nodiscard]] Judgement judge() {
    Judgement judgement = judge_product(mine(), 11);
    EXPECT_TRUE(agree((judgement.right ? "right " : "wrong ") + judgement.explanation +
                      std::to_string(judgement.error) + std::to_string(judgement.bound)));
    return judgement;
  }

  const RankGrid& ranks;
  ProductLayout layout;
  Matrix<double> a;
  Matrix<double> b;
  Matrix<double> c;
};

struct PassingVariant {
  const char* name;
  void (*multiply)(const OwnedBlocks&, const Execution&);
  int threads;
};
void PrintTo(const PassingVariant& variant, std::ostream* out) { *out << variant.name << variant.threads; }

class MatmulRanks : public testing::TestWithParam<PassingVariant> {
 protected:
  /// What either variant may be told: one list serves both.
  static std::vector<Setting> declared() {
    std::vector<Setting> settings = matmul_tunables(Model::hybrid);
    for (const Setting& setting : matmul_tunables(Model::mpi)) {
      if (setting.name == "strips") settings.push_back(setting);
    }
    return settings;
  }
  [[nodiscard]] Execution with(const std::map<std::string, std::string>& tunables) const {
    return {.threads = GetParam().threads,
            .communicator = MPI_COMM_WORLD,
            .tunables = Settings{"matmul", declared(), tunables}};
  }
};

INSTANTIATE_TEST_SUITE_P(
    Models, MatmulRanks,
    testing::Values(PassingVariant{"mpi", matmul_mpi, 1}, PassingVariant{"hybrid", matmul_hybrid, 1},
                    PassingVariant{"hybrid", matmul_hybrid, 2}, PassingVariant{"hybrid", matmul_hybrid, 3}),
    [](const auto& variant) { return std::string{variant.param.name} + std::to_string(variant.param.threads); });

TEST_P(MatmulRanks, MultiplyEveryShape) {
  for (const ProductGrid grid : grids()) {
    const RankGrid ranks{grid, MPI_COMM_WORLD};
    for (const ProductShape& shape : shapes()) {
      const Matrix<double> a = random_matrix(shape.m, shape.k, 0);
      const Matrix<double> b = random_matrix(shape.k, shape.n, 1);
      Blocks blocks{shape, ranks};
      GetParam().multiply(blocks.mine(), with({}));
      const testing::AssertionResult right =
          is_product(a.view(), b.view(), blocks.c.view(), blocks.layout.c_of(ranks.rank()));
      EXPECT_TRUE(right) << text_of(shape) << " on " << grid_text(grid);
      ASSERT_TRUE(on_every_rank(bool{right}));
    }
  }
}

TEST_P(MatmulRanks, MultiplyInPanelsAndTilesOfAnyWidth) {
  const ProductShape shape{31, 64, 97};
  const Matrix<double> a = random_matrix(shape.m, shape.k, 0);
  const Matrix<double> b = random_matrix(shape.k, shape.n, 1);
  for (const ProductGrid grid : grids()) {
    const RankGrid ranks{grid, MPI_COMM_WORLD};
    for (const char* panel : {"1", "5", "1000"}) {
      for (const auto& [tile, strips] : {std::pair{"0", "1"}, std::pair{"7", "3"}}) {
        Blocks blocks{shape, ranks};
        GetParam().multiply(blocks.mine(), with({{"panel", panel}, {"tile", tile}, {"strips", strips}}));
        const testing::AssertionResult right =
            is_product(a.view(), b.view(), blocks.c.view(), blocks.layout.c_of(ranks.rank()));
        EXPECT_TRUE(right) << "panel " << panel << ", tile " << tile;
        ASSERT_TRUE(on_every_rank(bool{right}));
      }
    }
  }
}

TEST_P(MatmulRanks, RepeatThemselvesBitForBit) {
  for (const ProductGrid grid : {grids().back(), all_layers()}) {
    const RankGrid ranks{grid, MPI_COMM_WORLD};
    Blocks first{{64, 64, 97}, ranks};
    GetParam().multiply(first.mine(), with({{"panel", "10"}, {"tile", "9"}}));
    for (int repetition = 0; repetition < 5; ++repetition) {
      Blocks again{{64, 64, 97}, ranks};
      GetParam().multiply(again.mine(), with({{"panel", "10"}, {"tile", "9"}}));
      ASSERT_TRUE(on_every_rank(
          std::equal(first.c.data(), first.c.data() + first.c.rows() * first.c.columns(), again.c.data())));
    }
  }
}

TEST_P(MatmulRanks, CarryNaNAcrossRanks) {
  const RankGrid ranks{all_layers(), MPI_COMM_WORLD};
  Blocks blocks{{9, 8, 14}, ranks};
  const Block of_a = blocks.layout.a_of(ranks.rank());
  if (of_a.rows.contains(4) && of_a.columns.contains(13)) {
    blocks.a.view()(4 - of_a.rows.begin, 13 - of_a.columns.begin) = nan;
  }
  GetParam().multiply(blocks.mine(), with({}));
  bool carried = true;
  for (std::int64_t i = 0; i < 9; ++i) {
    for (std::int64_t j = 0; j < 8; ++j) {
      if (blocks.owns(i, j)) carried = carried && std::isnan(blocks.entry(i, j)) == (i == 4);
    }
  }
  EXPECT_TRUE(on_every_rank(carried));
  const Judgement judgement = blocks.judge();
  EXPECT_TRUE(judgement.right) << judgement.explanation;
}

TEST_P(MatmulRanks, RefuseBlocksThatAreNotTheirShare) {
  const RankGrid ranks{{1, size_of(MPI_COMM_WORLD)}, MPI_COMM_WORLD};
  Blocks blocks{{9, 8, 14}, ranks};
  const ProductLayout other{{10 * ranks.shape().size(), 8, 14}, ranks.shape()};
  EXPECT_THROW(GetParam().multiply({ranks, other, blocks.a.view(), blocks.b.view(), blocks.c.view()}, with({})),
               std::invalid_argument);
}

TEST_P(MatmulRanks, BookUsefulTimeOnEveryThread) {
  const RankGrid ranks{{1, size_of(MPI_COMM_WORLD)}, MPI_COMM_WORLD};
  Blocks blocks{{300, 300, 300}, ranks};
  Timesheet timesheet{GetParam().threads};
  // With the tiles that are chosen each thread has one of its own; which of others it gets is chance.
  Execution execution = with({});
  execution.timesheet = &timesheet;
  GetParam().multiply(blocks.mine(), execution);
  bool booked = true;
  for (int thread = 0; thread < GetParam().threads; ++thread) booked = booked && timesheet.of(thread).useful > 0;
  EXPECT_TRUE(on_every_rank(booked));
}

TEST(MatmulVerifyRanks, RejectOneWrongEntryOfAnyRankAndNameTheProcess) {
  const ProductShape shape{15, 16, 17};
  for (const ProductGrid grid : grids()) {
    const RankGrid ranks{grid, MPI_COMM_WORLD};
    Blocks blocks{shape, ranks};
    matmul_mpi(blocks.mine(), {});
    ASSERT_TRUE(blocks.judge().right);
    for (std::int64_t culprit = 0; culprit < grid.size(); ++culprit) {
      const Block block = blocks.layout.c_of(culprit);
      const std::int64_t row = block.rows.end - 1;
      const std::int64_t column = block.columns.end - 1;
      const double right = blocks.owns(row, column) ? blocks.entry(row, column) : 0;
      for (const double wrong : {right + 1e-10, nan, -right}) {
        if (blocks.owns(row, column)) blocks.entry(row, column) = wrong;
        const Judgement judgement = blocks.judge();
        EXPECT_FALSE(judgement.right);
        const std::string place = "C(" + std::to_string(row) + ", " + std::to_string(column) + ")";
        EXPECT_NE(judgement.explanation.find(place), std::string::npos) << judgement.explanation;
        EXPECT_NE(judgement.explanation.find("process " + std::to_string(culprit)), std::string::npos)
            << judgement.explanation;
        if (blocks.owns(row, column)) blocks.entry(row, column) = right;
      }
    }
    EXPECT_TRUE(blocks.judge().right);
  }
}

TEST(MatmulVerifyRanks, RejectAPanelThatOneRankMissed) {
  const RankGrid ranks{{size_of(MPI_COMM_WORLD), 1}, MPI_COMM_WORLD};
  const ProductShape shape{24, 24, 24};
  Blocks blocks{shape, ranks};
  matmul_mpi(blocks.mine(), {});
  const std::int64_t culprit = ranks.shape().size() - 1;
  const Block block = blocks.layout.c_of(culprit);
  if (ranks.rank() == culprit) {
    const Matrix<double> a = random_matrix(24, 24, 0);
    const Matrix<double> b = random_matrix(24, 24, 1);
    matmul_serial(a.view().block(block.rows.begin, 0, block.rows.size(), 20),
                  b.view().block(0, block.columns.begin, 20, block.columns.size()), blocks.c.view(), {});
  }
  const Judgement judgement = blocks.judge();
  EXPECT_FALSE(judgement.right);
  EXPECT_NE(judgement.explanation.find("process " + std::to_string(culprit)), std::string::npos)
      << judgement.explanation;
}

TEST(LayerSum, AddsInPiecesOfAnyLimit) {
  const ProductShape shape{13, 11, 23};
  const RankGrid ranks{all_layers(), MPI_COMM_WORLD};
  for (const std::int64_t limit : {1, 3, 1000}) {
    Blocks blocks{shape, ranks};
    const OwnedBlocks mine = blocks.mine();
    LayerSum<double> sum{mine, limit};
    const View summand = sum.summand();
    for (std::int64_t i = 0; i < summand.rows; ++i) {
      for (std::int64_t j = 0; j < summand.columns; ++j) {
        summand(i, j) = static_cast<double>(100 * i + j) * (ranks.rank() + 1);
      }
    }
    sum.add_up({});
    const Block of_c = blocks.layout.c_of(ranks.rank());
    const double layers = size_of(MPI_COMM_WORLD);
    bool whole = true;
    for (std::int64_t i = of_c.rows.begin; i < of_c.rows.end; ++i) {
      for (std::int64_t j = 0; j < shape.n; ++j) {
        whole = whole && blocks.entry(i, j) == static_cast<double>(100 * i + j) * layers * (layers + 1) / 2;
      }
    }
    ASSERT_TRUE(on_every_rank(whole)) << "limit " << limit;
  }
}

TEST(PanelBroadcast, CarriesPanelsInPiecesOfAnyLimit) {
  const ProductShape shape{13, 11, 23};
  const Matrix<double> a = random_matrix(shape.m, shape.k, 0);
  const Matrix<double> b = random_matrix(shape.k, shape.n, 1);
  for (const ProductGrid grid : grids()) {
    const RankGrid ranks{grid, MPI_COMM_WORLD};
    Blocks blocks{shape, ranks};
    const Block of_c = blocks.layout.summand_of(ranks.rank());
    const OwnedBlocks mine = blocks.mine();
    for (const std::int64_t limit : {1, 3, 1000}) {
      PanelBroadcast<double> travelling{mine, 4, limit};
      bool whole = true;
      for (const Panel& panel : ranks.idle() ? std::vector<Panel>{} : blocks.layout.panels(4, ranks.layer())) {
        travelling.start(panel);
        travelling.progress();
        travelling.wait();
        for (std::int64_t p = 0; p < panel.inner.size(); ++p) {
          for (std::int64_t i = 0; i < of_c.rows.size(); ++i) {
            whole = whole && travelling.a()(i, p) == a.view()(of_c.rows.begin + i, panel.inner.begin + p);
          }
          for (std::int64_t j = 0; j < of_c.columns.size(); ++j) {
            whole = whole && travelling.b()(p, j) == b.view()(panel.inner.begin + p, of_c.columns.begin + j);
          }
        }
      }
      ASSERT_TRUE(on_every_rank(whole)) << "limit " << limit;
    }
  }
}

TEST(MatmulProblemRanks, PlacesExecutesAndJudges) {
  const Problem problem = matmul_problem();
  for (const Model model : {Model::mpi, Model::hybrid}) {
    for (const char* size : {"0", "1", "33", "5x0x3", "4x5x0", "12x34x56"}) {
      const Instance instance = problem.pose(size, 3, {});
      const Variant& variant = problem.variant(model);
      const Execution execution{.threads = model == Model::hybrid ? 2 : 1,
                                .communicator = MPI_COMM_WORLD,
                                .tunables = Settings{"matmul", variant.tunables, {}}};
      const Placed placed = variant.place(instance, execution);
      for (int repetition = 0; repetition < 2; ++repetition) {
        placed.reset();
        placed.execute();
        const Judgement judgement = placed.verify();
        ASSERT_TRUE(on_every_rank(judgement.right)) << size << ": " << judgement.explanation;
      }
      placed.reset();
      const bool has_entries = instance.extents[0] * instance.extents[1] != 0;
      EXPECT_EQ(placed.verify().right, !has_entries);
      EXPECT_TRUE(agree(placed.facts.at("local_kernel") + placed.facts.at("grid")));
    }
  }
}

TEST(MatmulProblemRanks, MultipliesFloatsOnEveryGrid) {
  const Problem problem = matmul_problem();
  const std::int64_t all = size_of(MPI_COMM_WORLD);
  for (const Model model : {Model::mpi, Model::hybrid}) {
    for (const std::int64_t layers : {std::int64_t{1}, all}) {
      const Instance instance = problem.pose("33x20x70", 3, {{"precision", "float"}});
      const Variant& variant = problem.variant(model);
      const Execution execution{.threads = model == Model::hybrid ? 2 : 1,
                                .communicator = MPI_COMM_WORLD,
                                .tunables = Settings{"matmul", variant.tunables, {{"layers", std::to_string(layers)}}}};
      const Placed placed = variant.place(instance, execution);
      placed.reset();
      EXPECT_FALSE(placed.verify().right);
      placed.execute();
      const Judgement judgement = placed.verify();
      EXPECT_TRUE(judgement.right) << judgement.explanation;
      EXPECT_LT(judgement.error, 1e-3);
    }
  }
}

TEST(MatmulProblemRanks, RefusesAGridThatDoesNotDivideTheRanks) {
  const Problem problem = matmul_problem();
  const Variant& variant = problem.variant(Model::mpi);
  const std::string rows = std::to_string(size_of(MPI_COMM_WORLD) + 1);
  const Execution execution{.communicator = MPI_COMM_WORLD,
                            .tunables = Settings{"matmul", variant.tunables, {{"grid", rows}}}};
  EXPECT_THROW(variant.place(problem.pose("4", 1, {}), execution), std::invalid_argument);
}

}  // namespace
}  // namespace duet
