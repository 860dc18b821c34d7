#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "drivers/study/verdict.hpp"
#include "tests/drivers/study/made_up.hpp"

namespace duet {
namespace {

Cell cell_on(int nodes, Model model, const std::string& size, int workers) {
  Cell cell = cell_of(model, size, workers);
  cell.nodes = nodes;
  return cell;
}

/// Two nodes of two cores. On two workers the network makes messages 1.5 times as slow; four workers pay from 512 on.
MadeUp two_nodes() {
  MadeUp study;
  const auto add = [&](const std::string& size, double scale, double two_nodes) {
    study.add(cell_on(1, Model::openmp, size, 2), scale)
        .add(cell_on(1, Model::mpi, size, 2), 1.1 * scale)
        .add(cell_on(2, Model::mpi, size, 2), 1.65 * scale)
        .add(cell_on(2, Model::mpi, size, 4), two_nodes * scale);
  };
  add("128", 1e-4, 3);
  add("256", 1e-3, 1.5);
  add("512", 1e-2, 0.8);
  add("1024", 1e-1, 0.6);
  return study;
}

std::vector<const Verdict*> verdicts_on(const Analysis& analysis, Axis axis) {
  std::vector<const Verdict*> found;
  for (const Verdict& verdict : analysis.verdicts) {
    if (verdict.axis == axis) found.push_back(&verdict);
  }
  return found;
}
/// What is returned points into the analysis, which has to live on.
std::vector<const Verdict*> verdicts_on(const Analysis&& analysis, Axis axis) = delete;

TEST(NodesVerdict, SaysFromWhichSizeOnASecondNodePays) {
  const Analysis analysis = analyse(two_nodes().study);
  const auto verdicts = verdicts_on(analysis, Axis::growth);
  ASSERT_EQ(verdicts.size(), 1U);
  const Verdict& verdict = *verdicts[0];
  EXPECT_EQ(verdict.fewer, (Span{1, 2}));
  EXPECT_EQ(verdict.more, (Span{2, 4}));
  ASSERT_EQ(verdict.comparisons.size(), 4U);
  EXPECT_EQ(verdict.comparisons[0].faster_name, "openmp on 1 node");
  EXPECT_EQ(verdict.comparisons[3].faster_name, "mpi on 2 nodes");
  ASSERT_EQ(verdict.crossovers.size(), 1U);
  EXPECT_GT(verdict.crossovers[0].estimate, 256);
  EXPECT_LT(verdict.crossovers[0].estimate, 512);
  EXPECT_EQ(verdict.headline.rfind("Taking 2 nodes wins from about n = ", 0), 0U) << verdict.headline;
  EXPECT_NE(verdict.headline.find("staying on one node below, on 4 workers against 2"), std::string::npos)
      << verdict.headline;
}

TEST(NodesVerdict, SaysWhatMessagesBetweenNodesCost) {
  const Analysis analysis = analyse(two_nodes().study);
  const auto verdicts = verdicts_on(analysis, Axis::spread);
  ASSERT_EQ(verdicts.size(), 1U);
  const Verdict& verdict = *verdicts[0];
  EXPECT_EQ(verdict.fewer, (Span{1, 2}));
  EXPECT_EQ(verdict.more, (Span{2, 2}));
  EXPECT_EQ(verdict.headline,
            "Keeping to one node wins at every size measured on 2 workers: mpi on 1 node 1.50x faster than mpi on 2 "
            "nodes");
  // Sharing state on one node is no part of the question what messages cost.
  for (const Comparison& comparison : verdict.comparisons) EXPECT_EQ(comparison.faster, Model::mpi);
}

TEST(NodesVerdict, StandsBehindThatOfTheCores) {
  const Analysis analysis = analyse(two_nodes().study);
  ASSERT_EQ(analysis.verdicts.size(), 3U);
  EXPECT_EQ(analysis.verdicts[0].axis, Axis::models);
  EXPECT_EQ(analysis.verdicts[0].workers, 2);
  EXPECT_EQ(analysis.verdicts[1].axis, Axis::growth);
  EXPECT_EQ(analysis.verdicts[2].axis, Axis::spread);
}

TEST(NodesVerdict, IsNotGivenWhereOneNodeWasMeasured) {
  MadeUp study;
  study.add(cell_on(1, Model::openmp, "64", 2), 1).add(cell_on(1, Model::mpi, "64", 2), 2);
  study.add(cell_on(1, Model::mpi, "64", 1), 2);
  const Analysis analysis = analyse(study.study);
  ASSERT_EQ(analysis.verdicts.size(), 1U);
  EXPECT_EQ(analysis.verdicts[0].axis, Axis::models);
}

TEST(NodesVerdict, LetsTeamsOfThreadsStandForASideOnlyWhereTheirRanksSendMessages) {
  MadeUp study;
  Cell team = cell_on(1, Model::hybrid, "64", 1);
  team.threads = 2;
  study.add(team, 1).add(cell_on(1, Model::mpi, "64", 2), 2).add(cell_on(2, Model::mpi, "64", 2), 3);
  const auto analysis = analyse(study.study);
  const auto verdicts = verdicts_on(analysis, Axis::spread);
  ASSERT_EQ(verdicts.size(), 1U);
  EXPECT_EQ(verdicts[0]->comparisons.at(0).faster_name, "mpi on 1 node");
}

TEST(NodesVerdict, ComparesOversubscribedCellsOnlyWithTheirLike) {
  MadeUp study;
  study.add(cell_on(1, Model::openmp, "64", 2), 1);
  study.add(cell_on(2, Model::mpi, "64", 4), 0.5, {"oversubscribed"});
  const Analysis analysis = analyse(study.study);
  for (const Verdict* const verdict : verdicts_on(analysis, Axis::growth)) {
    EXPECT_TRUE(verdict->comparisons.empty());
  }
}

TEST(NodesVerdict, IsNotMovedByASecondProblemOrParameters) {
  MadeUp study = two_nodes();
  Cell other = cell_on(1, Model::mpi, "64", 2);
  other.problem = "fib_batch";
  study.add(other, 1);
  other.nodes = 2;
  study.add(other, 2);
  const Analysis analysis = analyse(study.study);
  EXPECT_EQ(verdicts_on(analysis, Axis::spread).size(), 2U);
  EXPECT_EQ(verdicts_on(analysis, Axis::growth).size(), 1U);
}

}  // namespace
}  // namespace duet
