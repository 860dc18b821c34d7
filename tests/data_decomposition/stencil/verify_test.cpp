#include <gtest/gtest.h>

#include "kernels/data_decomposition/stencil/modes.hpp"
#include "kernels/data_decomposition/stencil/verify.hpp"
#include "tests/data_decomposition/stencil/reference.hpp"
#include "tests/special_values.hpp"

namespace duet {
namespace {

/// A grid in one process after its sweeps, by the definition, which a test may spoil.
struct Answer {
  Answer(const GridShape& of, const Sweeps& by, const InitialGrid& initial = random_point)
      : shape{of}, sweeps{by}, grid{swept(of, by, initial)}, judge{of,      by,
                                                                   initial, {{0, of.rows}, {0, of.columns}},
                                                                   11,      {.threads = 2}} {}
  [[nodiscard]] Judgement verdict() { return judge.judge(grid.view()); }

  GridShape shape;
  Sweeps sweeps;
  Matrix<double> grid;
  StencilJudge judge;
};

TEST(StencilVerify, AcceptsRightGridsOfEveryShape) {
  for (const std::int64_t rows : test_extents) {
    for (const std::int64_t columns : test_extents) {
      for (const std::int64_t count : {0, 1, 6}) {
        Answer answer{{rows, columns}, {Star::of_radius(1), count}};
        const Judgement judgement = answer.verdict();
        EXPECT_TRUE(judgement.right) << text_of(answer.shape) << ": " << judgement.explanation;
        EXPECT_LE(judgement.error, judgement.bound);
      }
    }
  }
}

TEST(StencilVerify, AcceptsRightGridsOfEveryRadiusAndManySweeps) {
  for (std::int64_t radius = 1; radius <= largest_radius; ++radius) {
    for (const std::int64_t count : {1, 5, 200}) {
      Answer answer{{2 * radius + 21, 2 * radius + 34}, {Star::of_radius(radius), count}};
      const Judgement judgement = answer.verdict();
      EXPECT_TRUE(judgement.right) << "radius " << radius << ", " << count << ": " << judgement.explanation;
    }
  }
}

TEST(StencilVerify, AcceptsGridsOfAnyMagnitude) {
  for (const double scale : {0.0, 0x1p-1060, 1e-300, 1e250}) {
    Answer answer{{30, 40}, {Star::of_radius(2), 9}, [scale](std::int64_t i, std::int64_t j) {
                    return scale * random_point(i, j);
                  }};
    const Judgement judgement = answer.verdict();
    EXPECT_TRUE(judgement.right) << scale << ": " << judgement.explanation;
  }
}

TEST(StencilVerify, RejectsOneWrongPointAnywhereAndNamesIt) {
  for (const std::int64_t radius : {1, 2, 5}) {
    Answer answer{{2 * radius + 11, 2 * radius + 14}, {Star::of_radius(radius), 6}};
    for (std::int64_t i = 0; i < answer.shape.rows; ++i) {
      for (std::int64_t j = 0; j < answer.shape.columns; ++j) {
        double& point = answer.grid.view()(i, j);
        const double right = point;
        for (const double wrong : {right + 1e-10, nan, -right}) {
          point = wrong;
          const Judgement judgement = answer.verdict();
          EXPECT_FALSE(judgement.right) << i << ", " << j << ", radius " << radius;
          const std::string place = "point (" + std::to_string(i) + ", " + std::to_string(j) + ")";
          EXPECT_NE(judgement.explanation.find(place), std::string::npos) << judgement.explanation;
        }
        point = right;
      }
    }
    EXPECT_TRUE(answer.verdict().right);
  }
}

TEST(StencilVerify, RejectsOneWrongPointWithoutTheHelpOfCones) {
  // So many sweeps that a cone is the whole grid, and too much work.
  Answer answer{{60, 70}, {Star::of_radius(1), 20000}};
  ASSERT_TRUE(answer.verdict().right) << answer.verdict().explanation;
  for (std::int64_t i = 1; i < 59; i += 3) {
    for (std::int64_t j = 1; j < 69; j += 3) {
      double& point = answer.grid.view()(i, j);
      const double right = point;
      point += 1e-6;
      EXPECT_FALSE(answer.verdict().right) << i << ", " << j;
      point = right;
    }
  }
}

TEST(StencilVerify, RejectsASweepTooFewAndOneTooMany) {
  for (const std::int64_t radius : {1, 3}) {
    for (const std::int64_t count : {1, 2, 16, 300}) {
      Answer answer{{40, 50}, {Star::of_radius(radius), count}};
      for (const std::int64_t other : {count - 1, count + 1}) {
        answer.grid = swept(answer.shape, {answer.sweeps.star, other}, random_point);
        EXPECT_FALSE(answer.verdict().right) << other << " in place of " << count << ", radius " << radius;
      }
    }
  }
}

TEST(StencilVerify, RejectsAnotherRadius) {
  Answer answer{{40, 50}, {Star::of_radius(2), 8}};
  answer.grid = swept(answer.shape, {Star::of_radius(1), 8}, random_point);
  EXPECT_FALSE(answer.verdict().right);
}

TEST(StencilVerify, RejectsWeightsInAnotherOrder) {
  Answer answer{{40, 50}, {Star::of_radius(2), 8}};
  Sweeps exchanged = answer.sweeps;
  std::swap(exchanged.star.weights[0], exchanged.star.weights[1]);
  answer.grid = swept(answer.shape, exchanged, random_point);
  EXPECT_FALSE(answer.verdict().right);
}

TEST(StencilVerify, RejectsAHaloRowThatIsOneSweepOld) {
  // The lower half of the grid takes the upper half's last row from before the last sweep.
  const GridShape shape{40, 50};
  Answer answer{shape, {Star::of_radius(1), 4}};
  Matrix<double> before = swept(shape, {Star::of_radius(1), 3}, random_point);
  const Matrix<double> older = swept(shape, {Star::of_radius(1), 2}, random_point);
  const View u = before.view();
  const ConstView stale = older.view();
  for (std::int64_t j = 1; j < 49; ++j) {
    answer.grid.view()(20, j) = 0.25 * ((stale(19, j) + u(21, j)) + (u(20, j - 1) + u(20, j + 1)));
  }
  const Judgement judgement = answer.verdict();
  EXPECT_FALSE(judgement.right);
  EXPECT_NE(judgement.explanation.find("(20, "), std::string::npos) << judgement.explanation;
  EXPECT_NE(judgement.explanation.find("1 row is wrong"), std::string::npos) << judgement.explanation;
}

TEST(StencilVerify, RejectsExchangedParts) {
  Answer answer{{32, 32}, {Star::of_radius(1), 4}};
  const View grid = answer.grid.view();
  for (std::int64_t i = 1; i < 16; ++i) {
    for (std::int64_t j = 1; j < 16; ++j) std::swap(grid(i, j), grid(i + 15, j + 15));
  }
  EXPECT_FALSE(answer.verdict().right);
}

TEST(StencilVerify, RejectsAChangedFrame) {
  Answer answer{{9, 9}, {Star::of_radius(3), 4}};
  answer.grid.view()(2, 5) += 1e-16;
  const Judgement judgement = answer.verdict();
  EXPECT_FALSE(judgement.right);
  EXPECT_NE(judgement.explanation.find("point (2, 5)"), std::string::npos) << judgement.explanation;
  EXPECT_NE(judgement.explanation.find("frame"), std::string::npos) << judgement.explanation;
}

TEST(StencilVerify, RefusesToJudgeWhatIsNotFinite) {
  Answer answer{{9, 9}, {Star::of_radius(1), 4}, [](std::int64_t i, std::int64_t j) {
                  return i == 4 && j == 4 ? nan : random_point(i, j);
                }};
  EXPECT_THROW(static_cast<void>(answer.verdict()), std::invalid_argument);
}

TEST(StencilVerify, RefusesAnAnswerOfAnotherShape) {
  Answer answer{{9, 9}, {Star::of_radius(1), 4}};
  const Matrix<double> other(9, 8);
  EXPECT_THROW(static_cast<void>(answer.judge.judge(other.view())), std::invalid_argument);
}

TEST(StencilDigest, DiffersWhereOnePointDoes) {
  Matrix<double> grid = grid_of({20, 30}, random_point);
  const Region whole{{0, 20}, {0, 30}};
  const std::string digest = digest_of_grid(grid.view(), whole, {.threads = 2});
  EXPECT_EQ(digest, digest_of_grid(grid.view(), whole, {.threads = 1}));
  std::swap(grid.view()(3, 4), grid.view()(4, 3));
  EXPECT_NE(digest, digest_of_grid(grid.view(), whole, {.threads = 1}));
}

TEST(Mode, OfRadiusOneIsASineWithTheKnownFactor) {
  for (const std::int64_t n : {1, 2, 10, 1000}) {
    for (const std::int64_t frequency : {std::int64_t{1}, (n + 1) / 2, n}) {
      const Mode mode = mode_near(n, Star::of_radius(1), frequency);
      const double angle = std::numbers::pi * static_cast<double>(frequency) / static_cast<double>(n + 1);
      EXPECT_NEAR(mode.factor, 0.5 * std::cos(angle), 1e-14);
    }
  }
}

TEST(Mode, LeavesARestOfRoundingAlone) {
  for (std::int64_t radius = 1; radius <= largest_radius; ++radius) {
    for (const std::int64_t n : {1, 2, 5, 40, 1000}) {
      const Mode mode = mode_near(n, Star::of_radius(radius), n / 3 + 1);
      EXPECT_LE(mode.rest, 1e-13 * mode.magnitude) << "radius " << radius << ", n " << n;
      EXPECT_LE(std::abs(mode.factor), 0.5 + 1e-14);
    }
  }
}

}  // namespace
}  // namespace duet
