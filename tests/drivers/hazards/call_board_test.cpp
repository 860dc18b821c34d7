/// What ranks wrote down, and what is made of it.

#include "drivers/hazards/call_board.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

namespace duet {
namespace {

using hazards::Call;
using hazards::CallKind;

RankState standing_in(const Call& call) { return {.in_call = true, .call = call, .processor_seconds = 10}; }

RankState having_called(std::vector<Call> collectives) {
  RankState state;
  state.collectives = std::move(collectives);
  return state;
}

const Call broadcast_from_0{.kind = CallKind::broadcast, .from = 0, .bytes = 64};
const Call broadcast_from_1{.kind = CallKind::broadcast, .from = 1, .bytes = 64};
const Call sum_on_0{.kind = CallKind::reduce, .from = 0, .bytes = 64};

TEST(WaitCycle, NamesRanksCallsAndTheWayRound) {
  const std::vector<RankState> ranks{
      standing_in({.kind = CallKind::send, .to = 1, .tag = 7, .bytes = 4041}),
      standing_in({.kind = CallKind::send, .to = 2, .tag = 7, .bytes = 4041}),
      standing_in({.kind = CallKind::send, .to = 0, .tag = 7, .bytes = 4041}),
  };
  EXPECT_EQ(wait_cycle(ranks),
            "rank 0 in MPI_Send to rank 1 (tag 7, 4041 bytes)\n"
            "rank 1 in MPI_Send to rank 2 (tag 7, 4041 bytes)\n"
            "rank 2 in MPI_Send to rank 0 (tag 7, 4041 bytes)\n"
            "rank 0 waits for rank 1 waits for rank 2 waits for rank 0");
}

TEST(WaitCycle, LeavesOutRanksThatOnlyWaitForIt) {
  const std::vector<RankState> ranks{
      standing_in({.kind = CallKind::receive, .from = 1, .tag = 1, .bytes = 8}),
      standing_in({.kind = CallKind::receive, .from = 2, .tag = 1, .bytes = 8}),
      standing_in({.kind = CallKind::receive, .from = 1, .tag = 1, .bytes = 8}),
  };
  const std::string text = wait_cycle(ranks);
  EXPECT_EQ(text.find("rank 0"), std::string::npos) << text;
  EXPECT_NE(text.find("rank 1 waits for rank 2 waits for rank 1"), std::string::npos) << text;
}

TEST(WaitCycle, IsNoneWhereASendMeetsItsReceive) {
  const std::vector<RankState> ranks{
      standing_in({.kind = CallKind::send, .to = 1, .tag = 7, .bytes = 8}),
      standing_in({.kind = CallKind::receive, .from = 0, .tag = 7, .bytes = 8}),
  };
  EXPECT_EQ(wait_cycle(ranks), "");
}

TEST(WaitCycle, IsNoneWhereSomebodyStillComputes) {
  std::vector<RankState> ranks{
      standing_in({.kind = CallKind::send, .to = 1, .tag = 7, .bytes = 8}),
      standing_in({.kind = CallKind::send, .to = 0, .tag = 7, .bytes = 8}),
  };
  ranks[1].in_call = false;
  EXPECT_EQ(wait_cycle(ranks, false), "");
  ranks[1].in_call = true;
  ranks[1].processor_seconds = 0.001;
  EXPECT_EQ(wait_cycle(ranks), "") << "it has only just come";
  EXPECT_NE(wait_cycle(ranks, false), "") << "at the deadline that does not matter";
}

TEST(WaitCycle, WaitsForAllWhoAreNotInTheSameCollective) {
  std::vector<RankState> ranks{standing_in(broadcast_from_0), standing_in(sum_on_0)};
  EXPECT_NE(wait_cycle(ranks).find("rank 1 in MPI_Reduce (root 0, 64 bytes)"), std::string::npos);
  ranks[1] = standing_in(broadcast_from_0);
  EXPECT_EQ(wait_cycle(ranks), "");
}

TEST(Mismatch, NamesTheFirstCollectiveThatDiffersAndWhoCallsWhat) {
  const std::vector<RankState> ranks{having_called({sum_on_0, broadcast_from_0}), having_called({sum_on_0, sum_on_0}),
                                     having_called({sum_on_0, sum_on_0})};
  EXPECT_EQ(mismatch(ranks),
            "rank 0 calls MPI_Bcast (root 0, 64 bytes) as collective 2\n"
            "ranks 1 and 2 call MPI_Reduce (root 0, 64 bytes) as collective 2");
}

TEST(Mismatch, IsAnotherRootToo) {
  EXPECT_NE(mismatch(std::vector{having_called({broadcast_from_0}), having_called({broadcast_from_1})}), "");
}

TEST(Mismatch, IsNoneWhereARankIsBehind) {
  EXPECT_EQ(mismatch(std::vector{having_called({broadcast_from_0, sum_on_0}), having_called({broadcast_from_0}),
                                 having_called({})}),
            "");
}

class Boards : public testing::Test {
 protected:
  void TearDown() override { std::filesystem::remove(path_); }
  const std::string path_ =
      (std::filesystem::temp_directory_path() / ("duet-board-" + std::to_string(getpid()))).string();
};

TEST_F(Boards, ShowOthersWhatARankIsAboutToDo) {
  CallBoard mine = CallBoard::create(path_, 2);
  const CallBoard others = CallBoard::open(path_);
  ASSERT_EQ(others.ranks(), 2);
  EXPECT_FALSE(others.state_of(1).in_call);
  const auto log = mine.log_of(1);
  const Call call{.kind = CallKind::send, .to = 0, .tag = 3, .bytes = 65536};
  log->begins(call);
  EXPECT_TRUE(others.state_of(1).in_call);
  EXPECT_EQ(others.state_of(1).call, call);
  EXPECT_EQ(others.state_of(1).largest_sent, -1);
  log->ended();
  EXPECT_FALSE(others.state_of(1).in_call);
  EXPECT_EQ(others.state_of(1).largest_sent, 65536);
  EXPECT_FALSE(others.state_of(0).in_call);
}

TEST_F(Boards, TakeARankForStandingOnlyInOneAndTheSameCall) {
  CallBoard board = CallBoard::create(path_, 1);
  const auto log = board.log_of(0);
  log->begins({.kind = CallKind::receive, .from = 0});
  board.note_time(0, 1.0, 100.0);
  board.note_time(0, 1.1, 100.1);
  EXPECT_FALSE(board.state_of(0).stands_still());
  board.note_time(0, 1.3, 100.3);
  EXPECT_TRUE(board.state_of(0).stands_still());
  log->ended();
  log->begins({.kind = CallKind::receive, .from = 0});
  EXPECT_FALSE(board.state_of(0).stands_still());
  board.note_time(0, 1.4, 100.4);
  EXPECT_FALSE(board.state_of(0).stands_still());
}

TEST_F(Boards, RememberTheLastCollectivesByNumber) {
  CallBoard board = CallBoard::create(path_, 2);
  const auto first = board.log_of(0);
  const auto second = board.log_of(1);
  constexpr int many = 500;
  for (int i = 0; i < many; ++i) {
    for (hazards::CallLog* log : {first.get(), second.get()}) {
      log->begins(i % 3 == 0 ? sum_on_0 : broadcast_from_0);
      log->ended();
    }
  }
  EXPECT_EQ(standstill(board), "");
  first->begins(sum_on_0);
  second->begins(broadcast_from_0);
  EXPECT_EQ(standstill(board),
            "rank 0 calls MPI_Reduce (root 0, 64 bytes) as collective 501\n"
            "rank 1 calls MPI_Bcast (root 0, 64 bytes) as collective 501");
}

TEST_F(Boards, KeepADeadlockForWhoComesAfterTheRanks) {
  {
    CallBoard board = CallBoard::create(path_, 2);
    board.log_of(0)->begins({.kind = CallKind::send, .to = 1, .tag = 7, .bytes = 4041});
    board.log_of(1)->begins({.kind = CallKind::send, .to = 0, .tag = 7, .bytes = 4041});
  }
  const CallBoard board = CallBoard::open(path_);
  EXPECT_EQ(standstill(board), "") << "nobody has watched for how long";
  EXPECT_NE(standstill(board, false).find("rank 0 waits for rank 1 waits for rank 0"), std::string::npos);
}

TEST(CallBoardFile, SaysWhatIsWrongWithIt) {
  EXPECT_THROW(static_cast<void>(CallBoard::open("/nowhere/board")), std::runtime_error);
  EXPECT_THROW(static_cast<void>(CallBoard::create("/nowhere/board", 2)), std::runtime_error);
}

}  // namespace
}  // namespace duet
