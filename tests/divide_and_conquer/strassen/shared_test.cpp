#include <gtest/gtest.h>
#include <oneapi/tbb/global_control.h>

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "kernels/divide_and_conquer/strassen/shared_product.hpp"
#include "kernels/divide_and_conquer/strassen/strassen.hpp"
#include "tests/divide_and_conquer/strassen/reference.hpp"
#include "tests/special_values.hpp"

namespace duet {
namespace {

/// More threads than cores are what these tests ask for. One limit for the whole process: on one core, TBB 2021.8 gives
/// no workers any more once a limit was lifted and set again.
void allow_more_threads_than_cores() {
  static const oneapi::tbb::global_control limit{oneapi::tbb::global_control::max_allowed_parallelism, 4};
}

using Tunables = std::map<std::string, std::string>;

class StrassenShared : public testing::TestWithParam<Model> {
 protected:
  StrassenShared() { allow_more_threads_than_cores(); }

  [[nodiscard]] std::vector<int> team_sizes() const {
    return runs_threads(GetParam()) ? std::vector<int>{1, 3} : std::vector<int>{1};
  }
  [[nodiscard]] Execution with(int threads, Tunables tunables) const {
    const std::vector<Setting> declared = strassen_problem().variant(GetParam()).tunables;
    std::erase_if(tunables, [&](const auto& each) {
      return std::ranges::find(declared, each.first, &Setting::name) == declared.end();
    });
    return {.threads = threads, .tunables = Settings{"strassen", declared, tunables}};
  }
  template <class Element>
  void multiply(MatrixView<const Element> a, MatrixView<const Element> b, MatrixView<Element> c,
                const Execution& execution) {
    switch (GetParam()) {
      case Model::serial:
        return strassen_serial(a, b, c, execution, space_);
      case Model::openmp:
        return strassen_openmp(a, b, c, execution, space_);
      default:
        return strassen_tbb(a, b, c, execution, space_);
    }
  }

