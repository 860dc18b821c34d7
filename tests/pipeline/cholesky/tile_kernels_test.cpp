/// The tile kernels of every instruction set that this processor has, against the definition.

#include "kernels/pipeline/cholesky/tile_kernels.hpp"

#include <gtest/gtest.h>
#include <hwy/targets.h>

#include <cmath>
#include <vector>

#include "kernels/core/random.hpp"
#include "kernels/local_product/packing_space.hpp"
#include "tests/special_values.hpp"

namespace duet {
namespace {

/// A tile in the form of the kernels.
class Tile {
 public:
  Tile(std::int64_t rows, std::int64_t columns) : rows_{rows}, columns_{columns} {
    words_ = space_.of(static_cast<std::size_t>(rows * columns + 8));
    for (std::int64_t i = 0; i < rows; ++i) {
      for (std::int64_t j = 0; j < columns; ++j) at(i, j) = 0;
    }
    for (std::int64_t w = rows * columns; w < rows * columns + 8; ++w) words_[w] = sentinel;
  }
  [[nodiscard]] double& at(std::int64_t i, std::int64_t j) const {
    return words_[i / strip * strip * columns_ + j * strip + i % strip];
  }
  [[nodiscard]] double* data() const { return words_; }
  void draw(std::uint32_t stream) const {
    for (std::int64_t i = 0; i < rows_; ++i) {
      for (std::int64_t j = 0; j < columns_; ++j) at(i, j) = random_entry(3, stream, i, j);
    }
  }
  [[nodiscard]] std::vector<double> copy() const { return {words_, words_ + rows_ * columns_}; }
  [[nodiscard]] double before(const std::vector<double>& copied, std::int64_t i, std::int64_t j) const {
    return copied[static_cast<std::size_t>(i / strip * strip * columns_ + j * strip + i % strip)];
  }
  [[nodiscard]] bool is_intact_behind() const {
    for (std::int64_t w = rows_ * columns_; w < rows_ * columns_ + 8; ++w) {
      if (words_[w] != sentinel) return false;
    }
    return true;
  }

