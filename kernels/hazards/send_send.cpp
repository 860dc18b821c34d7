/// Each rank sends to the next one in a ring and then receives from the one before. Whether that works depends on the
/// size of the message:
///
///     up to the eager limit   MPI_Send copies the message away and comes back: the receive is found later
///     above it (rendezvous)   MPI_Send asks the receiver for room and waits until it receives: all wait for all
///
///     rank 0: MPI_Send to 1 ... MPI_Recv           rank 1: MPI_Send to 0 ... MPI_Recv         nobody gets that far
///
/// MPI promises no buffering at all, so the program is wrong at every size; it only shows at some. The broken form
/// looks for the limit first: a message that MPI_Isend completes while the receiver has not begun to receive was sent
/// eagerly, and others never are, so that halving finds the limit to the byte. Then it exchanges as programs do, with
/// growing messages up to the limit, and then with one byte more. It does not come back from that: who waits for whom
/// is for a watchdog to say.
///
/// Cures: MPI_Sendrecv; MPI_Irecv before MPI_Send; even ranks send first and odd ones receive first (one odd rank is
/// enough to break the cycle, so a ring of odd length is right too); MPI_Bsend with a buffer of one's own, for a copy
/// more. MPI_Ssend in place of MPI_Send shows the fault at any size.

#include <mpi.h>

#include <algorithm>
#include <array>

#include "kernels/hazards/catalogue.hpp"
#include "kernels/hazards/ring.hpp"

