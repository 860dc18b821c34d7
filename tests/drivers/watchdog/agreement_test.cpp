/// Nodes that stand still, and how they find out that all do: their postings on a wall of the test's own, their looks
/// and their steps one by one.

#include "drivers/watchdog/agreement.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
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
    for (const int rank : ranks_) {
      Node node;
      node.agreement = member(rank, node.board);
      nodes_[rank] = std::move(node);
    }
  }
  std::unique_ptr<Agreement> member(int rank, const std::shared_ptr<Board>& board) {
    return std::make_unique<Agreement>(ranks_, rank, board,
                                       Postings{.post =
                                                    [this](const std::string& name, const std::string& text) {
                                                      EXPECT_FALSE(wall_.contains(name)) << name << " is taken";
                                                      wall_[name] = text;
                                                      return served_;
                                                    },
                                                .find = [this](const std::string& name) -> std::optional<std::string> {
                                                  const auto found = wall_.find(name);
                                                  if (found == wall_.end()) return std::nullopt;
                                                  return found->second;
                                                }});
  }
  Agreement& of(int rank) { return *nodes_.at(rank).agreement; }

  void look(int rank) {
    RankState state;
    state.rank = rank;
    state.doing = RankState::Doing::waits;
    state.phase = "look " + std::to_string(looks_++);
    of(rank).node_stands_still({state});
  }
  /// So many times: a few looks of each of these nodes, and a step.
  void stand_still(const std::vector<int>& those, int times = 1) {
    for (int again = 0; again < times; ++again) {
      for (const int rank : those) {
        for (int i = 0; i < 5; ++i) look(rank);
        of(rank).step();
      }
    }
  }

  const std::vector<int> ranks_{0, 2, 5};
  std::map<std::string, std::string> wall_;
  std::map<int, Node> nodes_;
  bool served_ = true;
  int looks_ = 0;
};

TEST_F(Nodes, AgreeWhenAllStandStill) {
  stand_still(ranks_, 4);
  const auto all = of(0).all();
  ASSERT_TRUE(all.has_value());
  ASSERT_EQ(all->size(), 3U);
  EXPECT_EQ(all->at(0).rank, 0);
  EXPECT_EQ(all->at(2).rank, 5);
  EXPECT_FALSE(of(2).all().has_value()) << "one node tells";
}

TEST_F(Nodes, PostNothingWhileTheyMove) {
  for (const int rank : ranks_) of(rank).step();
  EXPECT_TRUE(wall_.empty());
}

TEST_F(Nodes, DoNotAgreeWhileOneMoves) {
  stand_still({0, 2}, 10);
  EXPECT_FALSE(of(0).all().has_value());
  stand_still(ranks_, 4);
  EXPECT_TRUE(of(0).all().has_value());
}

TEST_F(Nodes, DoNotAgreeWhereOneHasMovedSinceItSaidThatItStoodStill) {
  stand_still(ranks_);
  of(5).node_moves();
  for (int again = 0; again < 10; ++again) {
    stand_still({0, 2});
    of(5).step();
  }
  EXPECT_FALSE(of(0).all().has_value());
  stand_still(ranks_, 4);
  ASSERT_TRUE(of(0).all().has_value()) << "it stands still again";
  EXPECT_NE(wall_.find("still.5.2"), wall_.end());
}

TEST_F(Nodes, DoNotAgreeWhereOneMovesBetweenTheQuestionAndItsAnswer) {
  stand_still(ranks_);
  of(0).step();
  ASSERT_TRUE(wall_.contains("all.1"));
  // Node 2 reads the question, but its ranks have not all been looked at since.
  of(2).step();
  look(2);
  of(2).step();
  EXPECT_FALSE(wall_.contains("yes.1.2"));
  of(2).node_moves();
  stand_still({5}, 2);
  EXPECT_TRUE(wall_.contains("yes.1.5"));
  stand_still({0}, 5);
  EXPECT_FALSE(of(0).all().has_value());
  // It stands still again: the old question is not for it.
  stand_still({2}, 3);
  EXPECT_FALSE(wall_.contains("yes.1.2"));
  stand_still(ranks_, 4);
  EXPECT_TRUE(of(0).all().has_value());
}

TEST_F(Nodes, TakeBackWhatTheFirstOneKnewWhenItMoves) {
  stand_still(ranks_, 4);
  ASSERT_TRUE(of(0).all().has_value());
  of(0).node_moves();
  EXPECT_FALSE(of(0).all().has_value());
  stand_still(ranks_, 4);
  const auto all = of(0).all();
  ASSERT_TRUE(all.has_value());
  EXPECT_TRUE(wall_.contains("still.0.2"));
}

TEST_F(Nodes, GoOnWithAnotherRankWhereOneHasDied) {
  stand_still(ranks_, 2);
  for (const int rank : {0, 5}) nodes_.at(rank).agreement = member(rank, nodes_.at(rank).board);
  stand_still(ranks_, 5);
  EXPECT_TRUE(of(0).all().has_value());
}

TEST_F(Nodes, KnowWhenNothingCanBePosted) {
  served_ = false;
  stand_still(ranks_, 3);
  EXPECT_FALSE(of(2).is_served());
  EXPECT_FALSE(of(0).all().has_value());
}

}  // namespace
}  // namespace duet
