#include <gtest/gtest.h>
#include <mpi.h>

#include <limits>
#include <string>
#include <vector>

#include "kernels/pipeline/cholesky/panel_exchange.hpp"
#include "tests/all_ranks.hpp"
#include "tests/pipeline/cholesky/reference.hpp"

namespace duet {
namespace {

const MPI_Comm world = MPI_COMM_WORLD;

/// Every grid of the ranks there are.
std::vector<Grid> grids() {
  std::vector<Grid> grids;
  const std::int64_t ranks = size_of(world);
  for (std::int64_t rows = 1; rows <= ranks; ++rows) {
    if (ranks % rows == 0) grids.push_back({rows, ranks / rows});
  }
  return grids;
}

struct Passing {
  const char* name;
  void (*factor)(const TileMatrix&, PanelExchange&, const Execution&);
  int threads;
};

class CholeskyRanks : public testing::TestWithParam<Passing> {
 protected:
  static void factor(const TileMatrix& a, PanelExchange& exchange, Timesheet* timesheet = nullptr) {
    GetParam().factor(a, exchange, {.threads = GetParam().threads, .communicator = world, .timesheet = timesheet});
  }
};

INSTANTIATE_TEST_SUITE_P(Models, CholeskyRanks,
                         testing::Values(Passing{"mpi", cholesky_mpi, 1}, Passing{"hybrid_1", cholesky_hybrid, 1},
                                         Passing{"hybrid_3", cholesky_hybrid, 3}),
                         [](const auto& passing) { return std::string{passing.param.name}; });

TEST_P(CholeskyRanks, GiveTheBitsOfTheSerialFactorOnEveryGrid) {
  for (const std::int64_t n : test_orders) {
    const Entry entry = random_definite(n);
    const TileMatrix base{TileLayout{n, 24}};
    fill(base, entry);
    cholesky_serial(base, {});
    const auto wanted = entries_of(base);
    for (const Grid grid : grids()) {
      const TileLayout layout{n, 24, grid};
      PanelExchange exchange{layout, world};
      const TileMatrix a{layout, rank_in(world)};
      for (int run = 0; run < 2; ++run) {
        fill(a, entry);
        factor(a, exchange);
        bool same = true;
        for (const auto& [place, value] : entries_of(a)) same = same && wanted.at(place) == value;
        ASSERT_TRUE(on_every_rank(same)) << n << " on " << grid.rows << "x" << grid.columns;
        const Judgement judgement = judge_cholesky(a, filling(entry), world, 3);
        ASSERT_TRUE(judgement.right) << judgement.explanation;
      }
    }
  }
}

TEST_P(CholeskyRanks, SendInPiecesOfAnyLimit) {
  const Entry entry = random_definite(97);
  for (const Grid grid : grids()) {
    for (const std::int64_t limit : {1, 100, 1000}) {
      const TileLayout layout{97, 24, grid};
      PanelExchange exchange{layout, world, limit == 1 ? 7 : limit};
      const TileMatrix a{layout, rank_in(world)};
      fill(a, entry);
      factor(a, exchange);
      const Judgement judgement = judge_cholesky(a, filling(entry), world, 3);
      ASSERT_TRUE(judgement.right) << judgement.explanation;
    }
  }
}

TEST_P(CholeskyRanks, NameTheSameBadPivotOnEveryRank) {
  constexpr std::int64_t n = 130;
  for (const Grid grid : grids()) {
    const TileLayout layout{n, 24, grid};
    PanelExchange exchange{layout, world};
    for (const std::int64_t row : {0, 1, 24, 71, 100, 129}) {
      const TileMatrix a{layout, rank_in(world)};
      fill(a, with_pivot(random_definite(n), row, row % 2 == 0 ? -1 : std::numeric_limits<double>::quiet_NaN()));
      std::int64_t found = -1;
      try {
        factor(a, exchange);
      } catch (const NotPositiveDefinite& error) {
        found = error.pivot();
      }
      ASSERT_TRUE(on_every_rank(found == row)) << found << " and not " << row;
      // Nothing is left over from it.
      fill(a, random_definite(n));
      factor(a, exchange);
      ASSERT_TRUE(judge_cholesky(a, filling(random_definite(n)), world, 3).right);
    }
  }
}

TEST_P(CholeskyRanks, BookUsefulTimeOnEveryRank) {
  const TileLayout layout{24 * 4 * size_of(world), 24, cholesky_grid(size_of(world))};
  PanelExchange exchange{layout, world};
  Timesheet timesheet{GetParam().threads};
  // A thread that waits for a core, of which there are fewer than threads, is late for many of these short runs.
  bool all_booked = false;
  for (int attempt = 0; attempt < 20'000 && !all_booked; ++attempt) {
    const TileMatrix a{layout, rank_in(world)};
    fill(a, random_definite(layout.n()));
    factor(a, exchange, &timesheet);
    bool booked = true;
    for (int thread = 0; thread < GetParam().threads; ++thread) booked = booked && timesheet.of(thread).useful > 0;
    all_booked = on_every_rank(booked);
  }
  EXPECT_TRUE(all_booked);
}

TEST_P(CholeskyRanks, RefuseTilesOfAnotherLayout) {
  const Grid grid = cholesky_grid(size_of(world));
  PanelExchange exchange{TileLayout{100, 24, grid}, world};
  const TileMatrix a{TileLayout{100, 48, grid}, rank_in(world)};
  EXPECT_THROW(factor(a, exchange), std::invalid_argument);
}

TEST(CholeskyVerifyRanks, RejectOneWrongEntryOfAnyRankAndNameTheProcess) {
  constexpr std::int64_t n = 100;
  const Entry entry = random_definite(n);
  for (const Grid grid : grids()) {
    const TileLayout layout{n, 24, grid};
    PanelExchange exchange{layout, world};
    const TileMatrix a{layout, rank_in(world)};
    fill(a, entry);
    cholesky_mpi(a, exchange, {});
    for (std::int64_t i = 0; i < layout.count(); ++i) {
      for (std::int64_t j = 0; j <= i; ++j) {
        const std::int64_t row = std::min(layout.begin(i) + 20, n - 1);
        const std::int64_t column = std::min(layout.begin(j) + 3, row);
        const double right = a.owns(i, j) ? a.entry(row, column) : 0;
        if (a.owns(i, j)) a.entry(row, column) += 1e-9;
        const Judgement judgement = judge_cholesky(a, filling(entry), world, 3);
        EXPECT_FALSE(judgement.right);
        const std::string name = "process " + std::to_string(layout.owner(i, j)) + " computed L(" +
                                 std::to_string(row) + ", " + std::to_string(column) + ")";
        EXPECT_NE(judgement.explanation.find(name), std::string::npos) << name << ": " << judgement.explanation;
        if (a.owns(i, j)) a.entry(row, column) = right;
      }
    }
    EXPECT_TRUE(judge_cholesky(a, filling(entry), world, 3).right);
  }
}

TEST(CholeskyVerifyRanks, RejectAPartThatIsMissing) {
  const Entry entry = random_definite(200);
  const TileLayout layout{200, 24, cholesky_grid(size_of(world))};
  PanelExchange exchange{layout, world};
  const TileMatrix a{layout, rank_in(world)};
  fill(a, entry);
  cholesky_mpi(a, exchange, {});
  if (rank_in(world) == size_of(world) - 1) fill(a, entry);
  EXPECT_FALSE(judge_cholesky(a, filling(entry), world, 3).right);
}

TEST(CholeskyProblemRanks, RefusesAGridThatDoesNotDivideTheRanks) {
  const Problem problem = cholesky_problem();
  const Variant& variant = problem.variant(Model::mpi);
  const std::string rows = std::to_string(size_of(world) + 1);
  const Execution execution{.communicator = world, .tunables = Settings{"", variant.tunables, {{"grid", rows}}}};
  EXPECT_THROW(variant.place(problem.pose("4", 1, {}), execution), std::invalid_argument);
}

}  // namespace
}  // namespace duet
