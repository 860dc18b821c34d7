/// Under mpirun, with any number of ranks.

#include "kernels/core/mpi.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <type_traits>

#include "kernels/core/partition.hpp"

namespace duet {
namespace {

int my_rank() { return rank_in(MPI_COMM_WORLD); }
int ranks() { return size_of(MPI_COMM_WORLD); }

TEST(Check, LetsSuccessPass) { EXPECT_NO_THROW(check(MPI_SUCCESS)); }

TEST(Check, SaysWhereAndWhatInTheWordsOfMpi) {
  try {
    check(MPI_ERR_RANK);
    FAIL() << "no complaint";
  } catch (const MpiError& error) {
    EXPECT_EQ(error.code(), MPI_ERR_RANK);
    const std::string text = error.what();
    EXPECT_NE(text.find("mpi_test.cpp:"), std::string::npos) << text;
    EXPECT_NE(text.find("TestBody"), std::string::npos) << text;
    EXPECT_NE(text.find("MPI_ERR_RANK"), std::string::npos) << text;
  }
}

TEST(Check, CatchesAWrongCallOnACommunicatorOfOurs) {
  const Communicator communicator = Communicator::duplicate(MPI_COMM_WORLD);
  const int nobody = ranks() + 5;
  try {
    check(MPI_Send(&nobody, 1, MPI_INT, nobody, 0, communicator.get()));
    FAIL() << "no complaint";
  } catch (const MpiError& error) {
    int its_class = MPI_SUCCESS;
    MPI_Error_class(error.code(), &its_class);
    EXPECT_EQ(its_class, MPI_ERR_RANK) << error.what();
  }
}

TEST(MpiCount, PassesWhatFitsAnInt) {
  EXPECT_EQ(mpi_count(0), 0);
  EXPECT_EQ(mpi_count(largest_mpi_count), 2147483647);
}

TEST(MpiCount, RefusesWhatDoesNot) {
  EXPECT_THROW(static_cast<void>(mpi_count(-1)), std::overflow_error);
  EXPECT_THROW(static_cast<void>(mpi_count(largest_mpi_count + 1)), std::overflow_error);
  try {
    static_cast<void>(mpi_count(std::int64_t{1} << 40));
  } catch (const std::overflow_error& error) {
    EXPECT_STREQ(error.what(), "1099511627776 elements do not fit one MPI call");
  }
}

TEST(PiecesOf, FollowEachOtherAndCoverEverything) {
  for (const std::int64_t total : {0, 1, 2, 5, 6, 7, 100}) {
    for (const std::int64_t limit : {1, 2, 3, 7, 1000}) {
      std::int64_t next = 0;
      pieces_of(
          total,
          [&](std::int64_t offset, int count) {
            EXPECT_EQ(offset, next);
            EXPECT_GT(count, 0);
            EXPECT_LE(count, limit);
            next = offset + count;
          },
          limit);
      EXPECT_EQ(next, total);
    }
  }
}

TEST(PiecesOf, SplitWhatIsLargerThanAnIntCounts) {
  std::vector<std::pair<std::int64_t, int>> pieces;
  pieces_of(2 * largest_mpi_count + 5, [&](std::int64_t offset, int count) { pieces.emplace_back(offset, count); });
  EXPECT_EQ(pieces, (std::vector<std::pair<std::int64_t, int>>{
                        {0, 2147483647}, {largest_mpi_count, 2147483647}, {2 * largest_mpi_count, 5}}));
}

TEST(PiecesOf, CarryAMessageInPartsAsInWhole) {
  const Communicator communicator = Communicator::duplicate(MPI_COMM_WORLD);
  std::vector<int> message(101);
  if (my_rank() == 0) std::iota(message.begin(), message.end(), 3);
  pieces_of(
      std::ssize(message),
      [&](std::int64_t offset, int count) {
        check(MPI_Bcast(message.data() + offset, count, MPI_INT, 0, communicator.get()));
      },
      10);
  std::vector<int> expected(101);
  std::iota(expected.begin(), expected.end(), 3);
  EXPECT_EQ(message, expected);
}

TEST(Communicator, WithoutMessagePassingTheCallerIsRankNoughtOfOne) {
  EXPECT_EQ(rank_in(MPI_COMM_NULL), 0);
  EXPECT_EQ(size_of(MPI_COMM_NULL), 1);
  EXPECT_EQ(Communicator{}.get(), MPI_COMM_NULL);
}

TEST(Communicator, ADuplicateHasTheSameRanksAndItsOwnMessages) {
  const Communicator first = Communicator::duplicate(MPI_COMM_WORLD);
  const Communicator second = Communicator::duplicate(MPI_COMM_WORLD);
  EXPECT_EQ(rank_in(first.get()), my_rank());
  EXPECT_EQ(size_of(first.get()), ranks());
  // Each rank sends to itself on both, with one tag, and receives in the other order.
  std::array<int, 2> sent{1, 2};
  std::array<int, 2> received{};
  std::array<MPI_Request, 2> requests{};
  check(MPI_Isend(&sent[0], 1, MPI_INT, my_rank(), 0, first.get(), &requests[0]));
  check(MPI_Isend(&sent[1], 1, MPI_INT, my_rank(), 0, second.get(), &requests[1]));
  check(MPI_Recv(&received[1], 1, MPI_INT, my_rank(), 0, second.get(), MPI_STATUS_IGNORE));
  check(MPI_Recv(&received[0], 1, MPI_INT, my_rank(), 0, first.get(), MPI_STATUS_IGNORE));
  check(MPI_Waitall(2, requests.data(), MPI_STATUSES_IGNORE));
  EXPECT_EQ(received, sent);
}

TEST(Communicator, ASplitHasTheRanksOfOneColourInTheOrderOfTheirKeys) {
  const int colour = my_rank() % 2;
  const Communicator half = Communicator::split(MPI_COMM_WORLD, colour, -my_rank());
  const int size = (ranks() + 1 - colour) / 2;
  EXPECT_EQ(size_of(half.get()), size);
  EXPECT_EQ(rank_in(half.get()), size - 1 - my_rank() / 2);
}

TEST(Communicator, ARankWithoutAColourGetsNone) {
  const Communicator first_only = Communicator::split(MPI_COMM_WORLD, my_rank() == 0 ? 0 : MPI_UNDEFINED, 0);
  EXPECT_EQ(first_only.get() == MPI_COMM_NULL, my_rank() != 0);
}

TEST(Communicator, OfANodeHasTheRanksThatShareItsMemory) {
  const Communicator node = Communicator::of_node(MPI_COMM_WORLD);
  EXPECT_GE(size_of(node.get()), 1);
  EXPECT_LE(size_of(node.get()), ranks());
}

TEST(Communicator, MovesItsHandle) {
  Communicator first = Communicator::duplicate(MPI_COMM_WORLD);
  const MPI_Comm handle = first.get();
  Communicator second{std::move(first)};
  EXPECT_EQ(second.get(), handle);
  Communicator third;
  third = std::move(second);
  EXPECT_EQ(third.get(), handle);
  check(MPI_Barrier(third.get()));
  static_assert(!std::is_copy_constructible_v<Communicator>);
}

TEST(Communicator, IsFreedWithItsOwner) {
  // A deleted attribute tells that MPI itself freed the communicator.
  int freed = 0;
  int key = MPI_KEYVAL_INVALID;
  check(MPI_Comm_create_keyval(
      MPI_COMM_NULL_COPY_FN,
      [](MPI_Comm, int, void* value, void*) {
        ++*static_cast<int*>(value);
        return MPI_SUCCESS;
      },
      &key, nullptr));
  {
    Communicator first = Communicator::duplicate(MPI_COMM_WORLD);
    check(MPI_Comm_set_attr(first.get(), key, &freed));
    const Communicator second{std::move(first)};
    EXPECT_EQ(freed, 0);
  }
  EXPECT_EQ(freed, 1);
  check(MPI_Comm_free_keyval(&key));
}

TEST(Datatype, ARunCarriesItsElementsAsOne) {
  const Communicator communicator = Communicator::duplicate(MPI_COMM_WORLD);
  const Datatype run = Datatype::run_of(5, MPI_DOUBLE);
  std::vector<double> message(15);
  if (my_rank() == ranks() - 1) std::iota(message.begin(), message.end(), 0.5);
  check(MPI_Bcast(message.data(), 3, run.get(), ranks() - 1, communicator.get()));
  EXPECT_EQ(message.front(), 0.5);
  EXPECT_EQ(message.back(), 14.5);
}

TEST(Datatype, ARunMayBeLargerThanAnIntCountsInBytes) {
  const Datatype run = Datatype::run_of(largest_mpi_count, MPI_DOUBLE);
  MPI_Count bytes = 0;
  check(MPI_Type_size_x(run.get(), &bytes));
  EXPECT_EQ(bytes, 8 * largest_mpi_count);
  EXPECT_THROW(static_cast<void>(Datatype::run_of(largest_mpi_count + 1, MPI_DOUBLE)), std::overflow_error);
}

TEST(Window, IsZeroBeforeAnyRankReachesIt) {
  const Communicator communicator = Communicator::duplicate(MPI_COMM_WORLD);
  for (int round = 0; round < 5; ++round) {
    const Window<std::int64_t> window(4, communicator.get());
    const int neighbour = (my_rank() + 1) % ranks();
    const std::int64_t nothing = 0;
    for (MPI_Aint slot = 0; slot < 4; ++slot) {
      std::int64_t found = -1;
      check(MPI_Fetch_and_op(&nothing, &found, MPI_INT64_T, neighbour, slot, MPI_NO_OP, window.get()));
      check(MPI_Win_flush(neighbour, window.get()));
      EXPECT_EQ(found, 0);
    }
    check(MPI_Barrier(communicator.get()));
    const std::int64_t dirt = 17;
    check(MPI_Accumulate(&dirt, 1, MPI_INT64_T, neighbour, 2, 1, MPI_INT64_T, MPI_SUM, window.get()));
  }
}

TEST(Window, CountsForAllRanksAtOnce) {
  const Communicator communicator = Communicator::duplicate(MPI_COMM_WORLD);
  constexpr int tickets = 50;
  const Window<std::int64_t> window(my_rank() == 0 ? 1 : 0, communicator.get());
  std::vector<std::int64_t> mine(tickets);
  const std::int64_t one = 1;
  for (std::int64_t& ticket : mine) {
    check(MPI_Fetch_and_op(&one, &ticket, MPI_INT64_T, 0, 0, MPI_SUM, window.get()));
    check(MPI_Win_flush(0, window.get()));
  }
  EXPECT_TRUE(std::ranges::is_sorted(mine));
  std::vector<std::int64_t> all(static_cast<std::size_t>(tickets) * static_cast<std::size_t>(ranks()));
  check(MPI_Allgather(mine.data(), tickets, MPI_INT64_T, all.data(), tickets, MPI_INT64_T, communicator.get()));
  std::ranges::sort(all);
  for (std::size_t i = 0; i < all.size(); ++i) EXPECT_EQ(all[i], static_cast<std::int64_t>(i));
}

}  // namespace
}  // namespace duet
