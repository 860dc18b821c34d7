#pragma once

/// What this process waits for in MPI, told by its MPI thread to its watchdog. Each MPI call (drivers/traffic) stores
/// what it was given in this process's slot and raises a sequence number as it begins and ends; nothing is translated
/// and no clock is read there. Another thread reads the slot whenever it likes and does the rest: since when the number
/// has not moved, which rank of MPI_COMM_WORLD a peer is, what a request was made for.
///
///     MPI thread:       fields of the call -> sequence odd -> PMPI_Recv ... -> sequence even
///     watchdog thread:  sequence, fields, sequence again: the same odd number twice: it waits for just this
///
/// Fields are stored with release and loaded with acquire (plain moves on x86): who sees a field of the next call sees
/// the end of the last one as well, and takes neither.
///
/// Requests are looked up by their handle in a small table of the latest immediate calls; communicators and windows are
/// noted when they are made. What was made past drivers/traffic (persistent requests, intercommunicators, MPI-IO) is
/// not known, and said so.
///
/// Cost under OpenMPI 4.1: see `watch` (drivers/watchdog.hpp).

#include <mpi.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "drivers/watchdog/diagnosis.hpp"

namespace duet {

/// A communicator's, window's or request's handle as a number; 0 is none of them.
template <class Handle>
[[nodiscard]] std::uint64_t number_of(Handle handle) {
  if constexpr (std::is_pointer_v<Handle>) {
    return reinterpret_cast<std::uint64_t>(handle);
  } else {
    return static_cast<std::uint32_t>(handle);
  }
}

/// What is known of a call before it is made: one object for each MPI function, so that one store tells all of it.
struct CallKind {
  enum class Shape { one_operation, two_operations, all_requests, one_request };

  const char* name = "";
  Wait::Way way = Wait::Way::receives;
  Shape shape = Shape::one_operation;
};

/// A name as a template's argument.
template <std::size_t Length>
struct CallName {
  consteval CallName(const char (&name)[Length]) { std::copy_n(name, Length, text); }  // NOLINT: sending<"MPI_Send">
  char text[Length]{};                                                                 // NOLINT
};
template <CallName name, Wait::Way way, CallKind::Shape shape = CallKind::Shape::one_operation>
inline constexpr CallKind kind_of{name.text, way, shape};

/// One call as it was made: numbers as MPI was given them.
struct Operation {
  static constexpr int none = -1000;  ///< no MPI implementation has this as a rank, a tag or one of their wildcards

  const CallKind* kind = nullptr;
  int peer = none;  ///< of a collective call the root
  int tag = none;
  std::uint64_t group = 0;    ///< the communicator or window
  std::uint64_t ordinal = 0;  ///< of a collective call
};

/// An operation that one thread writes while another may read it.
class PublishedOperation {
 public:
  void store(const Operation& operation) {
    constexpr auto release = std::memory_order_release;
    constexpr unsigned half = 32;
    kind_.store(operation.kind, release);
    group_.store(operation.group, release);
    peer_and_tag_.store(
        std::uint64_t{static_cast<std::uint32_t>(operation.peer)} << half | static_cast<std::uint32_t>(operation.tag),
        release);
    if (operation.kind->way == Wait::Way::collective) ordinal_.store(operation.ordinal, release);
  }
  /// Its kind is null where nothing was stored.
  [[nodiscard]] Operation load() const;

 private:
  std::atomic<const CallKind*> kind_{nullptr};
  std::atomic<std::uint64_t> group_{0};
  std::atomic<std::uint64_t> peer_and_tag_{0};
  std::atomic<std::uint64_t> ordinal_{0};
};

/// What the requests of the latest immediate calls are for, by handle: MPI reuses few handles again and again, so the
/// table stays small. An entry that finds no place replaces another; its request is then "not told".
class RequestTable {
 public:
  void note(std::uint64_t request, const Operation& operation) {
    Entry& home = entries_[home_of(request)];
    const bool known = home.request.load(std::memory_order_relaxed) == request;
    (known ? home : place_for(request)).operation.store(operation);
  }
  [[nodiscard]] std::optional<Operation> find(std::uint64_t request) const;

 private:
  static constexpr std::size_t places = 1024;
  static constexpr std::size_t steps = 4;
  static std::size_t home_of(std::uint64_t request) {
    return (request * 0x9e3779b97f4a7c15ULL >> 54U) % places;  // Fibonacci hashing: the upper ten bits
  }
  struct alignas(64) Entry {
    std::atomic<std::uint64_t> request{0};
    PublishedOperation operation;
  };
  /// The entry that has `request` or is free; else its first one. Takes it.
  [[nodiscard]] Entry& place_for(std::uint64_t request);

