#include <gtest/gtest.h>
#include <mpi.h>

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include "kernels/divide_and_conquer/strassen/strassen.hpp"
#include "kernels/product/judge.hpp"
#include "tests/all_ranks.hpp"
#include "tests/divide_and_conquer/strassen/reference.hpp"

namespace duet {
namespace {

const std::vector<RankPlan::Steps> all_steps{{0, 0, 0}, {1, 0, 0}, {2, 0, 0}, {0, 1, 0},
                                             {1, 1, 0}, {0, 1, 1}, {1, 1, 1}, {0, 2, 0}};

/// This rank's parts of a random product.
template <class Element>
struct Parts {
  Parts(const RankPlan& plan, std::int64_t limit = largest_mpi_count)
      : ranks{plan, MPI_COMM_WORLD, limit},
        a{part(plan.rows(ranks.rank()), plan.a_columns(ranks.rank()), plan.shape().m, plan.shape().k, 0)},
        b{part(plan.b_rows(ranks.rank()), plan.columns(ranks.rank()), plan.shape().k, plan.shape().n, 1)},
        c{plan.rows(ranks.rank()).size(), plan.columns(ranks.rank()).size()} {
    std::fill_n(c.data(), c.rows() * c.columns(), std::numeric_limits<Element>::quiet_NaN());
  }
  static Matrix<Element> part(const Runs& rows, const Runs& columns, std::int64_t m, std::int64_t n,
                              std::uint32_t stream) {
    const Matrix<Element> whole = random_matrix<Element>(m, n, stream);
    Matrix<Element> mine{rows.size(), columns.size()};
    for (std::int64_t i = 0; i < rows.size(); ++i) {
      for (std::int64_t j = 0; j < columns.size(); ++j) {
        mine.view()(i, j) = rows[i] < m && columns[j] < n ? whole.view()(rows[i], columns[j]) : Element{0};
      }
    }
    return mine;
  }
  [[nodiscard]] StrassenParts<Element> mine() { return {ranks, a.view(), b.view(), c.view()}; }

  [[nodiscard]] testing::AssertionResult is_right() const {
    const RankPlan& plan = ranks.plan();
    const StrassenShape& shape = plan.shape();
    const Matrix<Element> whole_a = random_matrix<Element>(shape.m, shape.k, 0);
    const Matrix<Element> whole_b = random_matrix<Element>(shape.k, shape.n, 1);
    const double error = strassen_error(plan.padded().k, plan.steps().levels());
    const Runs rows = plan.rows(ranks.rank());
    const Runs columns = plan.columns(ranks.rank());
    for (std::int64_t i = 0; i < rows.size(); ++i) {
      for (std::int64_t j = 0; j < columns.size(); ++j) {
        if (rows[i] >= shape.m || columns[j] >= shape.n) continue;
        const testing::AssertionResult right =
            is_entry<Element>(whole_a.view(), whole_b.view(), rows[i], columns[j], c.view()(i, j), error);
        if (!right) return right;
      }
    }
    return testing::AssertionSuccess();
  }
  [[nodiscard]] Judgement judge() const {
    const RankPlan& plan = ranks.plan();
    const std::int64_t rank = ranks.rank();
    const int levels = plan.steps().levels();
    return duet::judge(
        OwnedProduct<Element>{ranks.all(), ranks.along_row(), ranks.along_column(), plan.padded().m, plan.padded().n,
                              plan.padded().k, a.view(), b.view(), c.view(), plan.rows(rank), plan.columns(rank),
                              plan.a_columns(rank), plan.b_rows(rank)},
        11, {strassen_error(plan.padded().k, levels), levels > 0, 3});
  }

