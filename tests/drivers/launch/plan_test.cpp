#include "drivers/study/plan.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <limits>
#include <map>
#include <set>
#include <stdexcept>

namespace duet {
namespace {

StudyOptions options_for(std::vector<std::string> sizes) {
  StudyOptions options;
  options.problems = {"matmul"};
  options.models = {Model::serial, Model::openmp, Model::tbb, Model::mpi, Model::hybrid};
  options.sizes["matmul"] = std::move(sizes);
  options.workers = {1, 2};
  return options;
}

constexpr Resources two_cores{.cores = 2, .numa_nodes = 1, .nodes = 1, .memory_bytes = 8e9};

std::string message_of(const StudyOptions& options, const Resources& resources) {
  try {
    static_cast<void>(plan_cells(options, resources));
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "";
}

TEST(DefaultWorkers, ArePowersOfTwoAndAllCores) {
  const auto of_cores = [](int cores) { return default_workers({.cores = cores}, {1}); };
  EXPECT_EQ(of_cores(1), (std::vector<int>{1}));
  EXPECT_EQ(of_cores(2), (std::vector<int>{1, 2}));
  EXPECT_EQ(of_cores(6), (std::vector<int>{1, 2, 4, 6}));
  EXPECT_EQ(of_cores(16), (std::vector<int>{1, 2, 4, 8, 16}));
}

TEST(DefaultWorkers, AreAllCoresOfEachNumberOfNodesToo) {
  EXPECT_EQ(default_workers({.cores = 6, .nodes = 3}, {1, 2, 3}), (std::vector<int>{1, 2, 4, 6, 12, 18}));
  EXPECT_EQ(default_workers({.cores = 1, .nodes = 4}, powers_up_to(4)), (std::vector<int>{1, 2, 4}));
}

constexpr Resources four_nodes{.cores = 4, .numa_nodes = 1, .nodes = 4, .memory_bytes = 8e9};

StudyOptions options_on_nodes() {
  StudyOptions options = options_for({"64"});
  options.models = {all_models.begin(), all_models.end()};
  options.nodes = {1, 2, 4};
  options.workers = {1, 2, 4, 8, 16};
  return options;
}

TEST(NodesFor, AreTheFewestThatHaveTheCoresAndTheMost) {
  StudyOptions options = options_on_nodes();
  const auto of_mpi = [&](int workers) { return nodes_for(Model::mpi, workers, options, four_nodes); };
  EXPECT_EQ(of_mpi(1), (std::vector<int>{1}));
  EXPECT_EQ(of_mpi(2), (std::vector<int>{1, 2}));
  EXPECT_EQ(of_mpi(4), (std::vector<int>{1, 4}));
  EXPECT_EQ(of_mpi(8), (std::vector<int>{2, 4}));
  EXPECT_EQ(of_mpi(16), (std::vector<int>{4}));
  // Nothing divides these evenly: as few nodes as hold them, one with fewer.
  EXPECT_EQ(of_mpi(7), (std::vector<int>{2}));
  EXPECT_EQ(nodes_for(Model::tbb, 4, options, four_nodes), (std::vector<int>{1}));
  options.nodes_given = true;
  EXPECT_EQ(of_mpi(4), (std::vector<int>{1, 2, 4}));
  options.scaling = Scaling::strong;
  EXPECT_EQ(of_mpi(4), (std::vector<int>{1}));
}

TEST(PlanCells, SpreadMessagesOverNodesAndEndSharedStateAtOne) {
  std::set<std::string> cells;
  for (const PlannedCell& planned : plan_cells(options_on_nodes(), four_nodes)) {
    EXPECT_TRUE(planned.refusal.empty()) << planned.id;
    const Cell& cell = planned.cell;
    if (!passes_messages(cell.model)) {
      EXPECT_EQ(cell.nodes, 1);
      EXPECT_LE(cell.workers(), 4);
    }
    EXPECT_LE(cell.workers(), 4 * cell.nodes) << planned.id;
    EXPECT_EQ(planned.leading, cell.model == Model::serial || cell.workers() == 16 || cell.workers() == 4)
        << planned.id;
    cells.insert(fmt::format("{} {}: {}x{}", name_of(cell.model), cell.nodes, cell.ranks, cell.threads));
  }
  for (const char* const wanted :
       {"openmp 1: 1x4", "mpi 1: 4x1", "mpi 4: 4x1", "mpi 2: 8x1", "mpi 4: 16x1", "hybrid 1: 2x2", "hybrid 2: 2x4",
        "hybrid 2: 4x2", "hybrid 4: 4x4", "hybrid 4: 8x2"}) {
    EXPECT_TRUE(cells.contains(wanted)) << wanted;
  }
  // One thread in each rank is message passing alone.
  EXPECT_FALSE(cells.contains("hybrid 4: 4x1"));
}

TEST(PlanCells, RefuseMoreNodesThanThereAre) {
  StudyOptions options = options_on_nodes();
  options.nodes = {1, 8};
  EXPECT_EQ(message_of(options, four_nodes), "--nodes 8: this job has 4 nodes (--hosts, or an allocation, gives more)");
  options.nodes = {1, 2};
  EXPECT_EQ(message_of(options, four_nodes),
            "--workers 16: this job may use 8 cores of 2 nodes; --oversubscribe lets workers share a core");
}

TEST(StudyOptions, OfOneMachineWereWrittenWithoutNodes) {
  auto text = as_text(options_on_nodes());
  EXPECT_EQ(options_from(text).nodes, (std::vector<int>{1, 2, 4}));
  text.erase("nodes");
  text.erase("nodes_given");
  EXPECT_EQ(options_from(text).nodes, (std::vector<int>{1}));
}

TEST(ShapeOf, GivesEveryModelExactlyItsWorkers) {
  for (const Model model : {Model::openmp, Model::tbb, Model::mpi, Model::hybrid}) {
    for (int workers = 1; workers <= 48; ++workers) {
      for (const int numa_nodes : {1, 2, 4, 8}) {
        const Shape shape = shape_of(model, workers, numa_nodes);
        EXPECT_EQ(shape.ranks * shape.threads, workers);
      }
    }
  }
}

TEST(ShapeOf, GivesHybridTwoRanksOrOneForEachNumaNode) {
  EXPECT_EQ(shape_of(Model::hybrid, 3, 1).ranks, 1);
  EXPECT_EQ(shape_of(Model::hybrid, 4, 1).ranks, 2);
  EXPECT_EQ(shape_of(Model::hybrid, 16, 4).ranks, 4);
  EXPECT_EQ(shape_of(Model::hybrid, 6, 4).ranks, 3);
  EXPECT_EQ(shape_of(Model::hybrid, 7, 2).ranks, 1);
}

TEST(PlanCells, HasEachModelAtEachSizeAndNumberOfWorkers) {
  const auto plan = plan_cells(options_for({"32", "64"}), two_cores);
  ASSERT_EQ(plan.size(), 2U * (1 + 4 * 2));
  std::set<std::string> ids;
  for (const PlannedCell& planned : plan) {
    EXPECT_TRUE(planned.refusal.empty());
    EXPECT_GT(planned.operations, 0);
    EXPECT_EQ(planned.id, planned.cell.id());
    EXPECT_EQ(planned.leading, planned.cell.model == Model::serial ||
                                   (planned.cell.model != Model::hybrid && planned.cell.workers() == 2));
    ids.insert(planned.id);
  }
  EXPECT_EQ(ids.size(), plan.size());
}

TEST(PlanCells, RefusesCellsThatNeedMoreMemoryThanThereIsWithTheFigure) {
  Resources little = two_cores;
  little.memory_bytes = 1e9;
  for (const PlannedCell& planned : plan_cells(options_for({"16", "20000"}), little)) {
    EXPECT_EQ(planned.refusal.empty(), planned.cell.size == "16") << planned.id;
    if (planned.refusal.empty()) continue;
    EXPECT_NE(planned.refusal.find("GB of memory, and 1 GB are available"), std::string::npos) << planned.refusal;
  }
}

TEST(PlanCells, RefusesMoreWorkersThanCoresUnlessToldTo) {
  StudyOptions options = options_for({"32"});
  options.workers = {1, 8};
  EXPECT_EQ(message_of(options, two_cores),
            "--workers 8: this job may use 2 cores; --oversubscribe lets workers share a core");
  options.oversubscribe = true;
  EXPECT_EQ(message_of(options, two_cores), "");
}

TEST(PlanCells, RefusesSettingsThatNothingHas) {
  StudyOptions options = options_for({"32"});
  options.settings["colour"] = "red";
  EXPECT_NE(message_of(options, two_cores).find("nothing in this study has 'colour'; there is "), std::string::npos);
}

TEST(PlanCells, RefusesSizesThatAProblemDoesNotAllow) {
  EXPECT_NE(message_of(options_for({"-3"}), two_cores).find("-3"), std::string::npos);
  EXPECT_NE(message_of(options_for({"99999999999999999999"}), two_cores), "");
  EXPECT_NE(message_of(options_for({"1.5"}), two_cores).find("1.5"), std::string::npos);
}

TEST(PlanCells, OfAStrongRunAllLead) {
  StudyOptions options = options_for({"64"});
  options.scaling = Scaling::strong;
  const auto plan = plan_cells(options, two_cores);
  EXPECT_EQ(plan.size(), 1U + 4 * 2);
  for (const PlannedCell& planned : plan) EXPECT_TRUE(planned.leading) << planned.id;
}

TEST(PlanCells, OfAWeakRunHaveASizeForEachNumberOfWorkersAndSerialTheFirst) {
  StudyOptions options = options_for({"64", "81"});
  options.scaling = Scaling::weak;
  const auto plan = plan_cells(options, two_cores);
  EXPECT_EQ(plan.size(), 1U + 4 * 2);
  for (const PlannedCell& planned : plan) {
    EXPECT_EQ(planned.cell.size, planned.cell.workers() == 1 ? "64" : "81") << planned.id;
    EXPECT_EQ(planned.group, plan.front().group);
    EXPECT_TRUE(planned.leading);
  }
}

TEST(StudyOptions, AreReadBackAsTheyWereWritten) {
  StudyOptions options = options_for({"32", "100x200x300"});
  options.problems.emplace_back("fib_batch");
  options.sizes["fib_batch"] = {"1000"};
  options.sizes_given = true;
  options.settings = {{"schedule", "guided"}, {"grain", "4"}};
  options.seed = 123456789012345;
  options.oversubscribe = true;
  options.budget_seconds = std::numeric_limits<double>::infinity();
  options.precision = 0.015;
  options.time_limit_seconds = 12.5;
  options.rounds = 7;
  options.scaling = Scaling::weak;
  const auto text = as_text(options);
  EXPECT_EQ(as_text(options_from(text)), text);
  const StudyOptions back = options_from(text);
  EXPECT_EQ(back.sizes, options.sizes);
  EXPECT_EQ(back.models, options.models);
  EXPECT_EQ(back.settings, options.settings);
  EXPECT_EQ(back.budget_seconds, options.budget_seconds);
  EXPECT_EQ(back.precision, options.precision);
  EXPECT_EQ(back.scaling, options.scaling);
}

TEST(StudyOptions, NameTheRecordedOptionThatDoesNotParse) {
  auto text = as_text(options_for({"32"}));
  text["workers"] = "1 two";
  EXPECT_THROW(static_cast<void>(options_from(text)), std::invalid_argument);
  text.erase("workers");
  EXPECT_THROW(static_cast<void>(options_from(text)), std::invalid_argument);
}

TEST(CoarseFirst, TakesTheEndsThenTheMiddlesOfTheLargestGaps) {
  EXPECT_EQ(coarse_first(0), (std::vector<std::size_t>{}));
  EXPECT_EQ(coarse_first(1), (std::vector<std::size_t>{0}));
  EXPECT_EQ(coarse_first(2), (std::vector<std::size_t>{0, 1}));
  EXPECT_EQ(coarse_first(5), (std::vector<std::size_t>{0, 4, 2, 1, 3}));
  EXPECT_EQ(coarse_first(7), (std::vector<std::size_t>{0, 6, 3, 1, 4, 2, 5}));
}

std::vector<std::string> ids_of(const std::vector<PlannedCell>& cells) {
  std::vector<std::string> ids;
  for (const PlannedCell& planned : cells) ids.push_back(planned.id);
  return ids;
}

TEST(Shuffled, IsTheSameForOneSeedAndRoundAndAnotherForOthers) {
  const auto plan = plan_cells(options_for({"32", "64", "128"}), two_cores);
  EXPECT_EQ(ids_of(shuffled(plan, 1, 1)), ids_of(shuffled(plan, 1, 1)));
  EXPECT_NE(ids_of(shuffled(plan, 1, 1)), ids_of(shuffled(plan, 1, 2)));
  EXPECT_NE(ids_of(shuffled(plan, 1, 1)), ids_of(shuffled(plan, 2, 1)));
}

TEST(Shuffled, KeepsCellsThatAreComparedNextToEachOther) {
  const auto plan = plan_cells(options_for({"32", "64", "128"}), two_cores);
  for (int round = 1; round <= 20; ++round) {
    const auto order = shuffled(plan, 1, round);
    ASSERT_EQ(order.size(), plan.size());
    int changes = 0;
    for (std::size_t i = 1; i < order.size(); ++i) changes += order[i].cell.size == order[i - 1].cell.size ? 0 : 1;
    EXPECT_EQ(changes, 2);
  }
}

TEST(Shuffled, PutsEachCellOfAGroupFirstInItsTurn) {
  const auto plan = plan_cells(options_for({"32"}), two_cores);
  std::map<std::string, int> first;
  constexpr int rounds = 900;
  for (int round = 1; round <= rounds; ++round) first[shuffled(plan, 1, round).front().id] += 1;
  // 100 each are expected, with a standard deviation below 10.
  EXPECT_EQ(first.size(), plan.size());
  for (const auto& [id, times] : first) EXPECT_NEAR(times, 100, 60) << id;
}

TEST(SizeBetween, IsRoundAndStrictlyBetween) {
  EXPECT_EQ(size_between(512, 1024), 736);
  EXPECT_EQ(size_between(512, 736), 608);
  EXPECT_EQ(size_between(2, 4), 3);
  EXPECT_EQ(size_between(2, 3), 0);
  EXPECT_EQ(size_between(7, 7), 0);
  for (double below = 1; below < 5000; below *= 1.7) {
    for (double above = below * 1.2 + 2; above < 9000; above *= 2.3) {
      const auto size = static_cast<double>(size_between(below, above));
      EXPECT_GT(size, below);
      EXPECT_LT(size, above);
    }
  }
}

}  // namespace
}  // namespace duet
