/// From what ranks do and wait for to why nothing moves.

#include "drivers/watchdog/diagnosis.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace duet {
namespace {

using Doing = RankState::Doing;
using Kind = Diagnosis::Kind;

RankState rank_that(int rank, Doing doing) {
  RankState state;
  state.rank = rank;
  state.doing = doing;
  state.seconds = 30;
  state.phase = "trial 0: executing";
  state.trial = 0;
  return state;
}

Wait message(const std::string& call, Wait::Way way, int peer, int tag) {
  Wait wait;
  wait.call = call;
  wait.way = way;
  wait.peer = peer;
  wait.tag = tag;
  wait.communicator = "all";
  wait.size = 4;
  return wait;
}

RankState in_call(int rank, const Wait& wait) {
  RankState state = rank_that(rank, Doing::waits);
  state.call = wait.call;
  state.waits = {wait};
  return state;
}

RankState receiving(int rank, int source, int tag) {
  return in_call(rank, message("MPI_Recv", Wait::Way::receives, source, tag));
}
RankState sending(int rank, int destination, int tag, const std::string& call = "MPI_Send") {
  return in_call(rank, message(call, Wait::Way::sends, destination, tag));
}

/// In the `ordinal`-th collective call of the ranks from 0 to `ranks` - 1.
RankState together(int rank, int ranks, const std::string& call, std::uint64_t ordinal, int root = Wait::not_told) {
  Wait wait;
  wait.call = call;
  wait.way = Wait::Way::collective;
  wait.peer = Wait::all;
  wait.root = root;
  wait.communicator = "all";
  wait.size = ranks;
  wait.ordinal = ordinal;
  for (int member = 0; member < ranks; ++member) wait.members.push_back(member);
  RankState state = in_call(rank, wait);
  state.collectives["all"] = ordinal;
  return state;
}

RankState from_anybody(int rank, int ranks) {
  RankState state = receiving(rank, Wait::any, Wait::any);
  state.waits[0].size = ranks;
  for (int member = 0; member < ranks; ++member) state.waits[0].members.push_back(member);
  return state;
}

RankState begun(RankState state, std::uint64_t collectives) {
  state.collectives["all"] = collectives;
  return state;
}

bool hints_at(const Diagnosis& diagnosis, const std::string& part) {
  return std::ranges::any_of(diagnosis.hints,
                             [&](const std::string& hint) { return hint.find(part) != std::string::npos; });
}

TEST(Diagnosis, NamesTwoRanksThatReceiveFromEachOther) {
  const Diagnosis found = diagnose({receiving(0, 1, 7), receiving(1, 0, 3)}, 2);
  EXPECT_EQ(found.kind, Kind::cycle);
  EXPECT_EQ(found.cycle, (std::vector<int>{0, 1}));
  EXPECT_TRUE(found.certain);
  EXPECT_EQ(found.headline,
            "a wait cycle: rank 0 waits for rank 1 in MPI_Recv (tag 7), rank 1 waits for rank 0 in MPI_Recv (tag 3)");
  EXPECT_TRUE(hints_at(found, "receives, and none sends"));
  const auto lines = found.lines();
  EXPECT_EQ(lines.at(0), "rank 0, for 30.0 s: waits for rank 1 in MPI_Recv (tag 7), communicator of 4 ranks");
  EXPECT_EQ(lines.at(2), "wait cycle: rank 0 -> rank 1 -> rank 0");
}

TEST(Diagnosis, FindsACycleOfThreeRanksAndLeavesOutWhoWaitsForIt) {
  const Diagnosis found =
      diagnose({receiving(0, 1, 1), receiving(1, 3, 1), receiving(2, 0, 1), sending(3, 0, 1, "MPI_Ssend")}, 4);
  EXPECT_EQ(found.kind, Kind::cycle);
  EXPECT_EQ(found.cycle, (std::vector<int>{0, 1, 3}));
  EXPECT_NE(found.headline.find("rank 3 waits for rank 0 in MPI_Ssend (tag 1)"), std::string::npos) << found.headline;
  EXPECT_EQ(found.headline.find("rank 2"), std::string::npos) << found.headline;
  EXPECT_EQ(found.lines().at(3).rfind("rank 2,", 0), 0U) << "all ranks have a line, those of the cycle first";
}

TEST(Diagnosis, TellsARankThatWaitsForItself) {
  const Diagnosis found = diagnose({receiving(0, 0, 1)}, 1);
  EXPECT_EQ(found.kind, Kind::cycle);
  EXPECT_EQ(found.cycle, std::vector<int>{0});
}

TEST(Diagnosis, NamesCollectiveCallsThatDoNotMatch) {
  const Diagnosis found = diagnose(
      {together(0, 3, "MPI_Barrier", 5), together(1, 3, "MPI_Bcast", 5, 0), together(2, 3, "MPI_Bcast", 5, 0)}, 3);
  EXPECT_EQ(found.kind, Kind::mismatch);
  EXPECT_TRUE(found.certain);
  EXPECT_EQ(found.headline,
            "rank 0 is in MPI_Barrier, rank 1 in MPI_Bcast (root 0), on the same communicator of 3 ranks");
}

TEST(Diagnosis, NamesRootsThatDoNotMatch) {
  const Diagnosis found = diagnose({together(0, 2, "MPI_Bcast", 5, 0), together(1, 2, "MPI_Bcast", 5, 1)}, 2);
  EXPECT_EQ(found.kind, Kind::mismatch);
}

TEST(Diagnosis, DoesNotTakeARankThatIsAheadForAMismatch) {
  // Rank 0 has broadcast and is at the barrier behind it; rank 1 waits for the broadcast to come through rank 2, which
  // receives what nobody sends.
  const Diagnosis found =
      diagnose({together(0, 3, "MPI_Barrier", 6), together(1, 3, "MPI_Bcast", 5, 0), begun(receiving(2, 1, 9), 4)}, 3);
  EXPECT_EQ(found.kind, Kind::cycle);
  EXPECT_EQ(found.cycle, (std::vector<int>{1, 2}));
}

TEST(Diagnosis, WaitsForNobodyWhoHasDoneItsPartOfACollectiveCall) {
  const Diagnosis found = diagnose({together(0, 2, "MPI_Bcast", 5, 1), begun(receiving(1, 0, 9), 5)}, 2);
  EXPECT_NE(found.kind, Kind::cycle) << "rank 0 is on its way to send";
}

TEST(Diagnosis, NamesARankThatHasEnded) {
  const Diagnosis found = diagnose({receiving(0, 1, 7), rank_that(1, Doing::ended)}, 2);
  EXPECT_EQ(found.kind, Kind::ended);
  EXPECT_TRUE(found.certain);
  EXPECT_EQ(found.headline, "rank 0 waits for rank 1 in MPI_Recv (tag 7), which has ended");
}

TEST(Diagnosis, LeavesARankAloneThatComputes) {
  const Diagnosis found = diagnose({receiving(0, 1, 7), rank_that(1, Doing::computes), receiving(2, 0, 7)}, 3);
  EXPECT_EQ(found.kind, Kind::computing);
  EXPECT_FALSE(found.certain);
  EXPECT_TRUE(found.cycle.empty());
  EXPECT_EQ(found.headline, "rank 1 computes; rank 0 waits for rank 1 in MPI_Recv (tag 7)");
}

TEST(Diagnosis, IsCertainOfACycleBesideARankThatComputes) {
  const Diagnosis found = diagnose({rank_that(0, Doing::computes), receiving(1, 2, 7), receiving(2, 1, 7)}, 3);
  EXPECT_EQ(found.kind, Kind::cycle);
  EXPECT_TRUE(found.certain);
}

TEST(Diagnosis, IsNotCertainOfACycleThatAnotherMayBreak) {
  RankState any_of_two = receiving(1, 2, 7);
  any_of_two.call = "MPI_Waitany";
  any_of_two.requests = 2;
  any_of_two.one_suffices = true;
  any_of_two.waits.push_back(message("MPI_Irecv", Wait::Way::receives, 0, 8));
  EXPECT_EQ(diagnose({rank_that(0, Doing::computes), any_of_two, receiving(2, 1, 7)}, 3).kind, Kind::computing);
  EXPECT_EQ(diagnose({rank_that(0, Doing::computes), from_anybody(1, 3), receiving(2, 1, 7)}, 3).kind, Kind::computing);
}

TEST(Diagnosis, KnowsSendsBeyondTheEagerLimit) {
  const Diagnosis found = diagnose({sending(0, 1, 3), sending(1, 0, 3)}, 2);
  EXPECT_EQ(found.kind, Kind::cycle);
  EXPECT_TRUE(hints_at(found, "eager limit"));
}

TEST(Diagnosis, ComparesTheTagsOfASendAndItsReceive) {
  const Diagnosis found = diagnose({sending(0, 1, 3), receiving(1, 0, 7)}, 2);
  EXPECT_EQ(found.kind, Kind::cycle);
  EXPECT_TRUE(hints_at(found, "rank 0 sends with tag 3, and rank 1 receives with tag 7"));
}

TEST(Diagnosis, DoesNotTakeATransferForACycle) {
  const Diagnosis found = diagnose({sending(0, 1, 7), receiving(1, 0, Wait::any)}, 2);
  EXPECT_TRUE(found.cycle.empty());
  EXPECT_FALSE(found.certain);
}

TEST(Diagnosis, SaysThatNobodyIsLeftToSendToAnySource) {
  const Diagnosis found = diagnose({from_anybody(0, 2), from_anybody(1, 2)}, 2);
  EXPECT_EQ(found.kind, Kind::any_source);
  EXPECT_TRUE(found.certain);
  EXPECT_NE(found.headline.find("rank 0 waits for any source in MPI_Recv (any tag)"), std::string::npos);
}

TEST(Diagnosis, NamesARankThatSleepsOutsideMpi) {
  const Diagnosis found = diagnose({receiving(0, 1, 7), rank_that(1, Doing::idles)}, 2);
  EXPECT_EQ(found.kind, Kind::outside);
  EXPECT_FALSE(found.certain);
  EXPECT_EQ(found.headline,
            "rank 1 is outside MPI and takes no processor time; rank 0 waits for rank 1 in MPI_Recv (tag 7)");
}

TEST(Diagnosis, NamesARankThatShowsNoSignOfLife) {
  const Diagnosis found = diagnose({receiving(0, 1, 7), rank_that(1, Doing::silent)}, 2);
  EXPECT_EQ(found.kind, Kind::outside);
  EXPECT_NE(found.headline.find("rank 1 shows no sign of life"), std::string::npos);
}

TEST(Diagnosis, NamesThePeersOnOtherNodesAndIsNotCertain) {
  const Diagnosis found = diagnose({receiving(0, 2, 7), receiving(1, 0, 7)}, 4);
  EXPECT_EQ(found.kind, Kind::elsewhere);
  EXPECT_FALSE(found.certain);
  EXPECT_NE(found.headline.find("rank 0 waits for rank 2 in MPI_Recv (tag 7)"), std::string::npos) << found.headline;
}

TEST(Diagnosis, FindsTheMembersOfACommunicatorOnOtherNodes) {
  // Each names those of its own node: 0 and 1 on one, 2 and 3 on the other.
  RankState zero = together(0, 4, "MPI_Barrier", 5);
  zero.waits[0].members = {0, 1};
  RankState one = together(1, 4, "MPI_Barrier", 5);
  one.waits[0].members = {0, 1};
  RankState two = together(2, 4, "MPI_Barrier", 5);
  two.waits[0].members = {2, 3};
  const Diagnosis found = diagnose({zero, one, two, begun(receiving(3, 0, 9), 4)}, 4);
  EXPECT_EQ(found.kind, Kind::cycle);
  EXPECT_EQ(found.cycle, (std::vector<int>{0, 3}));
  EXPECT_TRUE(found.certain);
}

TEST(Diagnosis, SaysHowManyRequestsItKnowsNothingOf) {
  RankState state = rank_that(0, Doing::waits);
  state.call = "MPI_Waitall";
  state.requests = 5;
  EXPECT_EQ(what_it_does(state), "waits for 5 requests in MPI_Waitall");
  state.waits = {message("MPI_Irecv", Wait::Way::receives, 1, 7), message("MPI_Isend", Wait::Way::sends, 2, 3)};
  EXPECT_EQ(
      what_it_does(state),
      "waits for 5 requests in MPI_Waitall: MPI_Irecv from rank 1, tag 7; MPI_Isend to rank 2, tag 3; 3 not told");
}

TEST(Diagnosis, SaysThatAProcessWithoutRanksSleeps) {
  EXPECT_EQ(diagnose({rank_that(0, Doing::idles)}, 1).kind, Kind::threads);
}

TEST(Diagnosis, TellsOfManyRanksInFewLines) {
  std::vector<RankState> states;
  for (int rank = 0; rank < 100; ++rank) states.push_back(receiving(rank, (rank + 1) % 100, 1));
  const Diagnosis found = diagnose(states, 100);
  EXPECT_EQ(found.cycle.size(), 100U);
  EXPECT_LT(found.headline.size(), 400U);
  EXPECT_LT(found.lines(8).size(), 13U);
}

TEST(Diagnosis, ComesBackFromJson) {
  for (const RankState& state :
       {receiving(0, 1, 7), from_anybody(1, 3), together(2, 3, "MPI_Bcast", 9, 1), rank_that(3, Doing::idles)}) {
    EXPECT_EQ(nlohmann::json(state).get<RankState>(), state) << nlohmann::json(state).dump();
  }
}

TEST(Diagnosis, IsJsonWithTheCallThePeerAndTheTagOfEachRank) {
  const nlohmann::json json = diagnose({receiving(0, 1, 7), from_anybody(1, 2)}, 2);
  EXPECT_EQ(json.at("ranks").at(0).at("call"), "MPI_Recv");
  EXPECT_EQ(json.at("ranks").at(0).at("waits").at(0).at("peer"), 1);
  EXPECT_EQ(json.at("ranks").at(0).at("waits").at(0).at("tag"), 7);
  EXPECT_EQ(json.at("ranks").at(1).at("waits").at(0).at("peer"), "any");
  EXPECT_EQ(json.at("kind"), "any_source");
}

}  // namespace
}  // namespace duet
