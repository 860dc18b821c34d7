#include "drivers/watchdog/waiting.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <string_view>

namespace duet {
namespace {

std::uint64_t fingerprint(const std::vector<int>& ranks) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;  // FNV-1a
  for (const int rank : ranks) hash = (hash ^ static_cast<std::uint32_t>(rank)) * 0x100000001b3ULL;
  return hash;
}

/// By rank in `group`. PMPI, so that nothing of it is told.
std::vector<int> ranks_in_world(MPI_Group group) {
  int size = 0;
  PMPI_Group_size(group, &size);
  std::vector<int> mine(static_cast<std::size_t>(size));
  std::iota(mine.begin(), mine.end(), 0);
  std::vector<int> ranks(mine.size());
  MPI_Group world = MPI_GROUP_NULL;
  PMPI_Comm_group(MPI_COMM_WORLD, &world);
  PMPI_Group_translate_ranks(group, size, mine.data(), world, ranks.data());
  PMPI_Group_free(&world);
  return ranks;
}

}  // namespace

Operation PublishedOperation::load() const {
  constexpr auto acquire = std::memory_order_acquire;
  constexpr unsigned half = 32;
  const std::uint64_t peer_and_tag = peer_and_tag_.load(acquire);
  Operation operation;
  operation.kind = kind_.load(acquire);
  operation.peer = static_cast<int>(static_cast<std::uint32_t>(peer_and_tag >> half));
  operation.tag = static_cast<int>(static_cast<std::uint32_t>(peer_and_tag));
  operation.group = group_.load(acquire);
  if (operation.kind != nullptr && operation.kind->way == Wait::Way::collective) {
    operation.ordinal = ordinal_.load(acquire);
  }
  return operation;
}

RequestTable::Entry& RequestTable::place_for(std::uint64_t request) {
  const std::size_t home = home_of(request);
  for (std::size_t step = 0; step < steps; ++step) {
    Entry& entry = entries_[(home + step) % places];
    const std::uint64_t key = entry.request.load(std::memory_order_relaxed);
    if (key == request) return entry;
    if (key != 0) continue;
    entry.request.store(request, std::memory_order_relaxed);
    return entry;
  }
  entries_[home].request.store(request, std::memory_order_relaxed);
  return entries_[home];
}

std::optional<Operation> RequestTable::find(std::uint64_t request) const {
  for (std::size_t step = 0; step < steps; ++step) {
    const Entry& entry = entries_[(home_of(request) + step) % places];
    if (entry.request.load(std::memory_order_relaxed) == request) return entry.operation.load();
  }
  return std::nullopt;
}

void CollectiveCounts::forget(std::uint64_t group) {
  for (Entry& entry : entries_) {
    if (entry.group.load(std::memory_order_relaxed) == group) entry.count.store(0, std::memory_order_relaxed);
  }
}

std::uint64_t CollectiveCounts::of(std::uint64_t group) const {
  for (const Entry& entry : entries_) {
    if (entry.group.load(std::memory_order_relaxed) == group) return entry.count.load(std::memory_order_relaxed);
  }
  return 0;
}

void Slot::add_gap() {
  measures_gap_ = false;
  const auto outside =
      std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now() - test_ended_).count();
  gap_.store(gap_.load(std::memory_order_relaxed) + one_in * static_cast<std::uint64_t>(outside),
             std::memory_order_relaxed);
}

void Slot::note_poll(const CallKind& kind, int count, const MPI_Request* requests, const Operation* operation) {
  constexpr auto release = std::memory_order_release;
  const std::uint64_t sequence = poll_sequence_.load(std::memory_order_relaxed);
  poll_sequence_.store(sequence + 1, release);
  poll_kind_.store(&kind, release);
  poll_count_.store(count, release);
  if (operation != nullptr) poll_.store(*operation);
  copy(count, requests, poll_requests_);
  poll_sequence_.store(sequence + 2, std::memory_order_release);
  measures_gap_ = true;
  test_ended_ = std::chrono::steady_clock::now();
}

void Slot::copy_more(int count, const MPI_Request* requests, Requests& to) {
  for (int i = 2; i < count && i < told_requests; ++i) {
    to[static_cast<std::size_t>(i)].store(number_of(requests[i]), std::memory_order_release);
  }
}

void Slot::learn_handles() {
  // What is sent to nobody is done. An MPI that gives each request a handle of its own frees this one again, and may
  // give it to another: that one is noted as any.
  std::array<MPI_Request, 2> requests{MPI_REQUEST_NULL, MPI_REQUEST_NULL};
  for (MPI_Request& request : requests) {
    PMPI_Isend(nullptr, 0, MPI_INT, MPI_PROC_NULL, 0, MPI_COMM_WORLD, &request);
  }
  if (requests[0] == requests[1]) done_at_once_.store(number_of(requests[0]), std::memory_order_relaxed);
  PMPI_Waitall(2, requests.data(), MPI_STATUSES_IGNORE);
}

void Slot::made(MPI_Comm communicator) {
  if (communicator == MPI_COMM_NULL) return;
  MPI_Group group = MPI_GROUP_NULL;
  PMPI_Comm_group(communicator, &group);
  made(number_of(communicator), group, "communicator");
}

