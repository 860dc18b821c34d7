#include "kernels/mapping/matrix_batch/division.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <stdexcept>
#include <vector>

#include "kernels/mapping/schedule/assignment.hpp"

namespace duet {
namespace {

constexpr Schedule all_schedules[] = {Schedule::block,     Schedule::cyclic,        Schedule::dynamic,
                                      Schedule::guided,    Schedule::longest_first, Schedule::stealing,
                                      Schedule::spawn_each};

/// Every entry of every C is in exactly one task: parts of an item stand side by side and cover it.
void expect_tiled(const MatrixBatch& batch, const Division& division) {
  std::vector<std::int64_t> covered(batch.shapes.size());
  for (const BatchTask& task : division.tasks) {
    ASSERT_LT(task.items.begin, task.items.end);
    for (std::int64_t item = task.items.begin; item < task.items.end; ++item) {
      const ItemShape& shape = batch[item];
      ASSERT_EQ(shape, batch[task.items.begin]);
      ASSERT_TRUE(task.items.size() == 1 || !task.is_part_of(shape));
      const bool by_rows = task.columns == Range{0, shape.n};
      ASSERT_TRUE(by_rows || (task.rows == Range{0, shape.m}));
      const Range cut = by_rows ? task.rows : task.columns;
      // Parts of one item come in order, so that each begins where the one before has ended.
      std::int64_t& end = covered[static_cast<std::size_t>(item)];
      ASSERT_EQ(cut.begin, end);
      end = cut.end;
      if (task.is_part_of(shape)) continue;
      ASSERT_EQ(cut.size(), by_rows ? shape.m : shape.n);
    }
  }
  for (std::int64_t item = 0; item < batch.count(); ++item) {
    const std::int64_t end = covered[static_cast<std::size_t>(item)];
    ASSERT_TRUE(end == batch[item].m || end == batch[item].n) << item;
  }
}

std::vector<double> loads_of(const Division& division, int workers) {
  std::vector<double> loads(static_cast<std::size_t>(workers));
  for (std::size_t task = 0; task < division.tasks.size(); ++task) {
    loads[static_cast<std::size_t>(division.workers[task])] += division.nanoseconds[task];
  }
  return loads;
}

TEST(Division, TilesEveryProductWhateverTheScheduleAndTheWorkers) {
  for (const SizeSpread spread :
       {SizeSpread::tiny, SizeSpread::uniform, SizeSpread::log_uniform, SizeSpread::zipf, SizeSpread::giants}) {
    for (const std::int64_t count : {0, 1, 2, 3, 7, 97, 3000}) {
      const MatrixBatch batch = MatrixBatch::random(spread, count, spread == SizeSpread::tiny ? 8 : 1000, 7);
      for (const Schedule schedule : all_schedules) {
        for (const int workers : {1, 2, 3, 7, 64}) {
          for (const std::int64_t grain : {0, 5}) {
            for (const bool bound : {false, true}) {
              SCOPED_TRACE(std::string{name_of(spread)} + " " + std::string{name_of(schedule)} + ", " +
                           std::to_string(count) + " items, " + std::to_string(workers) + " workers");
              const DivisionFor whom{.schedule = schedule, .grain = grain, .workers = workers, .bound = bound};
              const Division division = divided(batch, whom);
              expect_tiled(batch, division);
              const Plan plan = plan_of(division, batch, whom);
              ASSERT_EQ(plan.positions({0, plan.pieces()}), (Range{0, std::ssize(division.tasks)}));
              for (const int worker : division.workers) ASSERT_TRUE(0 <= worker && worker < workers);
              if (HasFatalFailure()) return;
            }
          }
        }
      }
    }
  }
}

TEST(Division, PoursGiantsUpToOneLevel) {
  for (const int workers : {2, 3, 4, 7, 16}) {
    for (const SizeSpread spread : {SizeSpread::giants, SizeSpread::log_uniform, SizeSpread::zipf}) {
      for (std::uint64_t seed = 1; seed < 20; ++seed) {
        const MatrixBatch batch = MatrixBatch::random(spread, 200, 3000, seed);
        const Division division = divided(batch, {.workers = workers, .bound = true});
        const std::vector<double> loads = loads_of(division, workers);
        const double even = std::accumulate(loads.begin(), loads.end(), 0.0) / workers;
        const ItemShape& largest = *std::ranges::max_element(batch.shapes, {}, &ItemShape::operations);
        const double of_8_rows = nanoseconds_of(largest) * 8 / largest.m;
        // Below 100 us nothing is divided, and cuts are at multiples of 8 rows; each part reads the other operand.
        EXPECT_LE(std::ranges::max(loads), 1.02 * even + std::max(100'000.0, of_8_rows))
            << workers << " workers, " << name_of(spread) << seed;
      }
    }
  }
}

TEST(Division, IsWithinGrahamsBoundWhereNothingIsDivided) {
  for (const int workers : {2, 3, 7}) {
    for (std::uint64_t seed = 1; seed < 20; ++seed) {
      const MatrixBatch batch = MatrixBatch::random(SizeSpread::zipf, 60, 1000, seed);
      const Division division = divided(batch, {.workers = workers, .bound = true, .split = false});
      const std::vector<double>& costs = division.nanoseconds;
      const double even = std::accumulate(costs.begin(), costs.end(), 0.0) / workers;
      // No assignment is better than the even one, or than the dearest task alone.
      const double best_possible = std::max(even, std::ranges::max(costs));
      const double bound = 4.0 / 3 - 1.0 / (3 * workers);
      EXPECT_LE(makespan(costs, division.workers, workers), bound * best_possible * (1 + 1e-12));
    }
  }
}

TEST(Division, MakesFewPartsAndNoSlivers) {
  for (const int workers : {2, 3, 7, 16}) {
    const MatrixBatch batch = MatrixBatch::random(SizeSpread::giants, 100, 2000, 3);
    const Division division = divided(batch, {.workers = workers, .bound = true});
    std::int64_t parts = 0;
    for (const BatchTask& task : division.tasks) {
      if (!task.is_part_of(batch[task.items.begin])) continue;
      ++parts;
      EXPECT_GE(task.rows.size(), 8);
    }
    EXPECT_LE(parts, 2 + workers);
  }
}

TEST(Division, CutsTheLongerSideOfC) {
  const MatrixBatch batch{.shapes = {{40, 4000, 500}, {4000, 40, 500}}};
  const Division division = divided(batch, {.workers = 4, .bound = true});
  for (const BatchTask& task : division.tasks) {
    EXPECT_TRUE(task.is_part_of(batch[task.items.begin]));
    EXPECT_EQ(task.items.begin == 0 ? task.rows : task.columns, (Range{0, 40}));
  }
}

TEST(Division, LeavesGiantsWholeUnderEveryOtherScheduleAndWhereItIsTold) {
  const MatrixBatch batch = MatrixBatch::random(SizeSpread::giants, 50, 2000, 3);
  for (const Schedule schedule : all_schedules) {
    for (const bool split : {false, true}) {
      const Division division = divided(batch, {.schedule = schedule, .workers = 4, .split = split});
      const bool some = std::ranges::any_of(
          division.tasks, [&](const BatchTask& task) { return task.is_part_of(batch[task.items.begin]); });
      EXPECT_EQ(some, split && schedule == Schedule::longest_first) << name_of(schedule);
    }
  }
}

TEST(Division, PutsEqualSmallProductsTogether) {
  const MatrixBatch batch = MatrixBatch::random(SizeSpread::tiny, 100'000, 8, 1);
  const Division division = divided(batch, {.workers = 2});
  EXPECT_LT(division.tasks.size(), 1000U);
  EXPECT_GE(division.tasks.size(), 16U);
  EXPECT_EQ(divided(batch, {.grain = 1, .workers = 2}).tasks.size(), 100'000U);
}

TEST(Division, GivesBlocksOfEquallyManyItems) {
  const MatrixBatch batch = MatrixBatch::random(SizeSpread::tiny, 1000, 8, 1);
  const DivisionFor whom{.schedule = Schedule::block, .workers = 3};
  const Division division = divided(batch, whom);
  const Plan plan = plan_of(division, batch, whom);
  ASSERT_EQ(plan.pieces(), 3);
  for (int worker = 0; worker < 3; ++worker) {
    std::int64_t items = 0;
    for (std::int64_t task = plan.piece(worker).begin; task < plan.piece(worker).end; ++task) {
      items += division.tasks[static_cast<std::size_t>(task)].items.size();
    }
    EXPECT_EQ(items, share_of(1000, 3, worker).size());
  }
}

TEST(Division, RefusesWhatMakesNoSense) {
  EXPECT_THROW((void)divided({}, {.grain = -1}), std::invalid_argument);
  EXPECT_THROW((void)divided({}, {.workers = 0}), std::invalid_argument);
}

}  // namespace
}  // namespace duet
