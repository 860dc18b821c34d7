/// Between MPI_Isend or MPI_Irecv and MPI_Wait a buffer belongs to MPI. Who writes to the one or reads from the other
/// in between meets the transfer at work:
///
///     sender    MPI_Isend(buffer)   buffer = next   MPI_Wait       the next values travel, or a part of them
///     receiver  MPI_Irecv(buffer)   use buffer      MPI_Wait       the last values are used
///
/// It goes well as often as the transfer is quick: a small message is gone before MPI_Isend comes back. Both broken
/// forms make the order certain. The messages are above the eager limit, of which nothing but the first few kilobytes
/// can leave before the receiver takes part; and the receiver begins only when the sender says that it has overwritten,
/// or the sender sends only when the receiver says that it has read. What is judged is the content: each word of each
/// message is known.
///
/// Cures: wait first; MPI_Send, which does; or two buffers in turn, so that one is filled while the other travels, for
/// twice the memory.

#include <mpi.h>

#include <algorithm>
#include <array>

#include "kernels/hazards/catalogue.hpp"
#include "kernels/hazards/ring.hpp"

namespace duet::hazards {
namespace {

constexpr int data_tag = 11;
constexpr int go_tag = 12;
constexpr std::int64_t words_sent = 32 * 1024;  // 256 KiB
constexpr int messages = 8;

MPI_Request begin_send(const Ring& ring, const Words& words) {
  MPI_Request request = MPI_REQUEST_NULL;
  check(MPI_Isend(words.data(), words_sent, MPI_INT64_T, ring.next, data_tag, ring.communicator, &request));
  return request;
}

MPI_Request begin_receive(const Ring& ring, Words& words) {
  MPI_Request request = MPI_REQUEST_NULL;
  check(MPI_Irecv(words.data(), words_sent, MPI_INT64_T, ring.previous, data_tag, ring.communicator, &request));
  return request;
}

void wait(MPI_Request& request) { check(MPI_Wait(&request, MPI_STATUS_IGNORE)); }

/// Tells `to` to go on, and waits until `from` says so.
void go(const Ring& ring, int to, int from) {
  int ready = 1;
  check(MPI_Sendrecv_replace(&ready, 1, MPI_INT, to, go_tag, from, go_tag, ring.communicator, MPI_STATUS_IGNORE));
}

/// round(r, seen) moves message r around the ring and counts what arrived.
template <class Round>
Observation in_messages(const Ring& ring, const Round& round) {
  Observation seen;
  check(MPI_Barrier(ring.communicator));
  const double begin = seconds_now();
  for (int r = 0; r < messages; ++r) round(r, seen);
  seen.seconds = seconds_now() - begin;
  seen.operations = messages;
  return of_all_ranks(ring, seen);
}

void take(Observation& seen, const Words& words, std::int64_t wanted) {
  seen.expected += words_sent;
  seen.got += count_of(words, wanted);
}

Observation early_buffer_overwritten(const Stage& stage) {
  const Ring ring{stage};
  Words out(words_sent);
  Words in(words_sent);
  return in_messages(ring, [&](int round, Observation& seen) {
    std::ranges::fill(out, word_of(ring.rank, round));
    MPI_Request sending = begin_send(ring, out);
    std::ranges::fill(out, word_of(ring.rank, round + 1));
    go(ring, ring.next, ring.previous);
    MPI_Request receiving = begin_receive(ring, in);
    wait(receiving);
    wait(sending);
    take(seen, in, word_of(ring.previous, round));
  });
}

Observation early_buffer_read(const Stage& stage) {
  const Ring ring{stage};
  Words out(words_sent);
  Words in(words_sent);
  return in_messages(ring, [&](int round, Observation& seen) {
    std::ranges::fill(out, word_of(ring.rank, round));
    MPI_Request receiving = begin_receive(ring, in);
    take(seen, in, word_of(ring.previous, round));
    go(ring, ring.previous, ring.next);
    MPI_Request sending = begin_send(ring, out);
    wait(receiving);
    wait(sending);
  });
}

Observation early_buffer_wait(const Stage& stage) {
  const Ring ring{stage};
  Words out(words_sent);
  Words in(words_sent);
  return in_messages(ring, [&](int round, Observation& seen) {
    std::ranges::fill(out, word_of(ring.rank, round));
    MPI_Request receiving = begin_receive(ring, in);
    MPI_Request sending = begin_send(ring, out);
    wait(sending);
    wait(receiving);
    take(seen, in, word_of(ring.previous, round));
  });
}

Observation early_buffer_blocking(const Stage& stage) {
  const Ring ring{stage};
  Words out(words_sent);
  Words in(words_sent);
  return in_messages(ring, [&](int round, Observation& seen) {
    std::ranges::fill(out, word_of(ring.rank, round));
    check(MPI_Sendrecv(out.data(), words_sent, MPI_INT64_T, ring.next, data_tag, in.data(), words_sent, MPI_INT64_T,
                       ring.previous, data_tag, ring.communicator, MPI_STATUS_IGNORE));
    take(seen, in, word_of(ring.previous, round));
  });
}

/// Message r + 1 is written while message r travels.
Observation early_buffer_two_buffers(const Stage& stage) {
  const Ring ring{stage};
  std::array<Words, 2> out{Words(words_sent), Words(words_sent)};
  Words in(words_sent);
  std::ranges::fill(out[0], word_of(ring.rank, 0));
  return in_messages(ring, [&](int round, Observation& seen) {
    const std::size_t now = static_cast<std::size_t>(round) % 2;
    MPI_Request receiving = begin_receive(ring, in);
    MPI_Request sending = begin_send(ring, out[now]);
    std::ranges::fill(out[1 - now], word_of(ring.rank, round + 1));
    wait(receiving);
    take(seen, in, word_of(ring.previous, round));
    wait(sending);
  });
}

Finding judge_early_buffer(const Observation& seen) {
  if (!seen.deadlock.empty()) return {true, "deadlock:\n" + seen.deadlock};
  const std::string all = std::to_string(seen.expected) + " words";
  if (seen.got == seen.expected) return {false, "all " + all + " were right"};
  return {true, std::to_string(seen.expected - seen.got) + " of " + all + " were another message's"};
}

}  // namespace

Hazard early_buffer() {
  return {
      .name = "early_buffer",
      .by = By::messages,
      .summary = "a buffer is used before its request is complete",
      .why =
          "From MPI_Isend or MPI_Irecv until MPI_Wait the buffer is MPI's: it may read or write it at any moment "
          "in between, and for large messages it does so late.",
      .symptom =
          "Wrong data, a part of them or all, with large messages or on a slow network, and right ones in each "
          "test with small messages.",
      .detection =
          "Every word of every message is known and checked. The broken forms hold the transfer back until "
          "the buffer has been overwritten, or read.",
      .operation = "message",
      .forms =
          {
              {.name = "broken",
               .broken = true,
               .by = By::messages,
               .does = "overwrites what is being sent",
               .run = early_buffer_overwritten},
              {.name = "broken_read",
               .broken = true,
               .by = By::messages,
               .does = "reads what is still to come",
               .run = early_buffer_read},
              {.name = "wait",
               .by = By::messages,
               .does = "MPI_Wait before the buffer is used",
               .run = early_buffer_wait},
              {.name = "blocking",
               .by = By::messages,
               .does = "MPI_Sendrecv: back when the buffer is free",
               .run = early_buffer_blocking},
              {.name = "two_buffers",
               .by = By::messages,
               .does = "writes one while the other travels",
               .run = early_buffer_two_buffers},
          },
      .judge = judge_early_buffer,
  };
}

}  // namespace duet::hazards
