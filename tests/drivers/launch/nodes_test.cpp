#include "drivers/nodes.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "drivers/command.hpp"
#include "drivers/files/temporary_folder.hpp"
#include "drivers/study/study.hpp"

namespace duet {
namespace {

Node node_called(const std::string& name) {
  Node node;
  node.machine.host = name;
  node.machine.processor = "P";
  node.machine.cores = 4;
  node.machine.numa_nodes = 2;
  node.machine.memory_bytes = 8e9;
  node.machine.peak_flops_one_core = 100e9;
  node.kernel = "of " + name;
  node.program = "hash";
  node.versions = {{"mpi", "4.1.4"}, {"tbb", "12"}};
  return node;
}

/// What is said of the nodes, or "none".
std::string complaint_about(const std::vector<Node>& nodes, const std::vector<Host>& hosts = {}) {
  try {
    refuse_unlike_nodes(nodes, hosts, "hash");
  } catch (const UsageError& error) {
    return error.what();
  }
  return "none";
}

TEST(RefuseUnlikeNodes, LetsPassWhatIsAlike) {
  EXPECT_EQ(complaint_about({node_called("n1"), node_called("n2")}, {{"n1", 4}, {"n2", 0}}), "none");
}

TEST(RefuseUnlikeNodes, NamesTheNodesWithAnotherBuild) {
  std::vector<Node> nodes{node_called("n1"), node_called("n2"), node_called("n3"), node_called("n4")};
  nodes[1].program = "other";
  EXPECT_EQ(complaint_about(nodes),
            "duet on n2 is another build than here (hash of the program's file): the same has to be installed on every "
            "node");
  nodes[2].program = nodes[3].program = "third";
  EXPECT_EQ(complaint_about(nodes).find("duet on n2, n3 and n4 is another build"), 0U);
}

TEST(RefuseUnlikeNodes, NamesTheLibraryThatDiffers) {
  std::vector<Node> nodes{node_called("n1"), node_called("n2")};
  nodes[1].versions["tbb"] = "11";
  EXPECT_EQ(complaint_about(nodes), "tbb on n2 is '11', and on n1 '12': nodes that differ are not compared");
}

TEST(RefuseUnlikeNodes, FindsANodeWithTwoNames) {
  EXPECT_EQ(complaint_about({node_called("n1"), node_called("n1")}),
            "two of the hosts are the same node, n1: each node is named once, with its slots");
}

TEST(RefuseUnlikeNodes, FindsMoreSlotsThanCores) {
  EXPECT_EQ(complaint_about({node_called("n1"), node_called("n2")}, {{"n1", 4}, {"n2", 5}}),
            "host n2 is given 5 slots, and has 4 cores that may be used");
}

TEST(DoubtsAboutNodes, AreOfSlowOnesOtherProcessorsAndSharedMachines) {
  std::vector<Node> nodes{node_called("n1"), node_called("n2"), node_called("n3")};
  EXPECT_TRUE(doubts_about(nodes).empty());
  nodes[2].machine.peak_flops_one_core = 70e9;
  ASSERT_EQ(doubts_about(nodes).size(), 1U);
  EXPECT_EQ(doubts_about(nodes)[0], "a core of n3 computes at 70 % of the usual speed of the nodes");
  nodes[2].machine.processor = "Q";
  ASSERT_EQ(doubts_about(nodes).size(), 1U);
  EXPECT_EQ(doubts_about(nodes)[0], "the nodes are not alike: P in n1 and n2, Q in n3");
  nodes[2].kernel = nodes[1].kernel;
  ASSERT_EQ(doubts_about(nodes).size(), 2U);
  EXPECT_EQ(doubts_about(nodes)[0].find("n2 and n3 are one machine"), 0U);
}

TEST(CommonResources, AreTheLeastThatAnyNodeHas) {
  std::vector<Node> nodes{node_called("n1"), node_called("n2")};
  nodes[1].machine.memory_bytes = 4e9;
  nodes[1].machine.cores = 3;
  const Resources resources = common_resources(nodes, {{"n1", 2}, {"n2", 0}});
  EXPECT_EQ(resources.cores, 2);
  EXPECT_EQ(resources.nodes, 2);
  EXPECT_EQ(resources.memory_bytes, 4e9);
  EXPECT_EQ(common_resources(nodes, {}).cores, 3);
}

TEST(Node, OutlivesItsJson) {
  Node node = node_called("n1");
  node.latency_seconds = 5e-5;
  node.bytes_per_second = 1e9;
  const Node back = nlohmann::json::parse(nlohmann::json(node).dump()).get<Node>();
  EXPECT_EQ(nlohmann::json(back), nlohmann::json(node));
}

TEST(FolderLock, LeavesNothingWhereNothingWasMeasured) {
  namespace fs = std::filesystem;
  const TemporaryFolder folder;
  const fs::path& base = folder.path();
  { const FolderLock lock{base / "study"}; }
  EXPECT_FALSE(fs::exists(base / "study"));
  { const FolderLock lock{base}; }
  EXPECT_TRUE(fs::is_empty(base));
  {
    const FolderLock lock{base / "study"};
    std::ofstream{base / "study" / "trials.jsonl"} << "{}\n";
  }
  EXPECT_TRUE(fs::exists(base / "study" / "trials.jsonl"));
}

}  // namespace
}  // namespace duet
