/// A collective operation is one that all ranks of a communicator call, in the same order. Here rank 0 broadcasts and
/// then takes part in a sum, and the others do it the other way round:
///
///     rank 0   MPI_Bcast   MPI_Reduce
///     rank 1   MPI_Reduce  MPI_Bcast        the first call of rank 0 has no counterpart on rank 1
///
/// MPI need not notice. With large messages all wait for ever, with small ones the calls may come back and the next
/// ones wait, or, where the operations happen to fit, wrong data arrives. The messages here are large. Where ranks
/// wait, a watchdog compares the calls that they are in: the k-th collective on a communicator has to be the same on
/// all, with the same root. Where the calls come back, the data are judged.
///
/// Cures: the same order everywhere (same_order); an agreement on the operation before each, which turns silence into
/// an error for the price of a small MPI_Allreduce (checked); or a communicator each and non-blocking operations, where
/// no order is needed (own_communicators).

#include <mpi.h>

#include <algorithm>
#include <array>
#include <stdexcept>

#include "kernels/hazards/catalogue.hpp"
#include "kernels/hazards/ring.hpp"

namespace duet::hazards {
namespace {

constexpr std::int64_t words_shared = 16 * 1024;  // 128 KiB
constexpr int repetitions = 10;

struct Data {
  Words shared = Words(words_shared);
  Words parts = Words(words_shared);
  Words sum = Words(words_shared);
};

void broadcast(const Ring& ring, Data& data) {
  check(MPI_Bcast(data.shared.data(), words_shared, MPI_INT64_T, 0, ring.communicator));
}

void reduce(const Ring& ring, Data& data) {
  check(MPI_Reduce(data.parts.data(), data.sum.data(), words_shared, MPI_INT64_T, MPI_SUM, 0, ring.communicator));
}

enum class Coming { broadcast, sum };

/// Returns where all ranks are about to do what is `coming`. Throws std::logic_error, on all ranks, where they are not.
void agree_on(const Ring& ring, Coming coming) {
  const int mine = static_cast<int>(coming);
  std::array<int, 2> ends{mine, -mine};
  check(MPI_Allreduce(MPI_IN_PLACE, ends.data(), 2, MPI_INT, MPI_MAX, ring.communicator));
  if (ends[0] != -ends[1]) {
    throw std::logic_error("rank " + std::to_string(ring.rank) + " is about to call " +
                           (coming == Coming::sum ? "MPI_Reduce" : "MPI_Bcast") + ", and another rank is not");
  }
}

/// both(data) is a broadcast and a sum, `repetitions` times. The data that arrive are checked.
template <class Both>
Observation repeated(const Ring& ring, const Both& both) {
  Data data;
  Observation seen;
  std::int64_t all_ranks = 0;
  for (int rank = 0; rank < ring.ranks; ++rank) all_ranks += word_of(rank, 0);
  check(MPI_Barrier(ring.communicator));
  for (int round = 0; round < repetitions; ++round) {
    if (ring.rank == 0) std::ranges::fill(data.shared, word_of(0, round));
    std::ranges::fill(data.parts, word_of(ring.rank, round));
    const double begin = seconds_now();
    both(data);
    seen.seconds += seconds_now() - begin;
    seen.expected += words_shared;
    seen.got += count_of(data.shared, word_of(0, round));
    if (ring.rank != 0) continue;
    seen.expected += words_shared;
    seen.got += count_of(data.sum, all_ranks + std::int64_t{ring.ranks} * round);
  }
  seen.operations = repetitions;
  return of_all_ranks(ring, seen);
}

Observation mismatched_collective_broken(const Stage& stage) {
  const Ring ring{stage};
  return repeated(ring, [&](Data& data) {
    if (ring.rank == 0) {
      broadcast(ring, data);
      reduce(ring, data);
    } else {
      reduce(ring, data);
      broadcast(ring, data);
    }
  });
}

Observation mismatched_collective_same_order(const Stage& stage) {
  const Ring ring{stage};
  return repeated(ring, [&](Data& data) {
    broadcast(ring, data);
    reduce(ring, data);
  });
}

Observation mismatched_collective_checked(const Stage& stage) {
  const Ring ring{stage};
  return repeated(ring, [&](Data& data) {
    agree_on(ring, Coming::broadcast);
    broadcast(ring, data);
    agree_on(ring, Coming::sum);
    reduce(ring, data);
  });
}

Observation mismatched_collective_own_communicators(const Stage& stage) {
  const Ring ring{stage};
  const Communicator for_broadcast = Communicator::duplicate(ring.communicator);
  const Communicator for_sum = Communicator::duplicate(ring.communicator);
  return repeated(ring, [&](Data& data) {
    std::array<MPI_Request, 2> requests{};
    const auto begin_broadcast = [&] {
      check(MPI_Ibcast(data.shared.data(), words_shared, MPI_INT64_T, 0, for_broadcast.get(), requests.data()));
    };
    const auto begin_sum = [&] {
      check(MPI_Ireduce(data.parts.data(), data.sum.data(), words_shared, MPI_INT64_T, MPI_SUM, 0, for_sum.get(),
                        &requests[1]));
    };
    if (ring.rank == 0) {
      begin_broadcast();
      begin_sum();
    } else {
      begin_sum();
      begin_broadcast();
    }
    check(MPI_Waitall(2, requests.data(), MPI_STATUSES_IGNORE));
  });
}

Finding judge_mismatched_collective(const Observation& seen) {
  if (!seen.deadlock.empty()) return {true, "the ranks do not call the same:\n" + seen.deadlock};
  if (seen.got != seen.expected) {
    return {true,
            std::to_string(seen.expected - seen.got) + " of " + std::to_string(seen.expected) + " words arrived wrong"};
  }
  return {false, "all ranks called the same, and all " + std::to_string(seen.expected) + " words arrived right"};
}

}  // namespace

Hazard mismatched_collective() {
  return {
      .name = "mismatched_collective",
      .by = By::messages,
      .summary = "MPI_Bcast here, MPI_Reduce there",
      .why =
          "Ranks of one communicator have to call the same collectives in the same order. A branch that depends on "
          "the rank, or on data that differ, breaks that.",
      .symptom = "A job that stands still, often much later than the wrong call, or data that are another operation's.",
      .detection =
          "The watchdog counts the collectives of each communicator. Where ranks stand still in their k-th and it "
          "is not the same, with the same root, on all of them, it is named. The data are checked as well.",
      .operation = "broadcast and sum",
      .forms =
          {
              {.name = "broken",
               .broken = true,
               .by = By::messages,
               .does = "rank 0: MPI_Bcast, MPI_Reduce; others: MPI_Reduce, MPI_Bcast",
               .run = mismatched_collective_broken,
               .returns = false},
              {.name = "same_order",
               .by = By::messages,
               .does = "all ranks in the same order",
               .run = mismatched_collective_same_order},
              {.name = "checked",
               .by = By::messages,
               .does = "agree on the operation before each",
               .run = mismatched_collective_checked},
              {.name = "own_communicators",
               .by = By::messages,
               .does = "MPI_Ibcast and MPI_Ireduce, a communicator each, any order",
               .run = mismatched_collective_own_communicators},
          },
      .judge = judge_mismatched_collective,
  };
}

}  // namespace duet::hazards
