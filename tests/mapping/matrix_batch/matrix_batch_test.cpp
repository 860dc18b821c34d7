#include "kernels/mapping/matrix_batch/matrix_batch.hpp"

#include <gtest/gtest.h>
#include <oneapi/tbb/global_control.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <ostream>
#include <stdexcept>
#include <vector>

#include "kernels/core/timesheet.hpp"
#include "tests/mapping/matrix_batch/batches.hpp"

namespace duet {
namespace {

template <class Element>
void multiply(Model model, std::span<const ProductRun<Element>> runs, const Execution& execution) {
  if (model == Model::serial) return matrix_batch_serial(runs, execution);
  if (model == Model::openmp) return matrix_batch_openmp(runs, execution);
  matrix_batch_tbb(runs, execution);
}

template <class Element>
void prepare(SharedBatch<Element>& memory) {
  const Range all{0, memory.batch().count()};
  memory.fill(all);
  memory.spoil(all);
}

/// Each C has the bits of one call of the local kernel for the whole product.
template <class Element>
void expect_bits_of_the_local_kernel(SharedBatch<Element>& memory) {
  for (std::int64_t item = 0; item < memory.batch().count(); ++item) {
    const ItemShape& shape = memory.batch()[item];
    Matrix<Element> expected{shape.m, shape.n};
    local_kernel("duet").of<Element>()(memory.a(item), memory.b(item), expected.view(), Update::assign);
    const std::size_t bytes = static_cast<std::size_t>(shape.m) * static_cast<std::size_t>(shape.n) * sizeof(Element);
    if (bytes == 0) continue;
    ASSERT_EQ(std::memcmp(memory.c(item).data, expected.data(), bytes), 0) << "item " << item;
  }
}

struct Case {
  Model model;
  std::string schedule;

  friend void PrintTo(const Case& shown, std::ostream* out) { *out << name_of(shown.model) << " " << shown.schedule; }
};

class MatrixBatchModels : public testing::TestWithParam<Case> {
 protected:
  [[nodiscard]] static int most_threads() { return GetParam().model == Model::serial ? 1 : 3; }
  /// The largest extent. ThreadSanitizer pays for every access that TBB orders behind its back.
  [[nodiscard]] static std::int64_t largest() {
#ifdef __SANITIZE_THREAD__
    if (GetParam().model == Model::tbb) return 16;
#endif
    return 150;
  }