 private:
  static constexpr double sentinel = 12345.5;
  std::int64_t rows_;
  std::int64_t columns_;
  PackingSpace space_;
  double* words_;
};

double gamma(std::int64_t terms) { return static_cast<double>(terms) * 0x1p-53 * 1.001; }

/// For each instruction set in turn.
class TileKernelsTest : public testing::TestWithParam<std::int64_t> {
 protected:
  void TearDown() override { hwy::SetSupportedTargetsForTest(0); }
  [[nodiscard]] static TileKernels kernels() {
    hwy::SetSupportedTargetsForTest(GetParam());
    return simd_tile_kernels();
  }
};

INSTANTIATE_TEST_SUITE_P(InstructionSets, TileKernelsTest, testing::ValuesIn(hwy::SupportedAndGeneratedTargets()),
                         [](const auto& target) { return std::string{hwy::TargetName(target.param)}; });

TEST_P(TileKernelsTest, RunTheInstructionSetAskedFor) { EXPECT_EQ(kernels().code_path, hwy::TargetName(GetParam())); }

TEST_P(TileKernelsTest, UpdateSubtractsTheProduct) {
  const TileKernels kernel = kernels();
  for (const auto& [rows, columns, depth] :
       std::vector<std::array<std::int64_t, 3>>{{24, 24, 24}, {48, 24, 72}, {24, 72, 48}, {96, 120, 144}}) {
    const Tile a{rows, depth};
    const Tile b{columns, depth};
    const Tile c{rows, columns};
    a.draw(0);
    b.draw(1);
    c.draw(2);
    const std::vector<double> before = c.copy();
    kernel.update(a.data(), b.data(), depth, c.data(), rows, columns);
    for (std::int64_t i = 0; i < rows; ++i) {
      for (std::int64_t j = 0; j < columns; ++j) {
        double sum = c.before(before, i, j);
        double magnitude = std::abs(sum);
        for (std::int64_t p = 0; p < depth; ++p) {
          sum -= a.at(i, p) * b.at(j, p);
          magnitude += std::abs(a.at(i, p) * b.at(j, p));
        }
        ASSERT_LE(std::abs(c.at(i, j) - sum), 2 * gamma(depth + 1) * magnitude) << i << ", " << j;
      }
    }
    EXPECT_TRUE(c.is_intact_behind());
  }
}

TEST_P(TileKernelsTest, UpdateOfADiagonalTileIsTheSameBelowTheDiagonal) {
  const TileKernels kernel = kernels();
  constexpr std::int64_t extent = 96;
  constexpr std::int64_t depth = 72;
  const Tile a{extent, depth};
  const Tile whole{extent, extent};
  const Tile lower{extent, extent};
  a.draw(0);
  whole.draw(2);
  lower.draw(2);
  kernel.update(a.data(), a.data(), depth, whole.data(), extent, extent);
  kernel.update_diagonal(a.data(), depth, lower.data(), extent);
  for (std::int64_t i = 0; i < extent; ++i) {
    for (std::int64_t j = 0; j <= i; ++j) ASSERT_EQ(lower.at(i, j), whole.at(i, j)) << i << ", " << j;
  }
  EXPECT_TRUE(lower.is_intact_behind());
}

TEST_P(TileKernelsTest, FactorGivesALowerTriangleWhoseSquareIsTheTile) {
  const TileKernels kernel = kernels();
  for (const std::int64_t extent : {24, 48, 120, 240}) {
    const Tile tile{extent, extent};
    tile.draw(0);
    for (std::int64_t i = 0; i < extent; ++i) tile.at(i, i) += static_cast<double>(extent);
    const std::vector<double> before = tile.copy();
    ASSERT_EQ(kernel.factor(tile.data(), extent), extent);
    for (std::int64_t i = 0; i < extent; ++i) {
      for (std::int64_t j = i / strip * strip; j < extent; ++j) {
        if (j > i && j / strip == i / strip) {
          ASSERT_EQ(tile.at(i, j), 0) << i << ", " << j;
        }
      }
      for (std::int64_t j = 0; j <= i; ++j) {
        double sum = 0;
        double magnitude = 0;
        for (std::int64_t p = 0; p <= j; ++p) {
          sum += tile.at(i, p) * tile.at(j, p);
          magnitude += std::abs(tile.at(i, p) * tile.at(j, p));
        }
        ASSERT_LE(std::abs(tile.before(before, i, j) - sum), 2 * gamma(extent + 2) * magnitude) << i << ", " << j;
      }
    }
    EXPECT_TRUE(tile.is_intact_behind());
  }
}

TEST_P(TileKernelsTest, FactorNamesTheFirstBadPivot) {
  const TileKernels kernel = kernels();
  constexpr std::int64_t extent = 72;
  for (std::int64_t row = 0; row < extent; ++row) {
    for (const double value : {0.0, -1.0, nan, infinity, -infinity}) {
      const Tile tile{extent, extent};
      tile.draw(0);
      for (std::int64_t i = 0; i < extent; ++i) tile.at(i, i) += static_cast<double>(extent);
      tile.at(row, row) = value;
      EXPECT_EQ(kernel.factor(tile.data(), extent), row) << value;
    }
  }
}

TEST_P(TileKernelsTest, SolveUndoesTheProductWithLTransposed) {
  const TileKernels kernel = kernels();
  for (const auto& [rows, extent] : std::vector<std::array<std::int64_t, 2>>{{24, 24}, {72, 48}, {48, 120}}) {
    const Tile l{extent, extent};
    l.draw(0);
    for (std::int64_t i = 0; i < extent; ++i) l.at(i, i) += static_cast<double>(extent);
    ASSERT_EQ(kernel.factor(l.data(), extent), extent);
    const Tile x{rows, extent};
    x.draw(1);
    const std::vector<double> before = x.copy();
    kernel.solve(l.data(), extent, x.data(), rows);
    for (std::int64_t i = 0; i < rows; ++i) {
      for (std::int64_t j = 0; j < extent; ++j) {
        double sum = 0;
        double magnitude = 0;
        for (std::int64_t p = 0; p <= j; ++p) {
          sum += x.at(i, p) * l.at(j, p);
          magnitude += std::abs(x.at(i, p) * l.at(j, p));
        }
        ASSERT_LE(std::abs(x.before(before, i, j) - sum), 2 * gamma(extent + 2) * magnitude) << i << ", " << j;
      }
    }
    EXPECT_TRUE(x.is_intact_behind());
  }
}

}  // namespace
}  // namespace duet