  std::array<Entry, places> entries_;
};

/// How many collective calls were begun on each communicator and window: those of one number belong together. Where
/// there are more communicators than places, some are not counted.
class CollectiveCounts {
 public:
  /// The number of the call that begins now, from 1; 0 where it is not counted.
  std::uint64_t next(std::uint64_t group) {
    for (std::size_t step = 0; step < places; ++step) {
      Entry& entry = entries_[(home_of(group) + step) % places];
      const std::uint64_t key = entry.group.load(std::memory_order_relaxed);
      if (key != group && key != 0) continue;
      if (key == 0) entry.group.store(group, std::memory_order_relaxed);
      const std::uint64_t count = entry.count.load(std::memory_order_relaxed) + 1;
      entry.count.store(count, std::memory_order_relaxed);
      return count;
    }
    return 0;
  }
  /// A handle that is new counts from the start, also where it was another's before.
  void forget(std::uint64_t group);
  [[nodiscard]] std::uint64_t of(std::uint64_t group) const;

 private:
  static constexpr std::size_t places = 256;
  static std::size_t home_of(std::uint64_t group) { return (group * 0x9e3779b97f4a7c15ULL >> 56U) % places; }
  struct Entry {
    std::atomic<std::uint64_t> group{0};
    std::atomic<std::uint64_t> count{0};
  };
  std::array<Entry, places> entries_;
};

/// What the MPI thread tells. One thread writes, any other reads.
class Slot {
 public:
  // The MPI thread's part.

  void enter(const Operation& operation) {
    begin(operation.kind);
    first_.store(operation);
    turn();
  }
  void enter(const Operation& one, const Operation& other) {
    begin(one.kind);
    first_.store(one);
    second_.store(other);
    turn();
  }
  void enter(const CallKind& kind, int count, const MPI_Request* requests) {
    begin(&kind);
    count_.store(count, std::memory_order_release);
    copy(count, requests, requests_);
    turn();
  }
  /// A call is begun, or has ended.
  void turn() { sequence_.store(sequence_.load(std::memory_order_relaxed) + 1, std::memory_order_release); }
  /// Something was done that took no waiting.
  void act() { sequence_.store(sequence_.load(std::memory_order_relaxed) + 2, std::memory_order_release); }

  /// Of a request that was done as it was made nothing is noted: MPI gives the same handle for all of them.
  void posted(MPI_Request request, const Operation& operation) {
    if (number_of(request) == done_at_once_.load(std::memory_order_relaxed)) return;
    table_.note(number_of(request), operation);
  }
  std::uint64_t next_collective(std::uint64_t group) { return counts_.next(group); }

  /// Before a test or a probe: notes, now and then, how long the program was outside.
  void before_test() {
    if (measures_gap_) add_gap();
  }
  void after_test_in_vain(const CallKind& kind, int count, const MPI_Request* requests) {
    if (sampled()) note_poll(kind, count, requests, nullptr);
  }
  void after_test_in_vain(const Operation& operation) {
    if (sampled()) note_poll(*operation.kind, 0, nullptr, &operation);
  }

  /// Learns which handle MPI gives to a request that is done at once. MPI has started.
  void learn_handles();
  /// A new communicator or window, by the ranks of its group. Calls PMPI, and sends nothing.
  void made(MPI_Comm communicator);
  void made(MPI_Win window);
  /// Its handle is freed, and may become another's.
  void forget(std::uint64_t group);
  void ended() { ended_.store(true, std::memory_order_relaxed); }

  // The watchdog's part.

  [[nodiscard]] std::uint64_t sequence() const { return sequence_.load(std::memory_order_acquire); }
  [[nodiscard]] std::uint64_t tests() const { return tests_.load(std::memory_order_relaxed); }
  /// Nanoseconds between one test or probe in vain and the next, estimated from some of them.
  [[nodiscard]] std::uint64_t between_tests() const { return gap_.load(std::memory_order_relaxed); }
  [[nodiscard]] bool has_ended() const { return ended_.load(std::memory_order_relaxed); }
  [[nodiscard]] static bool in_call(std::uint64_t sequence) { return sequence % 2 == 1; }

  /// Fills in how many collective calls were begun.
  void count_collectives(RankState& state) const;
  /// Fills in call, waits and requests: of the call that goes on where `polls` is false, else of the latest test in
  /// vain. `described` tells which ranks are described. False where the slot changed meanwhile.
  [[nodiscard]] bool describe(RankState& state, bool polls, const std::vector<bool>& described) const;