void Slot::made(MPI_Win window) {
  if (window == MPI_WIN_NULL) return;
  MPI_Group group = MPI_GROUP_NULL;
  PMPI_Win_get_group(window, &group);
  made(number_of(window), group, "window");
}

/// The name is the same on all ranks without a message: who belongs to it, and the how-manieth of these it is. All its
/// ranks make it in the same order, since making it is collective.
void Slot::made(std::uint64_t handle, MPI_Group group, const char* kind) {
  std::vector<int> ranks = ranks_in_world(group);
  PMPI_Group_free(&group);
  const std::scoped_lock lock{mutex_};
  const std::string of_these = fmt::format("{} of {} ranks {:016x}", kind, ranks.size(), fingerprint(ranks));
  const bool world = handle == number_of(MPI_COMM_WORLD);
  const std::string name =
      world ? std::string{"MPI_COMM_WORLD"} : fmt::format("{} number {}", of_these, ++made_so_far_[of_these]);
  if (!world) counts_.forget(handle);
  groups_[handle] = {name, std::move(ranks)};
}

void Slot::forget(std::uint64_t group) {
  const std::scoped_lock lock{mutex_};
  groups_.erase(group);
}

std::optional<Wait> Slot::wait_for(const Operation& operation, const std::vector<bool>& described) const {
  const bool together = operation.kind != nullptr && operation.kind->way == Wait::Way::collective;
  if (operation.kind == nullptr || (!together && operation.peer == MPI_PROC_NULL)) return std::nullopt;
  Wait wait;
  wait.call = operation.kind->name;
  wait.way = operation.kind->way;
  wait.ordinal = operation.ordinal;
  if (operation.tag == MPI_ANY_TAG) {
    wait.tag = Wait::any;
  } else if (operation.tag != Operation::none) {
    wait.tag = operation.tag;
  }
  if (together) {
    wait.peer = Wait::all;
  } else if (operation.peer == MPI_ANY_SOURCE) {
    wait.peer = Wait::any;
  }
  const std::scoped_lock lock{mutex_};
  const auto found = groups_.find(operation.group);
  if (found == groups_.end()) return wait;
  const Group& group = found->second;
  const auto in_world = [&](int rank) {
    return rank >= 0 && rank < static_cast<int>(group.ranks.size()) ? group.ranks[static_cast<std::size_t>(rank)]
                                                                    : Wait::not_told;
  };
  wait.communicator = group.name;
  wait.size = static_cast<int>(group.ranks.size());
  if (wait.peer == Wait::not_told) wait.peer = in_world(operation.peer);
  if (together) wait.root = in_world(operation.peer);
  if (wait.peer == Wait::any || wait.peer == Wait::all) {
    for (const int rank : group.ranks) {
      if (rank >= 0 && rank < static_cast<int>(described.size()) && described[static_cast<std::size_t>(rank)]) {
        wait.members.push_back(rank);
      }
    }
  }
  return wait;
}

void Slot::describe_requests(RankState& state, int count, const Requests& requests,
                             const std::vector<bool>& described) const {
  state.requests = count;
  for (int i = 0; i < count && i < told_requests; ++i) {
    const std::uint64_t request = requests[static_cast<std::size_t>(i)].load(std::memory_order_acquire);
    if (request == number_of(MPI_REQUEST_NULL) || request == done_at_once_.load(std::memory_order_relaxed)) {
      --state.requests;
      continue;
    }
    const auto operation = table_.find(request);
    if (!operation) continue;
    if (auto wait = wait_for(*operation, described)) state.waits.push_back(std::move(*wait));
  }
}

void Slot::count_collectives(RankState& state) const {
  const std::scoped_lock lock{mutex_};
  for (const auto& [handle, group] : groups_) state.collectives[group.name] = counts_.of(handle);
}

bool Slot::describe(RankState& state, bool polls, const std::vector<bool>& described) const {
  state.waits.clear();
  state.requests = 0;
  using Shape = CallKind::Shape;
  const std::atomic<std::uint64_t>& version = polls ? poll_sequence_ : sequence_;
  const std::uint64_t before = version.load(std::memory_order_acquire);
  const CallKind* const kind = (polls ? poll_kind_ : kind_).load(std::memory_order_acquire);
  if (in_call(before) == polls || kind == nullptr) return false;
  state.call = kind->name;
  state.one_suffices = kind->shape == Shape::one_request;
  if (kind->shape == Shape::all_requests || kind->shape == Shape::one_request) {
    describe_requests(state, (polls ? poll_count_ : count_).load(std::memory_order_acquire),
                      polls ? poll_requests_ : requests_, described);
  } else {
    if (auto wait = wait_for((polls ? poll_ : first_).load(), described)) state.waits.push_back(std::move(*wait));
    const bool two = kind->shape == Shape::two_operations;
    if (auto wait = two ? wait_for(second_.load(), described) : std::nullopt) state.waits.push_back(std::move(*wait));
  }
  return version.load(std::memory_order_relaxed) == before;
}

}  // namespace duet
