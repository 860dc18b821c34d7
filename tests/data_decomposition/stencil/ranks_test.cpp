#include <gtest/gtest.h>
#include <mpi.h>

#include <limits>
#include <string>

#include "kernels/data_decomposition/stencil/advance.hpp"
#include "tests/all_ranks.hpp"
#include "tests/data_decomposition/stencil/reference.hpp"
#include "tests/special_values.hpp"

namespace duet {
namespace {

const MPI_Comm world = MPI_COMM_WORLD;

/// The number of rows of every grid of the ranks there are.
std::vector<std::string> grids() {
  std::vector<std::string> grids;
  for (int rows = 1; rows <= size_of(world); ++rows) {
    if (size_of(world) % rows == 0) grids.push_back(std::to_string(rows));
  }
  return grids;
}

struct PassingVariant {
  Model model;
  int threads;
};
void PrintTo(const PassingVariant& variant, std::ostream* out) { *out << name_of(variant.model) << variant.threads; }

class StencilRanks : public testing::TestWithParam<PassingVariant> {
 protected:
  [[nodiscard]] Execution told(const std::map<std::string, std::string>& tunables) const {
    return with(GetParam().model, GetParam().threads, world, tunables);
  }
  void expect_definition(const GridShape& shape, const Sweeps& sweeps,
                         const std::map<std::string, std::string>& tunables,
                         const InitialGrid& initial = random_point) {
    Relaxation relaxation{GetParam().model, shape, sweeps, told(tunables), initial};
    relaxation.execute();
    const Matrix<double> right = swept(shape, sweeps, initial);
    const testing::AssertionResult equal = is_part_of(relaxation.owned(), relaxation.owned_in_whole(), right.view());
    EXPECT_TRUE(equal) << text_of(shape) << ", radius " << sweeps.star.radius << ", " << sweeps.count << " sweeps";
    ASSERT_TRUE(on_every_rank(bool{equal}));
  }
};

INSTANTIATE_TEST_SUITE_P(Models, StencilRanks,
                         testing::Values(PassingVariant{Model::mpi, 1}, PassingVariant{Model::hybrid, 1},
                                         PassingVariant{Model::hybrid, 2}, PassingVariant{Model::hybrid, 3}),
                         [](const auto& variant) {
                           return std::string{name_of(variant.param.model)} + std::to_string(variant.param.threads);
                         });

TEST_P(StencilRanks, AreBitwiseTheDefinitionForEveryShape) {
  for (const std::int64_t rows : test_extents) {
    for (const std::int64_t columns : test_extents) {
      for (const char* temporal : {"1", "3"}) {
        expect_definition({rows, columns}, {Star::of_radius(1), 5}, {{"temporal", temporal}});
        if (HasFatalFailure()) return;
      }
    }
  }
}

TEST_P(StencilRanks, AreBitwiseTheDefinitionOnEveryGridOfRanks) {
  for (const std::string& grid : grids()) {
    for (const char* temporal : {"1", "2", "4", "100"}) {
      for (const std::int64_t radius : {1, 2, 5}) {
        for (const GridShape shape : {GridShape{61, 83}, GridShape{30, 11}, GridShape{9, 200}}) {
          expect_definition(shape, {Star::of_radius(radius), 7},
                            {{"temporal", temporal}, {"grid", grid}, {"strip", "16"}});
          if (HasFatalFailure()) return;
        }
      }
    }
  }
}

TEST_P(StencilRanks, ReachOverBlocksThinnerThanTheRadius) {
  for (std::int64_t radius = 1; radius <= largest_radius; radius += 5) {
    for (const GridShape shape : {GridShape{35, 40}, GridShape{2 * radius + 1, 2 * radius + 3}, GridShape{200, 33}}) {
      expect_definition(shape, {Star::of_radius(radius), 3}, {{"temporal", "3"}});
      if (HasFatalFailure()) return;
      expect_definition(shape, {Star::of_radius(radius), 3}, {{"grid", std::to_string(size_of(world))}});
      if (HasFatalFailure()) return;
    }
  }
}

TEST_P(StencilRanks, CarryNaNAcrossRanks) {
  const auto initial = [](std::int64_t i, std::int64_t j) {
    return i == 15 && j == 20 ? nan : i == 3 && j == 39 ? -std::numeric_limits<double>::infinity() : random_point(i, j);
  };
  for (const std::string& grid : grids()) {
    expect_definition({31, 40}, {Star::of_radius(1), 9}, {{"grid", grid}, {"temporal", "3"}}, initial);
    if (HasFatalFailure()) return;
  }
}

TEST_P(StencilRanks, StartFromTheSameGridEachTimeAndHaveOneDigest) {
  Relaxation relaxation{GetParam().model, {45, 52}, {Star::of_radius(2), 6}, told({}), random_point};
  Relaxation alone{
      Model::serial, {45, 52}, {Star::of_radius(2), 6}, with(Model::serial, 1, MPI_COMM_NULL, {}), random_point};
  alone.execute();
  for (int repetition = 0; repetition < 2; ++repetition) {
    relaxation.execute();
    EXPECT_TRUE(on_every_rank(relaxation.digest() == alone.digest()));
  }
  const std::map<std::string, std::string> facts = relaxation.facts();
  EXPECT_TRUE(agree(facts.at("grid") + " " + facts.at("temporal")));
}

TEST_P(StencilRanks, RefuseBlocksThatAreNotTheirs) {
  const BlockLayout layout{{40, 50}, 1, 2, size_of(world)};
  const RankBlock block{layout, world};
  Matrix<double> grid(block.local_shape().rows + 1, block.local_shape().columns);
  const Sweeps sweeps{Star::of_radius(1), 2};
  const auto run = [&](const Sweeps& by, View view) {
    return GetParam().model == Model::mpi ? stencil_mpi(block, by, view, view, told({}))
                                          : stencil_hybrid(block, by, view, view, told({}));
  };
  EXPECT_THROW(static_cast<void>(run(sweeps, grid.view())), std::invalid_argument);
  const View fitting = grid.view().block(0, 0, block.local_shape().rows, block.local_shape().columns);
  EXPECT_THROW(static_cast<void>(run({Star::of_radius(3), 2}, fitting)), std::invalid_argument);
}

TEST_P(StencilRanks, BookUsefulTimeOnEveryThread) {
  Timesheet timesheet{GetParam().threads};
  Execution execution = told({});
  execution.timesheet = &timesheet;
  Relaxation relaxation{GetParam().model, {1000, 1000}, {Star::of_radius(1), 4}, execution, random_point};
  bool all_booked = false;
  // Which thread gets a piece is chance on a busy machine; it evens out.
  for (int attempt = 0; attempt < 200 && !all_booked; ++attempt) {
    relaxation.execute();
    bool booked = true;
    for (int thread = 0; thread < GetParam().threads; ++thread) booked = booked && timesheet.of(thread).useful > 0;
    all_booked = on_every_rank(booked);
  }
  EXPECT_TRUE(all_booked);
  EXPECT_TRUE(on_every_rank(size_of(world) == 1 || timesheet.of(0).communicating > 0));
}

TEST_P(StencilRanks, RefuseAGridThatDoesNotDivideTheRanks) {
  const std::string rows = std::to_string(size_of(world) + 1);
  EXPECT_THROW((Relaxation{GetParam().model, {40, 50}, {Star::of_radius(1), 2}, told({{"grid", rows}}), random_point}),
               std::invalid_argument);
}

TEST(HaloExchange, CarriesHalosInPiecesOfAnyLimit) {
  const GridShape shape{47, 59};
  for (const std::string& rows : grids()) {
    const BlockLayout layout{shape, 2, 2, size_of(world), std::stoll(rows)};
    const RankBlock block{layout, world};
    const std::int64_t depth = layout.temporal();
    const std::int64_t halo = 2 * depth;
    for (const std::int64_t limit : {1, 3, 30, 100000}) {
      Matrix<double> local(block.local_shape().rows, block.local_shape().columns);
      std::fill_n(local.data(), local.rows() * local.columns(), nan);
      const Region owned = block.owned();
      const auto whole = [&](std::int64_t i, std::int64_t j) {
        return random_point(i + block.first_row(), j + block.first_column());
      };
      for (std::int64_t i = owned.rows.begin; i < owned.rows.end; ++i) {
        for (std::int64_t j = owned.columns.begin; j < owned.columns.end; ++j) local.view()(i, j) = whole(i, j);
      }
      HaloExchange exchange{block, limit};
      exchange.start(local.view(), depth);
      exchange.progress();
      exchange.wait();
      bool is_right = true;
      for (std::int64_t i = 0; i < local.rows(); ++i) {
        for (std::int64_t j = 0; j < local.columns(); ++j) {
          const std::int64_t down = std::max({owned.rows.begin - i, i - owned.rows.end + 1, std::int64_t{0}});
          const std::int64_t right = std::max({owned.columns.begin - j, j - owned.columns.end + 1, std::int64_t{0}});
          // Straight halos are r t wide, diagonal ones r (t - 1), and what lies beyond is left alone.
          const bool is_set = down > 0 && right > 0 ? down <= halo - 2 && right <= halo - 2 : down + right <= halo;
          const double value = local.view()(i, j);
          is_right = is_right && (is_set ? value == whole(i, j) : std::isnan(value));
        }
      }
      ASSERT_TRUE(on_every_rank(is_right)) << "limit " << limit << ", " << rows << " rows of ranks";
    }
  }
}

TEST(BlockLayout, GivesEveryPointOneOwnerAndEveryBlockItsHalo) {
  for (const std::int64_t rows : test_extents) {
    for (const std::int64_t columns : test_extents) {
      for (const int ranks : {1, 2, 3, 4, 7, 12}) {
        for (const std::int64_t radius : {1, 4, 16}) {
          const BlockLayout layout{{rows, columns}, radius, 5, ranks};
          std::int64_t points = 0;
          ASSERT_LE(layout.ranks().size(), ranks);
          ASSERT_GE(layout.temporal(), 1);
          for (std::int64_t rank = 0; rank < ranks; ++rank) {
            const Region owned = layout.owned_by(rank);
            points += owned.points();
            if (rank >= layout.ranks().size()) continue;
            const std::int64_t halo = radius * layout.temporal();
            EXPECT_TRUE(layout.ranks().rows == 1 || owned.rows.size() >= halo);
            EXPECT_TRUE(layout.ranks().columns == 1 || owned.columns.size() >= halo);
          }
          EXPECT_EQ(points, rows * columns);
        }
      }
    }
  }
}

TEST(StencilVerifyRanks, RejectsOneWrongPointOfAnyRankAndNamesTheProcess) {
  const GridShape shape{35, 44};
  const Sweeps sweeps{Star::of_radius(1), 5};
  for (const std::string& grid : grids()) {
    Relaxation relaxation{Model::mpi, shape, sweeps, with(Model::mpi, 1, world, {{"grid", grid}}), random_point};
    relaxation.execute();
    ASSERT_TRUE(on_every_rank(relaxation.verify(11).right));
    for (int culprit = 0; culprit < size_of(world); ++culprit) {
      const Region owned = relaxation.layout().owned_by(culprit);
      const std::int64_t row = std::clamp<std::int64_t>(owned.rows.end - 1, 1, shape.rows - 2);
      const std::int64_t column = std::clamp<std::int64_t>(owned.columns.begin, 1, shape.columns - 2);
      const bool is_mine = culprit == rank_in(world);
      double room = 0;
      double& point = is_mine ? relaxation.owned()(row - owned.rows.begin, column - owned.columns.begin) : room;
      const double right = point;
      for (const double wrong : {right + 1e-10, nan}) {
        point = wrong;
        const Judgement judgement = relaxation.verify(11);
        EXPECT_TRUE(agree(judgement.explanation + std::to_string(judgement.error)));
        EXPECT_FALSE(judgement.right);
        const std::string place = "point (" + std::to_string(row) + ", " + std::to_string(column) + ")";
        EXPECT_NE(judgement.explanation.find(place), std::string::npos) << judgement.explanation;
        EXPECT_NE(judgement.explanation.find("process " + std::to_string(culprit)), std::string::npos)
            << judgement.explanation;
      }
      point = right;
    }
    EXPECT_TRUE(relaxation.verify(11).right);
  }
}

TEST(StencilVerifyRanks, RejectsAHaloThatWasNotRenewed) {
  // Two passes of one sweep where the second one works on the halo of the first.
  const GridShape shape{36, 45};
  const BlockLayout layout{shape, 1, 1, size_of(world)};
  const RankBlock block{layout, world};
  GridMemory first{block.local_shape().rows, block.local_shape().columns};
  GridMemory second{block.local_shape().rows, block.local_shape().columns};
  const View grid = first.view();
  const Region owned = block.owned();
  for (std::int64_t i = owned.rows.begin; i < owned.rows.end; ++i) {
    for (std::int64_t j = owned.columns.begin; j < owned.columns.end; ++j) {
      grid(i, j) = random_point(i + block.first_row(), j + block.first_column());
    }
  }
  HaloExchange exchange{block};
  exchange.start(grid, 1);
  exchange.wait();
  const auto sweep = [&](View from, View to) {
    std::copy_n(from.data, from.rows * from.stride, to.data);
    const Pass pass{from, to, block.interior(), Star::of_radius(1), 1, 1000, Stores::cached};
    advance(pass, common_part(block.interior(), owned));
  };
  sweep(grid, second.view());
  sweep(second.view(), grid);
  StencilJudge judge{shape, {Star::of_radius(1), 2}, random_point, block.owned_in_whole(), 11, {.ranks = world}};
  const View answer = grid.block(owned.rows.begin, owned.columns.begin, owned.rows.size(), owned.columns.size());
  EXPECT_EQ(judge.judge(answer).right, size_of(world) == 1);
}

TEST(StencilProblemRanks, PlacesExecutesAndJudges) {
  const Problem problem = stencil_problem();
  for (const Model model : {Model::mpi, Model::hybrid}) {
    for (const char* size : {"0", "1", "33", "1x50", "50x1", "3x0", "120x56"}) {
      for (const char* radius : {"1", "3"}) {
        const Instance instance = problem.pose(size, 3, {{"radius", radius}});
        const Variant& variant = problem.variant(model);
        const Execution execution = with(model, model == Model::hybrid ? 2 : 1, world, {});
        const Placed placed = variant.place(instance, execution);
        for (int repetition = 0; repetition < 2; ++repetition) {
          placed.reset();
          placed.execute();
          const Judgement judgement = placed.verify();
          ASSERT_TRUE(on_every_rank(judgement.right)) << size << ": " << judgement.explanation;
        }
        // The grid before the sweeps is no answer where something changes.
        placed.reset();
        const bool changes = instance.extents[0] > 6 && instance.extents[1] > 6;
        if (changes) {
          EXPECT_FALSE(placed.verify().right);
        }
      }
    }
  }
}

}  // namespace
}  // namespace duet