  RankTeam ranks;
  Matrix<Element> a;
  Matrix<Element> b;
  Matrix<Element> c;
};

struct PassingVariant {
  const char* name;
  void (*multiply)(const StrassenParts<double>&, const Execution&);
  void (*multiply_floats)(const StrassenParts<float>&, const Execution&);
  int threads;
};
void PrintTo(const PassingVariant& variant, std::ostream* out) { *out << variant.name << variant.threads; }

class StrassenRanks : public testing::TestWithParam<PassingVariant> {
 protected:
  [[nodiscard]] Execution execution() const { return {.threads = GetParam().threads, .communicator = MPI_COMM_WORLD}; }
};

INSTANTIATE_TEST_SUITE_P(Models, StrassenRanks,
                         testing::Values(PassingVariant{"mpi", strassen_mpi<double>, strassen_mpi<float>, 1},
                                         PassingVariant{"hybrid", strassen_hybrid<double>, strassen_hybrid<float>, 2}),
                         [](const auto& variant) {
                           return std::string{variant.param.name} + std::to_string(variant.param.threads);
                         });

TEST_P(StrassenRanks, MultiplyEveryShapeByAnySteps) {
  for (const StrassenShape& shape : {StrassenShape{0, 5, 5},
                                     {5, 5, 0},
                                     {1, 1, 1},
                                     {3, 5, 7},
                                     {16, 16, 16},
                                     {31, 33, 35},
                                     {64, 9, 30},
                                     {7, 50, 64},
                                     {97, 64, 31}}) {
    for (const RankPlan::Steps& steps : all_steps) {
      Parts<double> parts{{shape, size_of(MPI_COMM_WORLD), steps}};
      GetParam().multiply(parts.mine(), execution());
      const testing::AssertionResult right = parts.is_right();
      EXPECT_TRUE(right) << text_of(shape) << ", " << steps.depth << ", " << steps.breadth << ", " << steps.local;
      ASSERT_TRUE(on_every_rank(bool{right}));
    }
  }
}

TEST_P(StrassenRanks, MultiplyInPanelsAndPiecesOfAnyWidth) {
  for (const std::int64_t panel : {1, 3, 1000}) {
    for (const std::int64_t limit : {1, 7, 100000}) {
      for (const RankPlan::Steps& steps : {RankPlan::Steps{1, 0, 0}, {0, 1, 1}}) {
        Parts<double> parts{{{26, 22, 34}, size_of(MPI_COMM_WORLD), steps, panel}, limit};
        GetParam().multiply(parts.mine(), execution());
        const testing::AssertionResult right = parts.is_right();
        EXPECT_TRUE(right) << "panel " << panel << ", limit " << limit;
        ASSERT_TRUE(on_every_rank(bool{right}));
      }
    }
  }
}

TEST_P(StrassenRanks, MultiplyFloats) {
  for (const RankPlan::Steps& steps : {RankPlan::Steps{2, 0, 0}, {1, 1, 0}}) {
    Parts<float> parts{{{40, 41, 42}, size_of(MPI_COMM_WORLD), steps}};
    GetParam().multiply_floats(parts.mine(), execution());
    ASSERT_TRUE(on_every_rank(bool{parts.is_right()}));
    EXPECT_TRUE(parts.judge().right) << parts.judge().explanation;
  }
}

TEST_P(StrassenRanks, RepeatThemselvesBitForBit) {
  for (const RankPlan::Steps& steps : {RankPlan::Steps{2, 0, 0}, {1, 1, 0}}) {
    Parts<double> first{{{64, 64, 97}, size_of(MPI_COMM_WORLD), steps}};
    GetParam().multiply(first.mine(), execution());
    Parts<double> again{{{64, 64, 97}, size_of(MPI_COMM_WORLD), steps}};
    for (int repetition = 0; repetition < 3; ++repetition) {
      GetParam().multiply(again.mine(), execution());
      const std::int64_t entries = first.c.rows() * first.c.columns();
      ASSERT_TRUE(on_every_rank(std::equal(first.c.data(), first.c.data() + entries, again.c.data())));
    }
  }
}

TEST_P(StrassenRanks, RefusePartsThatAreNotOfThePlan) {
  Parts<double> parts{{{9, 8, 14}, size_of(MPI_COMM_WORLD), {1, 0, 0}}};
  const Matrix<double> other{parts.a.rows() + 1, parts.a.columns()};
  EXPECT_THROW(GetParam().multiply({parts.ranks, other.view(), parts.b.view(), parts.c.view()}, execution()),
               std::invalid_argument);
}

TEST(StrassenVerifyRanks, RejectOneWrongEntryOfAnyRankAndNameTheProcess) {
  const RankPlan plan{{24, 26, 28}, size_of(MPI_COMM_WORLD), {1, 1, 0}};
  Parts<double> parts{plan};
  strassen_mpi(parts.mine(), {});
  const Judgement judgement = parts.judge();
  ASSERT_TRUE(judgement.right) << judgement.explanation;
  for (std::int64_t culprit = 0; culprit < plan.ranks(); ++culprit) {
    const Runs rows = plan.rows(culprit);
    const Runs columns = plan.columns(culprit);
    if (rows.size() * columns.size() == 0) continue;
    const std::int64_t row = rows.size() - 1;
    double ignored = 0;
    double& entry = parts.ranks.rank() == culprit ? parts.c.view()(row, 0) : ignored;
    const double right = entry;
    for (const double wrong : {right + 2.1 * judgement.bound, std::numeric_limits<double>::quiet_NaN()}) {
      entry = wrong;
      const Judgement found = parts.judge();
      EXPECT_FALSE(found.right);
      const std::string place = "C(" + std::to_string(rows[row]) + ", " + std::to_string(columns[0]) + ")";
      EXPECT_NE(found.explanation.find(place), std::string::npos) << found.explanation;
      EXPECT_NE(found.explanation.find("process " + std::to_string(culprit)), std::string::npos) << found.explanation;
    }
    entry = right;
  }
  EXPECT_TRUE(parts.judge().right);
}

TEST(RankTeam, RefusesAPlanForOtherRanks) {
  const RankPlan plan{{8, 8, 8}, size_of(MPI_COMM_WORLD) + 1, {1, 0, 0}};
  EXPECT_THROW(RankTeam(plan, MPI_COMM_WORLD), std::invalid_argument);
}

TEST(StrassenProblemRanks, PlacesExecutesAndJudges) {
  const Problem problem = strassen_problem();
  for (const Model model : {Model::mpi, Model::hybrid}) {
    for (const char* const size : {"0", "1", "33", "5x0x3", "4x5x0", "12x34x56"}) {
      for (const char* const breadth : {"auto", "0", "1", "2"}) {
        const Instance instance = problem.pose(size, 3, {});
        const Variant& variant = problem.variant(model);
        const Execution execution{
            .threads = model == Model::hybrid ? 2 : 1,
            .communicator = MPI_COMM_WORLD,
            .tunables = Settings{"strassen", variant.tunables, {{"levels", "2"}, {"breadth", breadth}}}};
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
      }
    }
  }
}

}  // namespace
}  // namespace duet
