#include <gtest/gtest.h>
#include <hwy/targets.h>
#include <oneapi/tbb/global_control.h>

#include "kernels/core/tbb_team.hpp"
#include "kernels/data_decomposition/stencil/passes.hpp"
#include "kernels/data_decomposition/stencil/pieces.hpp"
#include "tests/data_decomposition/stencil/reference.hpp"
#include "tests/special_values.hpp"

namespace duet {
namespace {

struct SharedVariant {
  Model model;
  int threads;
};
void PrintTo(const SharedVariant& variant, std::ostream* out) { *out << name_of(variant.model) << variant.threads; }

class StencilShared : public testing::TestWithParam<SharedVariant> {
 protected:
  testing::AssertionResult sweeps_right(const GridShape& shape, const Sweeps& sweeps,
                                        const std::map<std::string, std::string>& tunables,
                                        const InitialGrid& initial = random_point) {
    const auto [model, threads] = GetParam();
    Relaxation relaxation{model, shape, sweeps, with(model, threads, MPI_COMM_NULL, tunables), initial};
    relaxation.execute();
    const Matrix<double> right = swept(shape, sweeps, initial);
    return is_part_of(relaxation.owned(), relaxation.owned_in_whole(), right.view());
  }

  oneapi::tbb::global_control workers_{oneapi::tbb::global_control::max_allowed_parallelism, 7};
};

INSTANTIATE_TEST_SUITE_P(Models, StencilShared,
                         testing::Values(SharedVariant{Model::serial, 1}, SharedVariant{Model::openmp, 1},
                                         SharedVariant{Model::openmp, 2}, SharedVariant{Model::openmp, 7},
                                         SharedVariant{Model::tbb, 1}, SharedVariant{Model::tbb, 2},
                                         SharedVariant{Model::tbb, 7}),
                         [](const auto& variant) {
                           return std::string{name_of(variant.param.model)} + std::to_string(variant.param.threads);
                         });

TEST_P(StencilShared, AreBitwiseTheDefinitionForEveryShape) {
  for (const std::int64_t rows : test_extents) {
    for (const std::int64_t columns : test_extents) {
      for (const std::int64_t count : {0, 1, 5}) {
        const GridShape shape{rows, columns};
        ASSERT_TRUE(sweeps_right(shape, {Star::of_radius(1), count}, {})) << text_of(shape) << ", " << count;
      }
    }
  }
}

TEST_P(StencilShared, AreBitwiseTheDefinitionForEveryRadius) {
  for (std::int64_t radius = 1; radius <= largest_radius; ++radius) {
    for (const GridShape shape :
         {GridShape{41, 67}, GridShape{2 * radius + 1, 50}, GridShape{50, 2 * radius + 1}, GridShape{2 * radius, 50}}) {
      for (const char* temporal : {"1", "3"}) {
        ASSERT_TRUE(sweeps_right(shape, {Star::of_radius(radius), 4}, {{"temporal", temporal}, {"strip", "8"}}))
            << "radius " << radius << ", " << text_of(shape) << ", temporal " << temporal;
      }
    }
  }
}

TEST_P(StencilShared, AreBitwiseTheDefinitionForEveryTunable) {
  for (const char* temporal : {"1", "2", "3", "8", "100"}) {
    for (const char* strip : {"0", "1", "8", "24", "1000"}) {
      for (const char* stores : {"cached", "streaming"}) {
        for (const std::int64_t radius : {1, 3}) {
          ASSERT_TRUE(sweeps_right({61, 83}, {Star::of_radius(radius), 11},
                                   {{"temporal", temporal}, {"strip", strip}, {"stores", stores}}))
              << "temporal " << temporal << ", strip " << strip << ", stores " << stores << ", radius " << radius;
        }
      }
    }
  }
}

TEST_P(StencilShared, AreBitwiseTheDefinitionWherePartsAreCutIntoPieces) {
#ifdef __SANITIZE_THREAD__
  if (GetParam().model == Model::tbb) {
    GTEST_SKIP()
        << "ThreadSanitizer pays for every access that TBB orders behind its back: half a minute for this grid";
  }
#endif
  ASSERT_TRUE(sweeps_right({1501, 1203}, {Star::of_radius(1), 6}, {{"temporal", "3"}}));
}

TEST_P(StencilShared, CarryNaNAndInfinitiesAsFarAsSweepsReach) {
  const GridShape shape{23, 29};
  for (const auto& [value, row, column] :
       {std::tuple{nan, 11, 13}, std::tuple{infinity, 5, 20}, std::tuple{-infinity, 0, 7}, std::tuple{nan, 22, 0}}) {
    const auto initial = [value = value, at_row = row, at_column = column](std::int64_t i, std::int64_t j) {
      if (i == 6 && j == 21) return -infinity;
      return i == at_row && j == at_column ? value : random_point(i, j);
    };
    for (const char* temporal : {"1", "4"}) {
      EXPECT_TRUE(sweeps_right(shape, {Star::of_radius(2), 4}, {{"temporal", temporal}, {"strip", "8"}}, initial));
    }
  }
}

TEST_P(StencilShared, CarrySubnormals) {
  const auto initial = [](std::int64_t i, std::int64_t j) { return 0x1p-1060 * random_point(i, j); };
  EXPECT_TRUE(sweeps_right({33, 40}, {Star::of_radius(1), 7}, {}, initial));
}

TEST_P(StencilShared, TakeViewsOfAnyStrideAndAlignment) {
  const auto [model, threads] = GetParam();
  const Sweeps sweeps{Star::of_radius(1), 5};
  const Matrix<double> right = swept({20, 37}, sweeps, random_point);
  for (const std::int64_t shift : {0, 1, 5}) {
    Matrix<double> room(44, 51);
    std::fill_n(room.data(), 44 * 51, nan);
    const View grid = room.view().block(1, shift, 20, 37);
    const View scratch = room.view().block(23, shift, 20, 37);
    for (std::int64_t i = 0; i < 20; ++i) {
      for (std::int64_t j = 0; j < 37; ++j) grid(i, j) = random_point(i, j);
    }
    const Execution execution = with(model, threads, MPI_COMM_NULL, {{"temporal", "2"}, {"stores", "streaming"}});
    const View answer = model == Model::serial   ? stencil_serial(sweeps, grid, scratch, execution)
                        : model == Model::openmp ? stencil_openmp(sweeps, grid, scratch, execution)
                                                 : stencil_tbb(sweeps, grid, scratch, execution);
    EXPECT_TRUE(is_part_of(answer, {{0, 20}, {0, 37}}, right.view())) << "shift " << shift;
    // Nothing beside the two views is touched.
    for (std::int64_t i = 0; i < 44; ++i) {
      const bool between = i < 1 || (i >= 21 && i < 23) || i >= 43;
      for (std::int64_t j = 0; j < 51; ++j) {
        if (between || j < shift || j >= shift + 37) {
          ASSERT_TRUE(std::isnan(room.view()(i, j))) << i << ", " << j;
        }
      }
    }
  }
}

TEST_P(StencilShared, StartFromTheSameGridEachTime) {
  const auto [model, threads] = GetParam();
  Relaxation relaxation{
      model, {31, 40}, {Star::of_radius(1), 3}, with(model, threads, MPI_COMM_NULL, {}), random_point};
  relaxation.execute();
  const std::string once = relaxation.digest();
  relaxation.execute();
  EXPECT_EQ(relaxation.digest(), once);
  EXPECT_TRUE(relaxation.verify(3).right);
}

TEST_P(StencilShared, RefuseWhatDoesNotFit) {
  const auto [model, threads] = GetParam();
  Matrix<double> grid = grid_of({9, 9}, random_point);
  Matrix<double> narrow = grid_of({9, 8}, random_point);
  const Execution execution = with(model, threads, MPI_COMM_NULL, {});
  const auto run = [&, model = model](const Sweeps& sweeps, View scratch) {
    return model == Model::serial   ? stencil_serial(sweeps, grid.view(), scratch, execution)
           : model == Model::openmp ? stencil_openmp(sweeps, grid.view(), scratch, execution)
                                    : stencil_tbb(sweeps, grid.view(), scratch, execution);
  };
  EXPECT_THROW(static_cast<void>(run({Star::of_radius(1), 1}, narrow.view())), std::invalid_argument);
  EXPECT_THROW(static_cast<void>(run({Star::of_radius(1), -1}, grid.view())), std::invalid_argument);
  EXPECT_THROW(static_cast<void>(Star::of_radius(0)), std::invalid_argument);
  EXPECT_THROW(static_cast<void>(Star::of_radius(largest_radius + 1)), std::invalid_argument);
}

TEST(RowSweep, GivesTheSameBitsOnEveryInstructionSet) {
  const std::string best = row_sweep_code_path();
  std::int64_t sets = hwy::SupportedTargets();
  for (; sets != 0; sets &= sets - 1) {
    hwy::GetChosenTarget().Update(sets & -sets);
    for (const std::int64_t radius : {1, 2, 7}) {
      for (const std::int64_t columns : {2 * radius + 3, std::int64_t{40}, std::int64_t{67}}) {
        for (const char* stores : {"cached", "streaming"}) {
          const GridShape shape{37, columns};
          const Sweeps sweeps{Star::of_radius(radius), 5};
          Relaxation relaxation{Model::serial, shape, sweeps,
                                with(Model::serial, 1, MPI_COMM_NULL, {{"temporal", "3"}, {"stores", stores}}),
                                random_point};
          relaxation.execute();
          const Matrix<double> right = swept(shape, sweeps, random_point);
          EXPECT_TRUE(is_part_of(relaxation.owned(), relaxation.owned_in_whole(), right.view()))
              << row_sweep_code_path() << ", radius " << radius << ", " << text_of(shape);
        }
      }
    }
  }
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
  EXPECT_EQ(row_sweep_code_path(), best);
}

TEST(Star, HasWeightsThatSumToOne) {
  EXPECT_EQ(Star::of_radius(1).weight(1), 0.25);
  for (std::int64_t radius = 1; radius <= largest_radius; ++radius) {
    const Star star = Star::of_radius(radius);
    double sum = 0;
    for (std::int64_t d = 1; d <= radius; ++d) sum += 4 * star.weight(d);
    EXPECT_NEAR(sum, 1, 1e-15);
  }
}

TEST(PassDepths, AreEvenAndAddUp) {
  EXPECT_TRUE(pass_depths(0, 8).empty());
  EXPECT_EQ(pass_depths(10, 8), (std::vector<std::int64_t>{5, 5}));
  EXPECT_EQ(pass_depths(7, 3), (std::vector<std::int64_t>{3, 2, 2}));
  EXPECT_EQ(pass_depths(3, 100), (std::vector<std::int64_t>{3}));
}

TEST(Pieces, CoverEveryPointOnce) {
  for (const Region whole : {Region{{1, 40}, {2, 50}}, Region{{1, 2}, {1, 900}}, Region{{3, 3000}, {1, 2}},
                             Region{{1, 1}, {0, 5}}, Region{{5, 2005}, {7, 1007}}}) {
    for (const int threads : {1, 2, 3, 7}) {
      for (const std::int64_t overlap : {0, 7}) {
        const Pieces pieces = pieces_of(whole, threads, 8, overlap);
        std::vector<int> times(static_cast<std::size_t>(whole.points()));
        for (const Region& piece : pieces.regions) {
          EXPECT_FALSE(piece.empty());
          for (std::int64_t i = piece.rows.begin; i < piece.rows.end; ++i) {
            for (std::int64_t j = piece.columns.begin; j < piece.columns.end; ++j) {
              times.at(static_cast<std::size_t>((i - whole.rows.begin) * whole.columns.size() + j -
                                                whole.columns.begin)) += 1;
            }
          }
        }
        EXPECT_TRUE(std::ranges::all_of(times, [](int time) { return time == 1; })) << threads;
      }
    }
  }
}

TEST(PieceQueue, HandsOutEachPieceOnceEvenWhereAWorkerNeverComes) {
  const Pieces pieces = pieces_of(Region{{0, 4000}, {0, 2000}}, 3, 8, 7);
  ASSERT_EQ(pieces.leading, 3);
  ASSERT_GT(pieces.count(), 3);
  PieceQueue queue{pieces};
  std::vector<int> times(static_cast<std::size_t>(pieces.count()));
  EXPECT_EQ(queue.next(1), 1);
  ++times[1];
  for (std::int64_t piece = queue.next(0); piece >= 0; piece = queue.next(0)) ++times[static_cast<std::size_t>(piece)];
  EXPECT_TRUE(std::ranges::all_of(times, [](int time) { return time == 1; }));
  EXPECT_EQ(queue.next(2), -1);
}

}  // namespace
}  // namespace duet