  PackingSpace space_;
};

INSTANTIATE_TEST_SUITE_P(Models, StrassenShared, testing::Values(Model::serial, Model::openmp, Model::tbb),
                         [](const auto& model) { return std::string{name_of(model.param)}; });

TEST_P(StrassenShared, MultipliesEveryShapeAtEveryLevel) {
  // Odd ones, of which something is peeled at each level; T too large for a quadrant of C; S too.
  for (const StrassenShape& shape : {StrassenShape{0, 5, 5},
                                     {5, 0, 5},
                                     {5, 5, 0},
                                     {1, 1, 1},
                                     {2, 2, 2},
                                     {3, 5, 7},
                                     {16, 16, 16},
                                     {31, 33, 35},
                                     {17, 40, 64},
                                     {40, 17, 64},
                                     {16, 16, 90},
                                     {64, 9, 33},
                                     {9, 64, 33},
                                     {97, 64, 31}}) {
    const Matrix<double> a = random_matrix<double>(shape.m, shape.k, 0);
    const Matrix<double> b = random_matrix<double>(shape.k, shape.n, 1);
    for (const char* const levels : {"0", "1", "2", "3"}) {
      for (const char* const breadth : {"0", "1", "2"}) {
        if (GetParam() == Model::serial && *breadth != '0') continue;
        for (const int threads : team_sizes()) {
          const Execution execution = with(threads, {{"levels", levels}, {"breadth", breadth}});
          Matrix<double> c{shape.m, shape.n};
          std::fill_n(c.data(), shape.m * shape.n, nan);
          multiply<double>(a.view(), b.view(), c.view(), execution);
          ASSERT_TRUE(is_product<double>(a.view(), b.view(), c.view(), shared_plan(shape, execution).error()))
              << text_of(shape) << ", " << levels << " levels, " << breadth << " in breadth, " << threads << " threads";
        }
      }
    }
  }
}

TEST_P(StrassenShared, MultipliesFloats) {
  const Matrix<float> a = random_matrix<float>(65, 40, 0);
  const Matrix<float> b = random_matrix<float>(40, 51, 1);
  for (const char* const levels : {"0", "1", "2"}) {
    const Execution execution = with(2, {{"levels", levels}});
    Matrix<float> c{65, 51};
    multiply<float>(a.view(), b.view(), c.view(), execution);
    EXPECT_TRUE(is_product<float>(a.view(), b.view(), c.view(), shared_plan({65, 51, 40}, execution).error()));
  }
}

TEST_P(StrassenShared, WritesItsWindowAndNothingBesideIt) {
  const Matrix<double> a = random_matrix<double>(40, 60, 0);
  const Matrix<double> b = random_matrix<double>(60, 80, 1);
  Matrix<double> c{40, 80};
  std::fill_n(c.data(), 40 * 80, 5.0);
  const ConstView part_of_a = a.view().block(2, 3, 17, 21);
  const ConstView part_of_b = b.view().block(4, 5, 21, 23);
  multiply<double>(part_of_a, part_of_b, c.view().block(6, 8, 17, 23), with(2, {{"levels", "2"}}));
  EXPECT_TRUE(is_product<double>(part_of_a, part_of_b, c.view().block(6, 8, 17, 23), strassen_error(21, 2)));
  for (std::int64_t i = 0; i < 40; ++i) {
    for (std::int64_t j = 0; j < 80; ++j) {
      const bool is_inside = Range{6, 23}.contains(i) && Range{8, 31}.contains(j);
      ASSERT_EQ(c.view()(i, j) == 5.0, !is_inside) << i << ", " << j;
    }
  }
}

TEST_P(StrassenShared, GivesTheSameBitsForAnyTeamAndEachTime) {
  const Matrix<double> a = random_matrix<double>(200, 150, 0);
  const Matrix<double> b = random_matrix<double>(150, 170, 1);
  Matrix<double> first{200, 170};
  PackingSpace space;
  const Tunables tunables{{"local_kernel", "duet"}, {"levels", "2"}};
  const Execution serial{.tunables =
                             Settings{"strassen", strassen_problem().variant(Model::serial).tunables, tunables}};
  strassen_serial<double>(a.view(), b.view(), first.view(), serial, space);
  for (const int threads : team_sizes()) {
    for (int repetition = 0; repetition < 3; ++repetition) {
      Matrix<double> again{200, 170};
      multiply<double>(a.view(), b.view(), again.view(), with(threads, tunables));
      EXPECT_TRUE(std::equal(first.data(), first.data() + 200 * 170, again.data())) << threads << " threads";
    }
  }
}

TEST_P(StrassenShared, IsNotFiniteWhereTheDefinitionIsNot) {
  Matrix<double> a = random_matrix<double>(9, 8, 0);
  Matrix<double> b = random_matrix<double>(8, 10, 1);
  a.view()(4, 2) = nan;
  a.view()(6, 0) = infinity;
  b.view()(5, 3) = -infinity;
  Matrix<double> c{9, 10};
  multiply<double>(a.view(), b.view(), c.view(), with(2, {{"levels", "2"}}));
  for (std::int64_t i = 0; i < 9; ++i) {
    for (std::int64_t j = 0; j < 10; ++j) {
      if (i == 4 || i == 6 || j == 3) {
        EXPECT_FALSE(std::isfinite(c.view()(i, j))) << i << ", " << j;
      }
    }
  }
}

TEST_P(StrassenShared, RefusesOperandsThatDoNotFit) {
  const Matrix<double> a = random_matrix<double>(3, 4, 0);
  const Matrix<double> b = random_matrix<double>(5, 6, 1);
  Matrix<double> c{3, 6};
  EXPECT_THROW(multiply<double>(a.view(), b.view(), c.view(), with(1, {})), std::invalid_argument);
}

/// Multiplies, and sees which memory the recursion may write: the workspace of `words` elements stands between guards.
class NotingLeaf : public ProductBelow<double> {
 public:
  void multiply(ConstView a, ConstView b, View c, Update update) override {
    for (std::int64_t i = 0; i < c.rows; ++i) {
      for (std::int64_t j = 0; j < c.columns; ++j) {
        double sum = update == Update::add ? c(i, j) : 0;
        for (std::int64_t p = 0; p < a.columns; ++p) sum += a(i, p) * b(p, j);
        c(i, j) = sum;
      }
    }
    ++products;
  }
  int products = 0;
};

TEST(Winograd, TakesSevenProductsALevelAndNoMoreThanTheWorkspaceItNames) {
  constexpr double guard = 12345;
  for (const StrassenShape& shape : {StrassenShape{16, 16, 16}, {8, 24, 40}, {24, 8, 40}, {8, 8, 72}, {40, 32, 8}}) {
    const Matrix<double> a = random_matrix<double>(shape.m, shape.k, 0);
    const Matrix<double> b = random_matrix<double>(shape.k, shape.n, 1);
    int expected = 1;
    for (int levels = 0; levels <= 3; ++levels, expected *= 7) {
      const std::int64_t words = winograd_words({shape.m, shape.n, shape.k, shape.k}, levels);
      std::vector<double> space(static_cast<std::size_t>(words + 2), guard);
      const Execution execution;
      OneThread team{execution};
      NotingLeaf leaf;
      Matrix<double> c{shape.m, shape.n};
      Winograd<double>{levels, team, leaf, space.data() + 1}.multiply(a.view(), b.view(), c.view());
      EXPECT_EQ(leaf.products, expected);
      EXPECT_TRUE(is_product<double>(a.view(), b.view(), c.view(), strassen_error(shape.k, levels)))
          << text_of(shape) << ", " << levels;
      EXPECT_EQ(space.front(), guard);
      EXPECT_EQ(space.back(), guard);
      // All of it is used: the last row of the last temporary, but for the filling of its rows.
      const auto used =
          std::ranges::find_if(space.rbegin() + 1, space.rend(), [](double each) { return each != guard; });
      EXPECT_LE(used - space.rbegin(), levels == 0 ? words + 2 : 17) << text_of(shape) << ", " << levels;
    }
  }
}

TEST(StrassenProblem, PlacesExecutesAndJudgesInEveryModelOfOneProcess) {
  allow_more_threads_than_cores();
  const Problem problem = strassen_problem();
  for (const Model model : {Model::serial, Model::openmp, Model::tbb}) {
    for (const char* const size : {"0", "1", "33", "5x0x3", "0x4x4", "4x5x0", "12x34x56"}) {
      for (const char* const precision : {"double", "float"}) {
        const Instance instance = problem.pose(size, 3, {{"precision", precision}});
        const Variant& variant = problem.variant(model);
        const Execution execution{.threads = runs_threads(model) ? 2 : 1,
                                  .tunables = Settings{"strassen", variant.tunables, {{"levels", "2"}}}};
        const Placed placed = variant.place(instance, execution);
        for (int repetition = 0; repetition < 2; ++repetition) {
          placed.reset();
          placed.execute();
          const Judgement judgement = placed.verify();
          EXPECT_TRUE(judgement.right) << size << ": " << judgement.explanation;
          EXPECT_LE(judgement.error, judgement.bound);
        }
        placed.reset();
        const bool has_entries = instance.extents[0] * instance.extents[1] != 0;
        EXPECT_EQ(placed.verify().right, !has_entries) << size << ": an answer not given is not right";
      }
    }
  }
}

TEST(StrassenProblem, ReportsTheWorkspaceAndEstimatesMemoryAboveIt) {
  const Problem problem = strassen_problem();
  const Instance instance = problem.pose("120x64x97", 1, {});
  for (const char* const levels : {"0", "1", "2", "3"}) {
    const Variant& variant = problem.variant(Model::serial);
    const Placed placed =
        variant.place(instance, {.tunables = Settings{"strassen", variant.tunables, {{"levels", levels}}}});
    EXPECT_EQ(placed.facts.at("levels"), levels);
    const std::int64_t unit = std::int64_t{1} << (*levels - '0');
    const std::int64_t words =
        winograd_words({120 / unit * unit, 64 / unit * unit, 97 / unit * unit, 97 / unit * unit}, *levels - '0');
    EXPECT_EQ(placed.facts.at("workspace_words"), std::to_string(words));
    const double bytes = problem.work(instance).compulsory_bytes + 8 * static_cast<double>(words);
    EXPECT_GE(problem.memory(instance, Model::serial, 1, 1), bytes);
  }
}

TEST(StrassenProblem, RefusesTunablesThatCannotServe) {
  const Problem problem = strassen_problem();
  EXPECT_THROW(Settings("strassen", problem.variant(Model::openmp).tunables, {{"levels", "9"}}), std::invalid_argument);
  EXPECT_THROW(Settings("strassen", problem.variant(Model::serial).tunables, {{"breadth", "1"}}),
               std::invalid_argument);
}

}  // namespace
}  // namespace duet