namespace duet::hazards {
namespace {

constexpr int exchange_tag = 7;
constexpr std::int64_t most_bytes = std::int64_t{16} << 20;
constexpr std::int64_t words_exchanged = 32 * 1024;  // 256 KiB: above every usual eager limit
constexpr int exchanges = 10;

/// Whether a message of so many bytes leaves rank 0 though rank 1 does not receive it. Meanwhile the two exchange small
/// ones, so that both take part in what the library does, however seldom the system lets them run: no clock decides.
/// Collective.
bool is_eager(const Ring& ring, std::int64_t bytes, std::vector<char>& memory) {
  constexpr int probe_tag = 1;
  constexpr int small_tag = 2;
  constexpr int round_trips = 30;
  int eager = 0;
  const auto small = [&](int peer) {
    int told = eager;
    check(MPI_Sendrecv_replace(&told, 1, MPI_INT, peer, small_tag, peer, small_tag, ring.communicator,
                               MPI_STATUS_IGNORE));
    return told;
  };
  if (ring.rank == 0) {
    MPI_Request request = MPI_REQUEST_NULL;
    check(MPI_Isend(memory.data(), mpi_count(bytes), MPI_CHAR, 1, probe_tag, ring.communicator, &request));
    for (int trip = 0; trip < round_trips; ++trip) {
      if (eager == 0) check(MPI_Test(&request, &eager, MPI_STATUS_IGNORE));
      static_cast<void>(small(1));
    }
    check(MPI_Wait(&request, MPI_STATUS_IGNORE));
  } else if (ring.rank == 1) {
    int last = 0;
    for (int trip = 0; trip < round_trips; ++trip) last = small(0);
    check(MPI_Recv(memory.data(), mpi_count(bytes), MPI_CHAR, 0, probe_tag, ring.communicator, MPI_STATUS_IGNORE));
    eager = last;
  }
  check(MPI_Bcast(&eager, 1, MPI_INT, 0, ring.communicator));
  return eager != 0;
}

/// The largest message that is sent eagerly; -1 where not even an empty one is. Collective.
std::int64_t eager_limit(const Ring& ring) {
  std::vector<char> memory(static_cast<std::size_t>(most_bytes));
  std::int64_t eager = -1;
  std::int64_t blocks = 0;
  while (blocks <= most_bytes && is_eager(ring, blocks, memory)) {
    eager = blocks;
    blocks = std::max<std::int64_t>(64, 2 * blocks);
  }
  if (blocks > most_bytes) return eager;
  while (blocks - eager > 1) {
    const std::int64_t middle = eager + (blocks - eager) / 2;
    (is_eager(ring, middle, memory) ? eager : blocks) = middle;
  }
  return eager;
}

/// As programs do it, wrongly.
void send_then_receive(const Ring& ring, std::int64_t bytes) {
  const std::vector<char> out(static_cast<std::size_t>(bytes));
  std::vector<char> in(static_cast<std::size_t>(bytes));
  check(MPI_Send(out.data(), mpi_count(bytes), MPI_CHAR, ring.next, exchange_tag, ring.communicator));
  check(MPI_Recv(in.data(), mpi_count(bytes), MPI_CHAR, ring.previous, exchange_tag, ring.communicator,
                 MPI_STATUS_IGNORE));
}

Observation send_send_broken(const Stage& stage) {
  const Ring ring{stage};
  Observation seen;
  seen.workers = ring.ranks;
  if (ring.ranks < 2) return seen;
  const std::int64_t limit = eager_limit(ring);
  for (std::int64_t bytes = 1; bytes < limit; bytes *= 2) send_then_receive(ring, bytes);
  if (limit >= 0) send_then_receive(ring, limit);
  seen.passes_bytes = limit;
  seen.blocks_bytes = limit + 1;
  if (stage.so_far) stage.so_far(seen);
  send_then_receive(ring, limit + 1);
  // This MPI has buffered even that.
  seen.passes_bytes = limit + 1;
  seen.blocks_bytes = -1;
  return seen;
}

/// `exchanges` times: exchange(ring, out, in). Every word that arrives is checked.
template <class Exchange>
Observation exchanged(const Stage& stage, const Exchange& exchange) {
  const Ring ring{stage};
  Words out(words_exchanged);
  Words in(words_exchanged);
  Observation seen;
  check(MPI_Barrier(ring.communicator));
  for (int round = 0; round < exchanges; ++round) {
    std::ranges::fill(out, word_of(ring.rank, round));
    const double begin = seconds_now();
    exchange(ring, out, in);
    seen.seconds += seconds_now() - begin;
    seen.expected += words_exchanged;
    seen.got += count_of(in, word_of(ring.previous, round));
  }
  seen.operations = exchanges;
  seen.passes_bytes = bytes_of(out);
  return of_all_ranks(ring, seen);
}

void send(const Ring& ring, const Words& out) {
  check(MPI_Send(out.data(), words_exchanged, MPI_INT64_T, ring.next, exchange_tag, ring.communicator));
}

void receive(const Ring& ring, Words& in) {
  check(MPI_Recv(in.data(), words_exchanged, MPI_INT64_T, ring.previous, exchange_tag, ring.communicator,
                 MPI_STATUS_IGNORE));
}

Observation send_send_sendrecv(const Stage& stage) {
  return exchanged(stage, [](const Ring& ring, const Words& out, Words& in) {
    check(MPI_Sendrecv(out.data(), words_exchanged, MPI_INT64_T, ring.next, exchange_tag, in.data(), words_exchanged,
                       MPI_INT64_T, ring.previous, exchange_tag, ring.communicator, MPI_STATUS_IGNORE));
  });
}

Observation send_send_nonblocking(const Stage& stage) {
  return exchanged(stage, [](const Ring& ring, const Words& out, Words& in) {
    std::array<MPI_Request, 2> requests{};
    check(MPI_Irecv(in.data(), words_exchanged, MPI_INT64_T, ring.previous, exchange_tag, ring.communicator,
                    requests.data()));
    check(
        MPI_Isend(out.data(), words_exchanged, MPI_INT64_T, ring.next, exchange_tag, ring.communicator, &requests[1]));
    check(MPI_Waitall(2, requests.data(), MPI_STATUSES_IGNORE));
  });
}

Observation send_send_parity(const Stage& stage) {
  return exchanged(stage, [](const Ring& ring, const Words& out, Words& in) {
    if (ring.rank % 2 == 0) send(ring, out);
    receive(ring, in);
    if (ring.rank % 2 != 0) send(ring, out);
  });
}

Observation send_send_buffered(const Stage& stage) {
  std::vector<char> buffer(static_cast<std::size_t>(words_exchanged) * sizeof(std::int64_t) + MPI_BSEND_OVERHEAD);
  return exchanged(stage, [&](const Ring& ring, const Words& out, Words& in) {
    check(MPI_Buffer_attach(buffer.data(), mpi_count(static_cast<std::int64_t>(buffer.size()))));
    check(MPI_Bsend(out.data(), words_exchanged, MPI_INT64_T, ring.next, exchange_tag, ring.communicator));
    receive(ring, in);
    // Waits until the buffer is free again.
    void* detached = nullptr;
    int size = 0;
    check(MPI_Buffer_detach(static_cast<void*>(&detached), &size));
  });
}

Finding judge_send_send(const Observation& seen) {
  if (seen.deadlock.empty()) {
    if (seen.got != seen.expected) {
      return {true, std::to_string(seen.expected - seen.got) + " of " + std::to_string(seen.expected) +
                        " words arrived wrong"};
    }
    return {false, "every exchange came back, up to " + std::to_string(seen.passes_bytes) + " bytes"};
  }
  std::string says = "deadlock";
  if (seen.blocks_bytes >= 0) says += " from " + std::to_string(seen.blocks_bytes) + " bytes on";
  if (seen.passes_bytes >= 0) says += "; " + std::to_string(seen.passes_bytes) + " bytes still pass (eager)";
  return {true, says + ":\n" + seen.deadlock};
}

}  // namespace

Hazard send_send() {
  return {
      .name = "send_send",
      .by = By::messages,
      .summary = "all send first: deadlock above the eager limit",
      .why =
          "MPI_Send may wait until the receiver receives, and does for messages above the eager limit. Where every "
          "rank sends first, each waits for one that will receive only afterwards.",
      .symptom =
          "All is well in the tests, and with larger input, more neighbours or another network the job stands "
          "still, all cores at 100 %.",
      .detection =
          "The watchdog sees every MPI call. Where no rank has come on for half a second and they wait for each "
          "other in a cycle, the cycle is the diagnosis. The limit is found by halving.",
      .operation = "exchange",
      .forms =
          {
              {.name = "broken",
               .broken = true,
               .by = By::messages,
               .does = "MPI_Send, then MPI_Recv, on every rank",
               .run = send_send_broken,
               .returns = false},
              {.name = "sendrecv", .by = By::messages, .does = "MPI_Sendrecv", .run = send_send_sendrecv},
              {.name = "nonblocking",
               .by = By::messages,
               .does = "MPI_Irecv, MPI_Isend, MPI_Waitall",
               .run = send_send_nonblocking},
              {.name = "parity",
               .by = By::messages,
               .does = "even ranks send first, odd ones receive first",
               .run = send_send_parity},
              {.name = "buffered",
               .by = By::messages,
               .does = "MPI_Bsend, from a buffer of one's own",
               .run = send_send_buffered},
          },
      .judge = judge_send_send,
  };
}

}  // namespace duet::hazards