 private:
  static constexpr int told_requests = 8;
  static constexpr std::uint64_t one_in = 16;
  using Requests = std::array<std::atomic<std::uint64_t>, told_requests>;

  void begin(const CallKind* kind) { kind_.store(kind, std::memory_order_release); }
  static void copy(int count, const MPI_Request* requests, Requests& to) {
    // Most calls have one or two: no loop for those.
    if (count < 1) return;
    to[0].store(number_of(requests[0]), std::memory_order_release);
    if (count < 2) return;
    to[1].store(number_of(requests[1]), std::memory_order_release);
    if (count > 2) copy_more(count, requests, to);
  }
  static void copy_more(int count, const MPI_Request* requests, Requests& to);
  bool sampled() {
    const std::uint64_t tests = tests_.load(std::memory_order_relaxed) + 1;
    tests_.store(tests, std::memory_order_relaxed);
    return tests % one_in == 1;
  }
  void add_gap();
  void note_poll(const CallKind& kind, int count, const MPI_Request* requests, const Operation* operation);
  void made(std::uint64_t handle, MPI_Group group, const char* kind);
  [[nodiscard]] std::optional<Wait> wait_for(const Operation& operation, const std::vector<bool>& described) const;
  void describe_requests(RankState& state, int count, const Requests& requests,
                         const std::vector<bool>& described) const;

  std::atomic<std::uint64_t> sequence_{0};
  std::atomic<const CallKind*> kind_{nullptr};
  std::atomic<int> count_{0};
  std::atomic<bool> ended_{false};
  PublishedOperation first_;
  PublishedOperation second_;
  Requests requests_{};

  std::atomic<std::uint64_t> tests_{0};
  std::atomic<std::uint64_t> gap_{0};
  std::atomic<std::uint64_t> poll_sequence_{0};
  std::atomic<const CallKind*> poll_kind_{nullptr};
  std::atomic<int> poll_count_{0};
  PublishedOperation poll_;
  Requests poll_requests_{};
  bool measures_gap_ = false;
  std::chrono::steady_clock::time_point test_ended_{};

  RequestTable table_;
  std::atomic<std::uint64_t> done_at_once_{number_of(MPI_REQUEST_NULL)};
  CollectiveCounts counts_;

  struct Group {
    std::string name;
    std::vector<int> ranks;  ///< of MPI_COMM_WORLD
  };
  mutable std::mutex mutex_;
  std::map<std::uint64_t, Group> groups_;
  std::map<std::string, int> made_so_far_;  ///< of the same ranks and kind
};

/// Where this process's calls are told now; null while nobody watches. Set by `watch`, and then left alone.
extern Slot* open_slot;

/// From before a blocking call to its end.
class Waiting {
 public:
  template <class... What>
  explicit Waiting(const What&... what) : slot_{open_slot} {
    if (slot_ != nullptr) slot_->enter(what...);
  }
  ~Waiting() {
    if (slot_ != nullptr) slot_->turn();
  }
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;

 private:
  Slot* slot_;
};

template <CallName name, CallKind::Shape shape = CallKind::Shape::one_operation>
[[nodiscard]] Operation sending(int destination, int tag, MPI_Comm comm) {
  return {.kind = &kind_of<name, Wait::Way::sends, shape>, .peer = destination, .tag = tag, .group = number_of(comm)};
}
template <CallName name>
[[nodiscard]] Operation receiving(int source, int tag, MPI_Comm comm) {
  return {.kind = &kind_of<name, Wait::Way::receives>, .peer = source, .tag = tag, .group = number_of(comm)};
}
/// Counts it; once a call.
template <CallName name, class CommunicatorOrWindow>
[[nodiscard]] Operation collective(CommunicatorOrWindow group, int root = Operation::none) {
  return {.kind = &kind_of<name, Wait::Way::collective>,
          .peer = root,
          .group = number_of(group),
          .ordinal = open_slot == nullptr ? 0 : open_slot->next_collective(number_of(group))};
}
template <CallName name>
[[nodiscard]] Operation reaching(MPI_Win window, int target = Operation::none) {
  return {.kind = &kind_of<name, Wait::Way::window>, .peer = target, .group = number_of(window)};
}

/// Notes what `*request` is for.
inline int posted(int code, const MPI_Request* request, const Operation& operation) {
  if (open_slot != nullptr && code == MPI_SUCCESS) open_slot->posted(*request, operation);
  return code;
}

}  // namespace duet
