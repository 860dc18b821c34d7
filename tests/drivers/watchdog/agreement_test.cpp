/// Nodes that stand still, and how they find out that all do: their postings on a wall of the test's own, their looks
/// and their steps one by one.

#include "drivers/watchdog/agreement.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace duet {
namespace {

class Nodes : public testing::Test {
 protected:
  struct Node {
    std::shared_ptr<Board> board = std::make_shared<Board>();
    std::unique_ptr<Agreement> agreement{};
  };

  void SetUp() override {
    for (const auto& [node, ranks] : ranks_) nodes_[node].agreement = member(node, ranks.front());
  }
  /// What `rank` of the node has where it is the lowest that is alive.
  std::unique_ptr<Agreement> member(int node, int rank) {
    return std::make_unique<Agreement>(ranks_, node, nodes_[node].board,
                                       Postings{.post =
                                                    [this, rank](const std::string& text) {
                                                      wall_[rank] = text;
                                                      return served_;
                                                    },
                                                .find = [this](int asked) -> std::optional<std::string> {
                                                  ++finds_;
                                                  const auto found = wall_.find(asked);
                                                  if (found == wall_.end()) return std::nullopt;
                                                  return found->second;
                                                }});
  }
  Agreement& of(int node) { return *nodes_.at(node).agreement; }
  /// In the posting of `rank`; 0 where there is nothing.
  std::uint64_t posted(int rank, const char* key) {
    return wall_.contains(rank) ? nlohmann::json::parse(wall_[rank]).value(key, std::uint64_t{0}) : 0;
  }

  void look(int node) {
    RankState state;
    state.rank = node;
    state.doing = RankState::Doing::waits;
    state.phase = "look " + std::to_string(looks_++);
    of(node).node_stands_still({state});
  }
  /// So many times: a few looks of each of these nodes, and a step.
  void stand_still(const std::vector<int>& those, int times = 1) {
    for (int again = 0; again < times; ++again) {
      for (const int node : those) {
        for (int i = 0; i < 5; ++i) look(node);
        of(node).step();
      }
    }
  }

  const std::map<int, std::vector<int>> ranks_{{0, {0, 1}}, {2, {2, 3, 4}}, {5, {5}}};
  const std::vector<int> every_{0, 2, 5};
  std::map<int, std::string> wall_;
  std::map<int, Node> nodes_;
  bool served_ = true;
  int looks_ = 0;
  int finds_ = 0;
};

TEST_F(Nodes, AgreeWhenAllStandStill) {
  stand_still(every_, 4);
  const auto all = of(0).all();
  ASSERT_TRUE(all.has_value());
  ASSERT_EQ(all->size(), 3U);
  EXPECT_EQ(all->at(0).rank, 0);
  EXPECT_EQ(all->at(2).rank, 5);
  EXPECT_FALSE(of(2).all().has_value()) << "one node tells";
}

TEST_F(Nodes, PostNothingWhileTheyMove) {
  for (const int node : every_) of(node).step();
  EXPECT_TRUE(wall_.empty());
  EXPECT_EQ(finds_, 0);
}

TEST_F(Nodes, DoNotAgreeWhileOneMoves) {
  stand_still({0, 2}, 10);
  EXPECT_FALSE(of(0).all().has_value());
  stand_still(every_, 4);
  EXPECT_TRUE(of(0).all().has_value());
}

TEST_F(Nodes, DoNotAgreeWhereOneHasMovedSinceItSaidThatItStoodStill) {
  stand_still(every_);
  of(5).node_moves();
  for (int again = 0; again < 10; ++again) {
    stand_still({0, 2});
    of(5).step();
  }
  EXPECT_FALSE(of(0).all().has_value());
  stand_still(every_, 4);
  ASSERT_TRUE(of(0).all().has_value()) << "it stands still again";
  EXPECT_EQ(posted(5, "number"), 2U);
}

TEST_F(Nodes, DoNotAgreeWhereOneMovesBetweenTheQuestionAndItsAnswer) {
  stand_still(every_);
  of(0).step();
  ASSERT_EQ(posted(0, "number"), 1U);
  // Node 2 reads the question, but its ranks have not all been looked at since.
  of(2).step();
  look(2);
  of(2).step();
  EXPECT_EQ(posted(2, "yes"), 0U);
  of(2).node_moves();
  stand_still({5}, 2);
  EXPECT_EQ(posted(5, "yes"), 1U);
  stand_still({0}, 5);
  EXPECT_FALSE(of(0).all().has_value());
  // It stands still again: the old question is not for it.
  stand_still({2}, 3);
  EXPECT_EQ(posted(2, "yes"), 0U);
  stand_still(every_, 4);
  EXPECT_TRUE(of(0).all().has_value());
}

TEST_F(Nodes, TakeBackWhatTheFirstOneKnewWhenItMoves) {
  stand_still(every_, 4);
  ASSERT_TRUE(of(0).all().has_value());
  of(0).node_moves();
  EXPECT_FALSE(of(0).all().has_value());
  stand_still(every_, 4);
  EXPECT_TRUE(of(0).all().has_value());
  EXPECT_EQ(posted(0, "number"), 2U) << "it asked anew";
}

TEST_F(Nodes, GoOnWithAnotherRankWhereOneHasDied) {
  stand_still(every_, 2);
  nodes_.at(0).agreement = member(0, 1);
  nodes_.at(2).agreement = member(2, 4);
  stand_still(every_, 8);
  const auto all = of(0).all();
  ASSERT_TRUE(all.has_value());
  EXPECT_EQ(all->size(), 3U);
}

TEST_F(Nodes, AskFewRanksAtATime) {
  stand_still(every_, 3);
  finds_ = 0;
  of(0).step();
  EXPECT_LE(finds_, 2 + 1) << "of the node of three ranks two, of the other its only one";
}

TEST_F(Nodes, KnowWhenNothingCanBePosted) {
  served_ = false;
  stand_still(every_, 3);
  EXPECT_FALSE(of(2).is_served());
  EXPECT_FALSE(of(0).all().has_value());
}

}  // namespace
}  // namespace duet
