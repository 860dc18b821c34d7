/// What MPI calls tell of themselves, read back: on any number of ranks.

#include "drivers/watchdog/waiting.hpp"

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <utility>
#include <vector>

#include "kernels/core/mpi.hpp"
#include "tests/all_ranks.hpp"

namespace duet {
namespace {

const MPI_Comm everybody = MPI_COMM_WORLD;

/// Calls tell this slot while it lives, and not the one of the watchdog that watches this test.
class Told {
 public:
  Told() {
    slot.made(everybody);
    slot.learn_handles();
    open_slot = &slot;
  }
  ~Told() { open_slot = before_; }
  Told(const Told&) = delete;
  Told& operator=(const Told&) = delete;

  /// What is told within `waiting`.
  [[nodiscard]] RankState state(bool polls = false) const {
    RankState told;
    EXPECT_TRUE(slot.describe(told, polls, std::vector<bool>(static_cast<std::size_t>(size_of(everybody)), true)));
    return told;
  }

  Slot slot;

 private:
  Slot* before_ = open_slot;
};

TEST(Waiting, TellsThePeerAsARankOfAll) {
  const Told told;
  const int last = size_of(everybody) - 1;
  // The same ranks backwards.
  const Communicator backwards = Communicator::split(everybody, 0, last - rank_in(everybody));
  const Waiting waiting{receiving<"MPI_Recv">(0, 7, backwards.get())};
  const RankState state = told.state();
  EXPECT_EQ(state.call, "MPI_Recv");
  ASSERT_EQ(state.waits.size(), 1U);
  EXPECT_EQ(state.waits[0].peer, last);
  EXPECT_EQ(state.waits[0].tag, 7);
  EXPECT_EQ(state.waits[0].size, last + 1);
}

TEST(Waiting, TellsAnySourceAndAnyTag) {
  const Told told;
  const Waiting waiting{receiving<"MPI_Probe">(MPI_ANY_SOURCE, MPI_ANY_TAG, everybody)};
  const RankState state = told.state();
  ASSERT_EQ(state.waits.size(), 1U);
  EXPECT_EQ(state.waits[0].peer, Wait::any);
  EXPECT_EQ(state.waits[0].tag, Wait::any);
  EXPECT_EQ(static_cast<int>(state.waits[0].members.size()), size_of(everybody));
}

TEST(Waiting, NamesACommunicatorAlikeOnAllItsRanksAndNoOther) {
  const Told told;
  const Communicator one = Communicator::duplicate(everybody);
  const Communicator two = Communicator::duplicate(everybody);
  const auto name_of_group = [&](MPI_Comm comm) {
    const Waiting waiting{collective<"MPI_Barrier">(comm)};
    return told.state().waits.at(0).communicator;
  };
  EXPECT_TRUE(agree(name_of_group(one.get())));
  EXPECT_TRUE(agree(name_of_group(two.get())));
  EXPECT_NE(name_of_group(one.get()), name_of_group(two.get()));
  EXPECT_NE(name_of_group(one.get()), name_of_group(everybody));
}

TEST(Waiting, CountsCollectiveCallsOfACommunicatorFromItsBeginning) {
  const Told told;
  for (int again = 0; again < 3; ++again) {
    const Communicator fresh = Communicator::duplicate(everybody);
    for (std::uint64_t call = 1; call < 4; ++call) {
      check(MPI_Barrier(fresh.get()));
      RankState state;
      told.slot.count_collectives(state);
      const Waiting waiting{receiving<"MPI_Recv">(0, 0, fresh.get())};
      EXPECT_EQ(state.collectives.at(told.state().waits.at(0).communicator), call);
    }
  }
}

TEST(Waiting, RemembersWhatRequestsAreFor) {
  const Told told;
  const int next = (rank_in(everybody) + 1) % size_of(everybody);
  const int before = (rank_in(everybody) + size_of(everybody) - 1) % size_of(everybody);
  int in = 0;
  const int out = 1;
  std::array<MPI_Request, 3> requests{MPI_REQUEST_NULL, MPI_REQUEST_NULL, MPI_REQUEST_NULL};
  check(MPI_Irecv(&in, 1, MPI_INT, before, 4, everybody, requests.data()));
  check(MPI_Issend(&out, 1, MPI_INT, next, 4, everybody, &requests[2]));
  {
    static constexpr CallKind all{"MPI_Waitall", Wait::Way::receives, CallKind::Shape::all_requests};
    const Waiting waiting{all, 3, requests.data()};
    const RankState state = told.state();
    EXPECT_EQ(state.call, "MPI_Waitall");
    EXPECT_EQ(state.requests, 2) << "what is done is not waited for";
    ASSERT_EQ(state.waits.size(), 2U);
    EXPECT_EQ(state.waits[0].call, "MPI_Irecv");
    EXPECT_EQ(state.waits[0].peer, before);
    EXPECT_EQ(state.waits[1].call, "MPI_Issend");
    EXPECT_EQ(state.waits[1].peer, next);
  }
  check(MPI_Waitall(3, requests.data(), MPI_STATUSES_IGNORE));
}

TEST(Waiting, LeavesOutWhatWasDoneAtOnce) {
  const Told told;
  int in = 0;
  const int out = 1;
  const int me = rank_in(everybody);
  std::array<MPI_Request, 3> requests{MPI_REQUEST_NULL, MPI_REQUEST_NULL, MPI_REQUEST_NULL};
  check(MPI_Irecv(&in, 1, MPI_INT, me, 8, everybody, requests.data()));
  check(MPI_Isend(&out, 1, MPI_INT, MPI_PROC_NULL, 8, everybody, &requests[1]));
  {
    static constexpr CallKind all{"MPI_Waitall", Wait::Way::receives, CallKind::Shape::all_requests};
    const Waiting waiting{all, 3, requests.data()};
    const RankState state = told.state();
    EXPECT_EQ(state.requests, 1);
    ASSERT_EQ(state.waits.size(), 1U);
    EXPECT_EQ(state.waits[0].call, "MPI_Irecv");
    EXPECT_FALSE(state.perhaps()) << "there is one thing that it waits for";
  }
  check(MPI_Send(&out, 1, MPI_INT, me, 8, everybody));
  check(MPI_Waitall(3, requests.data(), MPI_STATUSES_IGNORE));
}

TEST(Waiting, TellsOfManyRequestsTheFirst) {
  const Told told;
  constexpr int many = 20;
  const int me = rank_in(everybody);
  std::array<int, many> in{};
  std::array<MPI_Request, many> requests{};
  for (int i = 0; i < many; ++i) {
    check(MPI_Irecv(&in.at(static_cast<std::size_t>(i)), 1, MPI_INT, me, i, everybody,
                    &requests.at(static_cast<std::size_t>(i))));
  }
  {
    static constexpr CallKind all{"MPI_Waitall", Wait::Way::receives, CallKind::Shape::all_requests};
    const Waiting waiting{all, many, requests.data()};
    const RankState state = told.state();
    EXPECT_EQ(state.requests, many);
    ASSERT_EQ(state.waits.size(), 8U);
    for (std::size_t i = 0; i < state.waits.size(); ++i) EXPECT_EQ(state.waits[i].tag, static_cast<int>(i));
  }
  for (int i = 0; i < many; ++i) check(MPI_Send(&me, 1, MPI_INT, me, i, everybody));
  check(MPI_Waitall(many, requests.data(), MPI_STATUSES_IGNORE));
}

TEST(Waiting, TellsATestInVainFromOneThatIsNot) {
  const Told told;
  int in = 0;
  const int out = 1;
  const int me = rank_in(everybody);
  MPI_Request request = MPI_REQUEST_NULL;
  check(MPI_Irecv(&in, 1, MPI_INT, me, 9, everybody, &request));
  const std::uint64_t sequence = told.slot.sequence();
  for (int again = 0; again < 40; ++again) {
    int done = 1;
    check(MPI_Test(&request, &done, MPI_STATUS_IGNORE));
    EXPECT_EQ(done, 0);
  }
  EXPECT_EQ(told.slot.sequence(), sequence) << "no progress";
  EXPECT_EQ(told.slot.tests(), 40U);
  EXPECT_EQ(told.state(true).call, "MPI_Test");
  EXPECT_EQ(told.state(true).waits.at(0).peer, me);
  check(MPI_Send(&out, 1, MPI_INT, me, 9, everybody));
  const std::uint64_t sent = told.slot.sequence();
  for (int done = 0; done == 0;) check(MPI_Test(&request, &done, MPI_STATUS_IGNORE));
  EXPECT_GT(told.slot.sequence(), sent);
}

TEST(Waiting, SaysNothingWhereNobodyWatches) {
  Slot* const watched = std::exchange(open_slot, nullptr);
  ASSERT_NE(watched, nullptr) << "main watches";
  const std::uint64_t sequence = watched->sequence();
  check(MPI_Barrier(everybody));
  EXPECT_EQ(watched->sequence(), sequence);
  open_slot = watched;
  check(MPI_Barrier(everybody));
  EXPECT_EQ(watched->sequence(), sequence + 2);
}

TEST(RequestTable, ForgetsRatherThanGrows) {
  const auto table = std::make_unique<RequestTable>();
  const Operation operation = sending<"MPI_Isend">(1, 2, everybody);
  for (std::uint64_t request = 1; request < 10'000; ++request) table->note(request, operation);
  EXPECT_TRUE(table->find(9999).has_value());
  EXPECT_FALSE(table->find(12'345).has_value());
}

}  // namespace
}  // namespace duet