  /// TBB grants no more workers than there are cores, unless it is told.
  oneapi::tbb::global_control workers_{oneapi::tbb::global_control::max_allowed_parallelism, 3};
};

std::vector<Case> cases() {
  std::vector<Case> all{{Model::serial, "dynamic"}};
  for (const std::string& schedule : shared_schedules) {
    all.push_back({Model::openmp, schedule});
    all.push_back({Model::tbb, schedule});
  }
  return all;
}

INSTANTIATE_TEST_SUITE_P(Schedules, MatrixBatchModels, testing::ValuesIn(cases()), [](const auto& shown) {
  return std::string{name_of(shown.param.model)} + "_" + shown.param.schedule;
});

TEST_P(MatrixBatchModels, MultiplyEveryItemWhateverTheSpread) {
  const auto& [model, schedule] = GetParam();
  for (const SizeSpread spread : {SizeSpread::tiny, SizeSpread::uniform, SizeSpread::zipf, SizeSpread::giants}) {
    for (const std::int64_t count : {0, 1, 2, 7, 80}) {
      const MatrixBatch batch = MatrixBatch::random(spread, count, spread == SizeSpread::tiny ? 8 : largest(), 2);
      SharedBatch<double> memory{batch};
      for (int threads = 1; threads <= most_threads(); ++threads) {
        SCOPED_TRACE(std::string{name_of(spread)} + ", " + std::to_string(count) + " items, " +
                     std::to_string(threads) + " threads");
        prepare(memory);
        multiply<double>(model, memory.runs(), execution_with(schedule, threads));
        expect_bits_of_the_local_kernel(memory);
        if (HasFatalFailure()) return;
      }
    }
  }
}

TEST_P(MatrixBatchModels, MultiplyEveryShapeInFloatToo) {
  const auto& [model, schedule] = GetParam();
#ifdef __SANITIZE_THREAD__
  if (model == Model::tbb) GTEST_SKIP() << "ThreadSanitizer pays for every access that TBB orders behind its back";
#endif
  const MatrixBatch batch = awkward_batch();
  SharedBatch<double> doubles{batch};
  SharedBatch<float> floats{batch};
  for (const char* const grain : {"0", "1", "7", "1000000"}) {
    SCOPED_TRACE(grain);
    prepare(doubles);
    prepare(floats);
    multiply<double>(model, doubles.runs(), execution_with(schedule, most_threads(), grain));
    multiply<float>(model, floats.runs(), execution_with(schedule, most_threads(), grain));
    expect_bits_of_the_local_kernel(doubles);
    expect_bits_of_the_local_kernel(floats);
    if (HasFatalFailure()) return;
  }
}

TEST_P(MatrixBatchModels, MultiplyRunsOfTheCallersThatStandApart) {
  // Equal shapes in several runs with steps and strides of their own.
  const auto& [model, schedule] = GetParam();
  std::vector<double> memory(10'000, 1.0);
  std::vector<ProductRun<double>> runs;
  double* at = memory.data();
  for (const std::int64_t count : {3, 1, 40, 2}) {
    const std::int64_t step = 30 + count % 3;
    runs.push_back({{at, 2, 3, 4}, {at + 8, 3, 2, 3}, {at + 20, 2, 2, 5}, step, step, step, count});
    at += step * count;
  }
  multiply<double>(model, runs, execution_with(schedule, most_threads()));
  for (const ProductRun<double>& run : runs) {
    for (std::int64_t product = 0; product < run.count; ++product) {
      const auto one = run.products(product, 1);
      EXPECT_EQ(one.c(0, 0) + one.c(0, 1) + one.c(1, 0) + one.c(1, 1), 12);
      EXPECT_EQ(one.c.data[2], 1) << "beside C";
    }
  }
}

TEST_P(MatrixBatchModels, CarryNotANumberInfinityAndSubnormals) {
  const auto& [model, schedule] = GetParam();
  const MatrixBatch batch{.shapes = {{8, 8, 8}, {8, 8, 8}, {8, 8, 8}, {200, 150, 60}}};
  SharedBatch<double> memory{batch};
  prepare(memory);
  memory.a(0)(3, 2) = std::numeric_limits<double>::quiet_NaN();
  memory.b(1)(2, 5) = -std::numeric_limits<double>::infinity();
  for (std::int64_t i = 0; i < 64; ++i) memory.a(2).data[i] *= 0x1p-1040;
  memory.a(3)(199, 59) = std::numeric_limits<double>::infinity();
  multiply<double>(model, memory.runs(), execution_with(schedule, most_threads()));
  for (std::int64_t i = 0; i < 8; ++i) {
    for (std::int64_t j = 0; j < 8; ++j) {
      EXPECT_EQ(std::isnan(memory.c(0)(i, j)), i == 3);
      EXPECT_EQ(std::isinf(memory.c(1)(i, j)), j == 5);
      EXPECT_EQ(std::fpclassify(memory.c(2)(i, j)), FP_SUBNORMAL);
    }
  }
  for (std::int64_t j = 0; j < 150; ++j) {
    EXPECT_TRUE(std::isinf(memory.c(3)(199, j)));
    EXPECT_TRUE(std::isfinite(memory.c(3)(198, j)));
  }
}

TEST_P(MatrixBatchModels, BookUsefulTime) {
  const auto& [model, schedule] = GetParam();
  const MatrixBatch batch = MatrixBatch::random(SizeSpread::uniform, 100, 60, 3);
  SharedBatch<double> memory{batch};
  prepare(memory);
  Timesheet timesheet{most_threads()};
  Execution execution = execution_with(schedule, most_threads());
  execution.timesheet = &timesheet;
  multiply<double>(model, memory.runs(), execution);
  double useful = 0;
  for (int thread = 0; thread < most_threads(); ++thread) useful += timesheet.of(thread).useful;
  EXPECT_GT(useful, 0);
}

TEST_P(MatrixBatchModels, RefuseShapesThatDoNotFit) {
  const auto& [model, schedule] = GetParam();
  std::vector<double> memory(100);
  const std::vector<ProductRun<double>> runs{
      {{memory.data(), 2, 3, 3}, {memory.data(), 4, 2, 2}, {memory.data() + 50, 2, 2, 2}}};
  EXPECT_THROW(multiply<double>(model, runs, execution_with(schedule, 1)), std::invalid_argument);
}

TEST(MatrixBatch, IsWorkedOnByAsManyThreadsAsAsked) {
  for (const int threads : {1, 2, 3}) {
    const MatrixBatch batch = MatrixBatch::random(SizeSpread::tiny, 9, 30, 3);
    SharedBatch<double> memory{batch};
    prepare(memory);
    Timesheet timesheet{threads};
    Execution execution = execution_with("block", threads);
    execution.timesheet = &timesheet;
    multiply<double>(Model::openmp, memory.runs(), execution);
    for (int thread = 0; thread < threads; ++thread) EXPECT_GT(timesheet.of(thread).useful, 0);
  }
}

TEST(MatrixBatchProblem, CountsWorkOfItsItemsAndEstimatesEnoughMemory) {
  const Problem problem = matrix_batch_problem();
  for (const char* const spread : {"tiny", "uniform", "log_uniform", "zipf", "giants"}) {
    for (const char* const precision : {"double", "float"}) {
      const Instance instance = problem.pose("300", 3, {{"spread", spread}, {"precision", precision}});
      const Work work = problem.work(instance);
      EXPECT_GT(work.operations, 0);
      // No product has more than extent/3 operations for a word that it takes.
      EXPECT_GT(problem.memory(instance, Model::serial, 1, 1), work.compulsory_bytes) << spread;
      EXPECT_LT(problem.memory(instance, Model::serial, 1, 1), 3 * work.compulsory_bytes + 20e6) << spread;
    }
  }
  const Instance tiny = problem.pose("1000", 3, {{"spread", "tiny"}, {"largest", "16"}});
  EXPECT_EQ(problem.work(tiny).operations, 1000.0 * 2 * 16 * 16 * 16);
  EXPECT_EQ(problem.work(tiny).compulsory_bytes, 1000.0 * 8 * 3 * 16 * 16);
}

TEST(MatrixBatchProblem, HasADigestForItsOwnKernelAlone) {
  const Problem problem = matrix_batch_problem();
  const Variant& serial = problem.variant(Model::serial);
  const Instance instance = problem.pose("5", 3, {});
  const auto placed_with = [&](const char* kernel) {
    return serial.place(instance, {.tunables = Settings{"test", serial.tunables, {{"local_kernel", kernel}}}});
  };
  EXPECT_TRUE(placed_with("duet").digest);
  EXPECT_FALSE(placed_with("eigen").digest);
}

}  // namespace
}  // namespace duet
