#include <gtest/gtest.h>
#include <omp.h>
#include <oneapi/tbb/global_control.h>

#include <atomic>
#include <bit>
#include <chrono>
#include <filesystem>
#include <set>
#include <tuple>

#include "kernels/data_decomposition/matmul/matmul.hpp"
#include "kernels/data_decomposition/matmul/multiplication.hpp"
#include "kernels/data_decomposition/matmul/shared_pieces.hpp"
#include "tests/data_decomposition/matmul/reference.hpp"
#include "tests/special_values.hpp"

namespace duet {
namespace {

struct SharedVariant {
  const char* name;
  Model model;
  void (*multiply)(ConstView, ConstView, View, const Execution&);
};
void PrintTo(const SharedVariant& variant, std::ostream* out) { *out << variant.name; }

/// More threads than cores are what these tests ask for. One limit for the whole process: on one core, TBB 2021.8 gives
/// no workers any more once a limit was lifted and set again.
void allow_more_threads_than_cores() {
  static const oneapi::tbb::global_control limit{oneapi::tbb::global_control::max_allowed_parallelism, 4};
}

class MatmulShared : public testing::TestWithParam<SharedVariant> {
 protected:
  MatmulShared() { allow_more_threads_than_cores(); }

  [[nodiscard]] std::vector<int> team_sizes() const {
    return runs_threads(GetParam().model) ? std::vector<int>{1, 2, 3} : std::vector<int>{1};
  }
  [[nodiscard]] Execution with(int threads, const std::map<std::string, std::string>& tunables = {}) const {
    return {.threads = threads, .tunables = Settings{"matmul", matmul_tunables(GetParam().model), tunables}};
  }
  /// Of threads alone: nothing where the model has none.
  [[nodiscard]] std::map<std::string, std::string> set(const char* tunable, const char* value) const {
    if (!runs_threads(GetParam().model)) return {};
    return {{tunable, value}};
  }
  [[nodiscard]] std::map<std::string, std::string> tile_of(const char* tile) const { return set("tile", tile); }
  [[nodiscard]] std::map<std::string, std::string> layers_of(const char* layers) const { return set("layers", layers); }
};

INSTANTIATE_TEST_SUITE_P(Models, MatmulShared,
                         testing::Values(SharedVariant{"serial", Model::serial, matmul_serial},
                                         SharedVariant{"openmp", Model::openmp, matmul_openmp},
                                         SharedVariant{"tbb", Model::tbb, matmul_tbb}),
                         [](const auto& variant) { return variant.param.name; });

TEST_P(MatmulShared, MultipliesEveryShapeWithEveryTeam) {
  for (const std::int64_t m : test_extents) {
    for (const std::int64_t n : test_extents) {
      for (const std::int64_t k : test_extents) {
        const Matrix<double> a = random_matrix(m, k, 0);
        const Matrix<double> b = random_matrix(k, n, 1);
        for (const int threads : team_sizes()) {
          Matrix<double> c{m, n};
          std::fill_n(c.data(), m * n, nan);
          GetParam().multiply(a.view(), b.view(), c.view(), with(threads));
          ASSERT_TRUE(is_product(a.view(), b.view(), c.view())) << text_of({m, n, k}) << " on " << threads;
        }
      }
    }
  }
}

TEST_P(MatmulShared, MultipliesInTilesOfAnySize) {
  const Matrix<double> a = random_matrix(97, 31, 0);
  const Matrix<double> b = random_matrix(31, 64, 1);
  for (const char* tile : {"1", "7", "32", "1000"}) {
    Matrix<double> c{97, 64};
    GetParam().multiply(a.view(), b.view(), c.view(), with(2, tile_of(tile)));
    EXPECT_TRUE(is_product(a.view(), b.view(), c.view())) << "tile " << tile;
  }
}

TEST_P(MatmulShared, SharesKOutInLayersAndRepeatsItself) {
  // The last ones are in layers without being told.
  for (const auto& [m, n, k, layers] : {std::tuple{31, 17, 97, "3"},
                                        {31, 17, 2, "3"},
                                        {0, 7, 97, "3"},
                                        {7, 0, 97, "3"},
                                        {97, 64, 31, "6"},
                                        {40, 3, 64, "2"},
                                        {5, 9, 4000, "0"},
                                        {1, 1, 4000, "0"}}) {
    const Matrix<double> a = random_matrix(m, k, 0);
    const Matrix<double> b = random_matrix(k, n, 1);
    Matrix<double> c{m, n};
    Matrix<double> again{m, n};
    GetParam().multiply(a.view(), b.view(), c.view(), with(6, layers_of(layers)));
    GetParam().multiply(a.view(), b.view(), again.view(), with(6, layers_of(layers)));
    EXPECT_TRUE(is_product(a.view(), b.view(), c.view())) << text_of({m, n, k}) << " in " << layers;
    EXPECT_TRUE(std::equal(c.data(), c.data() + m * n, again.data())) << text_of({m, n, k}) << " in " << layers;
  }
  if (!runs_threads(GetParam().model)) return;  // nobody to share with, and no tunable to refuse
  const Matrix<double> a = random_matrix(4, 4, 0);
  Matrix<double> c{4, 4};
  EXPECT_THROW(GetParam().multiply(a.view(), a.view(), c.view(), with(3, layers_of("2"))), std::invalid_argument);
}

TEST(LayersFor, AreMoreThanOneWhereKIsLong) {
  for (const int threads : {1, 2, 3, 4, 7}) EXPECT_EQ(layers_for({1000, 1000, 1000}, threads, 0), 1) << threads;
  EXPECT_EQ(layers_for({1024, 1024, 262144}, 2, 0), 2);
  EXPECT_EQ(layers_for({1024, 1024, 262144}, 7, 0), 7);
  EXPECT_EQ(layers_for({16384, 16384, 256}, 8, 0), 1);
  EXPECT_EQ(layers_for({1, 1, 300}, 8, 0), 1) << "each would have less than a local kernel multiplies at a time";
  EXPECT_EQ(layers_for({0, 0, 0}, 8, 0), 1);
  EXPECT_EQ(layers_for({8, 8, 8}, 6, 3), 3);
  EXPECT_THROW(static_cast<void>(layers_for({8, 8, 8}, 6, 4)), std::invalid_argument);
}

TEST_P(MatmulShared, WritesItsWindowAndNothingBesideIt) {
  const Matrix<double> a = random_matrix(20, 30, 0);
  const Matrix<double> b = random_matrix(30, 40, 1);
  Matrix<double> c{20, 40};
  std::fill_n(c.data(), 20 * 40, 5.0);
  const ConstView part_of_a = a.view().block(2, 3, 7, 11);
  const ConstView part_of_b = b.view().block(4, 5, 11, 13);
  GetParam().multiply(part_of_a, part_of_b, c.view().block(6, 8, 7, 13), with(2));
  EXPECT_TRUE(is_product(part_of_a, part_of_b, c.view().block(6, 8, 7, 13)));
  for (std::int64_t i = 0; i < 20; ++i) {
    for (std::int64_t j = 0; j < 40; ++j) {
      const bool is_inside = Range{6, 13}.contains(i) && Range{8, 21}.contains(j);
      ASSERT_EQ(c.view()(i, j) == 5.0, !is_inside) << i << ", " << j;
    }
  }
}

TEST_P(MatmulShared, RefusesOperandsThatDoNotFit) {
  Matrix<double> a = random_matrix(3, 4, 0);
  Matrix<double> b = random_matrix(5, 6, 1);
  Matrix<double> c{3, 6};
  EXPECT_THROW(GetParam().multiply(a.view(), b.view(), c.view(), with(1)), std::invalid_argument);
}

TEST_P(MatmulShared, CarriesNaNAndInfinity) {
  Matrix<double> a = random_matrix(9, 8, 0);
  Matrix<double> b = random_matrix(8, 10, 1);
  a.view()(4, 2) = nan;
  a.view()(6, 0) = infinity;
  b.view()(5, 3) = nan;
  Matrix<double> c{9, 10};
  GetParam().multiply(a.view(), b.view(), c.view(), with(2));
  for (std::int64_t i = 0; i < 9; ++i) {
    for (std::int64_t j = 0; j < 10; ++j) {
      const double entry = c.view()(i, j);
      if (i == 4 || j == 3) {
        EXPECT_TRUE(std::isnan(entry)) << i << ", " << j;
      } else if (i == 6) {
        EXPECT_TRUE(std::isinf(entry)) << i << ", " << j;
      } else {
        EXPECT_TRUE(std::isfinite(entry)) << i << ", " << j;
      }
    }
  }
}

TEST_P(MatmulShared, RepeatsItselfBitForBit) {
  const Matrix<double> a = random_matrix(97, 97, 0);
  const Matrix<double> b = random_matrix(97, 97, 1);
  Matrix<double> first{97, 97};
  GetParam().multiply(a.view(), b.view(), first.view(), with(3, tile_of("20")));
  for (int repetition = 0; repetition < 5; ++repetition) {
    Matrix<double> again{97, 97};
    GetParam().multiply(a.view(), b.view(), again.view(), with(3, tile_of("20")));
    EXPECT_TRUE(std::equal(first.data(), first.data() + 97 * 97, again.data()));
  }
}

int threads_of_this_process() {
  const std::filesystem::directory_iterator tasks{"/proc/self/task"};
  return static_cast<int>(std::distance(begin(tasks), end(tasks)));
}

TEST_P(MatmulShared, RunsOnTheThreadsItWasGivenAndNoOthers) {
  const Matrix<double> warm{2, 2};
  Matrix<double> small{2, 2};
  GetParam().multiply(warm.view(), warm.view(), small.view(), with(1));
  for (const int threads : team_sizes()) {
    // Which worker gets a tile is chance, above all where they share one core: the product grows until it takes several
    // of the system's time slices. A worker beyond the team would be refused by the timesheet.
    std::set<int> seen;
    for (std::int64_t n = 300; n <= 3000 && static_cast<int>(seen.size()) < threads; n += n / 3) {
      const Matrix<double> a = random_matrix(n, n, 0);
      const Matrix<double> b = random_matrix(n, n, 1);
      Matrix<double> c{n, n};
      Timesheet timesheet{threads};
      Execution execution = with(threads, tile_of("20"));
      execution.timesheet = &timesheet;
      GetParam().multiply(a.view(), b.view(), c.view(), execution);
      for (int thread = 0; thread < threads; ++thread) {
        if (timesheet.of(thread).stretches > 0) seen.insert(thread);
      }
    }
    EXPECT_EQ(static_cast<int>(seen.size()), threads);
  }
  if (GetParam().model == Model::openmp) {
    // A team of the test's own is what the process has then; multiplying adds none to it.
#pragma omp parallel num_threads(3)
    {}
    const int before = threads_of_this_process();
    const Matrix<double> a = random_matrix(300, 300, 0);
    const Matrix<double> b = random_matrix(300, 300, 1);
    Matrix<double> c{300, 300};
    GetParam().multiply(a.view(), b.view(), c.view(), with(3, tile_of("20")));
    EXPECT_EQ(threads_of_this_process(), before);
  } else if (GetParam().model == Model::serial) {
    const int before = threads_of_this_process();
    GetParam().multiply(warm.view(), warm.view(), small.view(), with(1));
    EXPECT_EQ(threads_of_this_process(), before);
  }
}

// A library whose buffers are not safe for several threads answers wrongly once in thousands of products.
TEST(MatmulOpenmp, IsRightWithEveryLocalKernelOnSeveralThreadsAtOnce) {
  const Matrix<double> a = random_matrix(384, 128, 0);
  const Matrix<double> b = random_matrix(128, 384, 1);
  for (const char* choice : {"duet", "openblas", "blis", "eigen"}) {
    const Execution execution{
        .threads = 3,
        .tunables = Settings{"matmul", matmul_tunables(Model::openmp), {{"local_kernel", choice}, {"tile", "128"}}}};
    Matrix<double> first{384, 384};
    try {
      matmul_openmp(a.view(), b.view(), first.view(), execution);
    } catch (const std::invalid_argument&) {
      continue;  // not installed here
    }
    EXPECT_TRUE(is_product(a.view(), b.view(), first.view())) << choice;
    Matrix<double> again{384, 384};
    for (int repetition = 0; repetition < 300; ++repetition) {
      matmul_openmp(a.view(), b.view(), again.view(), execution);
      ASSERT_TRUE(std::equal(first.data(), first.data() + 384 * 384, again.data())) << choice << " at " << repetition;
    }
  }
}

TEST(MatmulTbb, TellsEveryWorkerThatStarts) {
  allow_more_threads_than_cores();
  const Matrix<double> a = random_matrix(97, 97, 0);
  Matrix<double> c{97, 97};
  std::array<std::atomic<bool>, 3> started{};
  Execution execution{.threads = 3};
  execution.on_worker_start = [&](int thread) { started.at(static_cast<std::size_t>(thread)) = true; };
  matmul_tbb(a.view(), a.view(), c.view(), execution);
  EXPECT_TRUE(started[0]);
}

TEST(MatmulProblem, PlacesExecutesAndJudgesInEveryModelOfOneProcess) {
  const Problem problem = matmul_problem();
  for (const Model model : {Model::serial, Model::openmp, Model::tbb}) {
    for (const char* size : {"0", "1", "33", "5x0x3", "0x4x4", "4x5x0", "12x34x56"}) {
      const Instance instance = problem.pose(size, 3, {});
      const Variant& variant = problem.variant(model);
      const Execution execution{.threads = runs_threads(model) ? 2 : 1,
                                .tunables = Settings{"matmul", variant.tunables, {}}};
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
      EXPECT_TRUE(placed.facts.contains("local_kernel"));
      EXPECT_TRUE(placed.facts.contains("code_path"));
    }
  }
}

TEST(MatmulProblem, CountsWorkAndMemory) {
  const Problem problem = matmul_problem();
  const Instance instance = problem.pose("10x20x30", 1, {});
  const Work work = problem.work(instance);
  EXPECT_EQ(work.operations, 2.0 * 10 * 20 * 30);
  EXPECT_EQ(work.unit, "flop");
  EXPECT_EQ(work.compulsory_bytes, 8.0 * (10 * 30 + 30 * 20 + 10 * 20));
  for (const Model model : all_models) {
    EXPECT_GE(problem.memory(instance, model, passes_messages(model) ? 2 : 1, 1), work.compulsory_bytes);
  }
}

TEST(MatmulProblem, RefusesTunablesThatCannotServe) {
  const Problem problem = matmul_problem();
  EXPECT_THROW(Settings("matmul", problem.variant(Model::openmp).tunables, {{"tile", "-1"}}), std::invalid_argument);
  EXPECT_THROW(Settings("matmul", problem.variant(Model::serial).tunables, {{"local_kernel", "atlas"}}),
               std::invalid_argument);
}

TEST(Multiplication, FillsFromTheCallerAndHandsOutC) {
  const ProductShape shape{5, 6, 7};
  const Matrix<double> a = random_matrix(5, 7, 0);
  const Matrix<double> b = random_matrix(7, 6, 1);
  const auto copy_of = [](ConstView whole) {
    return [whole](View block, const Block& where) {
      for (std::int64_t i = 0; i < block.rows; ++i) {
        for (std::int64_t j = 0; j < block.columns; ++j) {
          block(i, j) = whole(where.rows.begin + i, where.columns.begin + j);
        }
      }
    };
  };
  Multiplication product{Model::openmp, shape, {.threads = 2}, copy_of(a.view()), copy_of(b.view())};
  product.execute();
  EXPECT_TRUE(is_product(a.view(), b.view(), product.c(), product.c_block()));
  EXPECT_TRUE(product.verify(1).right);
}

}  // namespace
}  // namespace duet
