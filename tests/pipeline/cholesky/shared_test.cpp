#include <gtest/gtest.h>
#include <oneapi/tbb/global_control.h>

#include <limits>

#include "kernels/core/tbb_team.hpp"
#include "tests/pipeline/cholesky/reference.hpp"
#include "tests/special_values.hpp"

namespace duet {
namespace {

struct Shared {
  const char* name;
  void (*factor)(const TileMatrix&, const Execution&);
  int most_threads;
};

class CholeskyShared : public testing::TestWithParam<Shared> {
 protected:
  static void factor(const TileMatrix& a, int threads, Timesheet* timesheet = nullptr) {
    GetParam().factor(a, {.threads = threads, .timesheet = timesheet});
  }
};

void factor_by_tbb(const TileMatrix& a, const Execution& execution) { cholesky_tbb(a, execution); }

INSTANTIATE_TEST_SUITE_P(Models, CholeskyShared,
                         testing::Values(Shared{"serial", cholesky_serial, 1}, Shared{"openmp", cholesky_openmp, 3},
                                         Shared{"tbb", factor_by_tbb, 3}),
                         [](const auto& shared) { return std::string{shared.param.name}; });

TEST_P(CholeskyShared, GiveTheFactorOfEveryOrder) {
  for (const std::int64_t n : test_orders) {
    const Entry entry = random_definite(n);
    const std::vector<double> l = factor_by_definition(n, entry);
    for (const std::int64_t tile : {24, 48, 240}) {
      for (int threads = 1; threads <= GetParam().most_threads; ++threads) {
        const TileMatrix a{TileLayout{n, tile}};
        fill(a, entry);
        factor(a, threads);
        for (std::int64_t i = 0; i < n; ++i) {
          for (std::int64_t j = 0; j <= i; ++j) {
            // The matrix is so well conditioned that entries of L agree to a few roundings of the largest.
            ASSERT_NEAR(a.entry(i, j), l[static_cast<std::size_t>(i * n + j)], 1e-14 * static_cast<double>(n + 1))
                << n << ": " << i << ", " << j;
          }
        }
        const Judgement judgement = judge_cholesky(a, filling(entry), MPI_COMM_NULL, 3);
        EXPECT_TRUE(judgement.right) << judgement.explanation;
      }
    }
  }
}

TEST_P(CholeskyShared, GiveTheSameBitsInEveryRunAndAsTheSerialOne) {
  constexpr std::int64_t n = 301;
  const Entry entry = random_definite(n);
  const TileMatrix base{TileLayout{n, 24}};
  fill(base, entry);
  cholesky_serial(base, {});
  const auto wanted = entries_of(base);
  for (int run = 0; run < 5; ++run) {
    const TileMatrix a{TileLayout{n, 24}};
    fill(a, entry);
    factor(a, GetParam().most_threads);
    EXPECT_EQ(entries_of(a), wanted);
  }
}

TEST_P(CholeskyShared, NameTheFirstBadPivot) {
  constexpr std::int64_t n = 130;
  for (const std::int64_t row : {0, 1, 23, 24, 71, 100, 129}) {
    for (const double value : {-1.0, 0.0, nan}) {
      for (int threads = 1; threads <= GetParam().most_threads; ++threads) {
        const TileMatrix a{TileLayout{n, 24}};
        fill(a, with_pivot(random_definite(n), row, value));
        try {
          factor(a, threads);
          FAIL() << "no error for pivot " << row;
        } catch (const NotPositiveDefinite& error) {
          EXPECT_EQ(error.pivot(), row);
          EXPECT_NE(std::string{error.what()}.find("pivot " + std::to_string(row)), std::string::npos) << error.what();
        }
      }
    }
  }
}

TEST_P(CholeskyShared, NameThePivotThatNaNOffTheDiagonalSpoils) {
  const Entry entry = random_definite(100);
  const TileMatrix a{TileLayout{100, 24}};
  fill(a, [&](std::int64_t i, std::int64_t j) {
    return i == 60 && j == 10 ? std::numeric_limits<double>::quiet_NaN() : entry(i, j);
  });
  try {
    factor(a, GetParam().most_threads);
    FAIL() << "NaN passed for a factor";
  } catch (const NotPositiveDefinite& error) {
    EXPECT_EQ(error.pivot(), 60);
  }
}

TEST_P(CholeskyShared, AnswerMatricesOfTinyAndHugeEntries) {
  for (const double scale : {1e-300, 1e-150, 1e150, 1e300}) {
    const Entry entry = random_definite(60);
    const Entry scaled = [&](std::int64_t i, std::int64_t j) { return scale * entry(i, j); };
    const TileMatrix a{TileLayout{60, 24}};
    fill(a, scaled);
    factor(a, GetParam().most_threads);
    const Judgement judgement = judge_cholesky(a, filling(scaled), MPI_COMM_NULL, 3);
    EXPECT_TRUE(judgement.right) << scale << ": " << judgement.explanation;
  }
}

TEST_P(CholeskyShared, AnswerNearlySingularMatricesWithinTheBound) {
  // The Hilbert matrix of order 11 is positive definite with a condition number of 1e15.
  const Entry hilbert = [](std::int64_t i, std::int64_t j) { return 1.0 / static_cast<double>(i + j + 1); };
  const TileMatrix a{TileLayout{11, 24}};
  fill(a, hilbert);
  factor(a, GetParam().most_threads);
  const Judgement judgement = judge_cholesky(a, filling(hilbert), MPI_COMM_NULL, 3);
  EXPECT_TRUE(judgement.right) << judgement.explanation;
}

TEST_P(CholeskyShared, BookUsefulTimeOfEveryThread) {
  constexpr std::int64_t n = 700;
  const int threads = GetParam().most_threads;
  // TBB starts no more workers than there are cores unless it is told so.
  const oneapi::tbb::global_control workers{oneapi::tbb::global_control::max_allowed_parallelism,
                                            static_cast<std::size_t>(threads)};
  Timesheet timesheet{threads};
  bool all = false;
  // Which thread gets a task is chance on a busy machine; it evens out.
  for (int attempt = 0; attempt < 200 && !all; ++attempt) {
    const TileMatrix a{TileLayout{n, 48}};
    fill(a, [](std::int64_t i, std::int64_t j) { return i == j ? 2.0 * n : 1.0; });
    factor(a, threads, &timesheet);
    all = true;
    for (int thread = 0; thread < threads; ++thread) all = all && timesheet.of(thread).useful > 0;
  }
  EXPECT_TRUE(all);
}

TEST_P(CholeskyShared, RefuseAMatrixOverRanks) {
  const TileMatrix a{TileLayout{100, 24, {1, 2}}, 0};
  EXPECT_THROW(factor(a, 1), std::invalid_argument);
}

TEST(CholeskyProblem, RefusesAMatrixThatItsShiftDoesNotMakeDefinite) {
  const Problem problem = cholesky_problem();
  for (const Model model : {Model::serial, Model::openmp, Model::tbb}) {
    const Placed placed = problem.variant(model).place(
        problem.pose("300", 1, {{"shift", "5"}}),
        {.threads = model == Model::serial ? 1 : 2, .tunables = Settings{"", problem.variant(model).tunables, {}}});
    placed.reset();
    EXPECT_THROW(placed.execute(), NotPositiveDefinite);
  }
}

TEST(CholeskyProblem, FindsAnUntouchedMatrixWrong) {
  const Problem problem = cholesky_problem();
  const Placed placed = problem.variant(Model::serial).place(problem.pose("100", 1, {}), {.threads = 1});
  placed.reset();
  EXPECT_FALSE(placed.verify().right);
  placed.execute();
  EXPECT_TRUE(placed.verify().right);
  placed.reset();
  EXPECT_FALSE(placed.verify().right);
}

TEST(CholeskyProblem, CountsTheTextbooksOperations) {
  const Problem problem = cholesky_problem();
  // n = 3: three roots, three divisions, and 1 + 1 + 1 + 1 multiplications with as many subtractions.
  EXPECT_EQ(problem.work(problem.pose("3", 1, {})).operations, 14);
  EXPECT_EQ(problem.work(problem.pose("1", 1, {})).operations, 1);
}

}  // namespace
}  // namespace duet
