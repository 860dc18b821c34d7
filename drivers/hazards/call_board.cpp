#include "drivers/hazards/call_board.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <new>
#include <stdexcept>
#include <utility>

namespace duet {
namespace {

using hazards::Call;
using hazards::CallKind;

constexpr std::size_t remembered = 64;  // collectives a rank

/// A call as words that may be read while they are written.
struct SharedCall {
  std::atomic<std::int64_t> kind{0};
  std::atomic<std::int64_t> to{-1};
  std::atomic<std::int64_t> from{-1};
  std::atomic<std::int64_t> tag{-1};
  std::atomic<std::int64_t> bytes{0};

  void store(const Call& call) {
    kind = static_cast<std::int64_t>(call.kind);
    to = call.to;
    from = call.from;
    tag = call.tag;
    bytes = call.bytes;
  }
  [[nodiscard]] Call load() const {
    return {.kind = static_cast<CallKind>(kind.load()),
            .to = static_cast<int>(to),
            .from = static_cast<int>(from),
            .tag = static_cast<int>(tag),
            .bytes = bytes};
  }
};

struct Remembered {
  std::atomic<std::int64_t> number{-1};  // which collective of its rank this is; -1 while it is written
  SharedCall call;
};

[[noreturn]] void give_up(const std::string& path) {
  throw std::runtime_error(fmt::format("{}: {}", path, std::strerror(errno)));
}

std::string ranks_text(const std::vector<int>& ranks) {
  std::string text = ranks.size() == 1 ? "rank " : "ranks ";
  for (std::size_t i = 0; i < ranks.size(); ++i) {
    text += (i == 0 ? "" : i + 1 == ranks.size() ? " and " : ", ") + std::to_string(ranks[i]);
  }
  return text;
}

/// Whether `peer` does what a sender to it from `rank` waits for.
bool receives_from(const RankState& peer, int rank) {
  const CallKind kind = peer.call.kind;
  return peer.in_call && peer.call.from == rank &&
         (kind == CallKind::receive || kind == CallKind::send_receive || kind == CallKind::wait);
}

bool sends_to(const RankState& peer, int rank) {
  const CallKind kind = peer.call.kind;
  return peer.in_call && peer.call.to == rank &&
         (kind == CallKind::send || kind == CallKind::send_receive || kind == CallKind::wait);
}

/// The ranks that `rank` waits for, and that do not answer it.
std::vector<int> waits_for(std::span<const RankState> ranks, int rank) {
  const RankState& state = ranks[static_cast<std::size_t>(rank)];
  std::vector<int> peers;
  const auto known = [&](int peer) { return peer >= 0 && peer < static_cast<int>(ranks.size()) && peer != rank; };
  if (is_collective(state.call.kind)) {
    for (int peer = 0; peer < static_cast<int>(ranks.size()); ++peer) {
      const RankState& other = ranks[static_cast<std::size_t>(peer)];
      if (known(peer) && !(other.in_call && other.call.kind == state.call.kind)) peers.push_back(peer);
    }
    return peers;
  }
  const int to = state.call.to;
  const int from = state.call.from;
  if (known(to) && !receives_from(ranks[static_cast<std::size_t>(to)], rank)) peers.push_back(to);
  if (known(from) && from != to && !sends_to(ranks[static_cast<std::size_t>(from)], rank)) peers.push_back(from);
  return peers;
}

}  // namespace

struct alignas(128) CallBoard::Slot {
  std::atomic<std::uint64_t> version{0};  // odd while it changes
  std::atomic<bool> in_call{false};
  SharedCall call;
  std::atomic<std::int64_t> largest_sent{-1};
  std::atomic<std::int64_t> collectives{0};
  std::array<Remembered, remembered> history;

  // Written by the thread that watches the rank.
  std::atomic<std::uint64_t> timed_version{0};
  std::atomic<double> processor_begin{0};
  std::atomic<double> processor_now{0};
  std::atomic<double> clock_begin{0};
  std::atomic<double> clock_now{0};
};

struct alignas(128) CallBoard::Head {
  int ranks = 0;
};

bool RankState::stands_still() const {
  constexpr double processor_patience = 0.15;
  constexpr double patience = 4;
  return in_call && (processor_seconds >= processor_patience || seconds >= patience);
}

std::string call_text(const Call& call) {
  std::string text{name_of(call.kind)};
  if (is_collective(call.kind)) {
    return text + (call.from >= 0 ? fmt::format(" (root {}, {} bytes)", call.from, call.bytes)
                                  : fmt::format(" ({} bytes)", call.bytes));
  }
  if (call.to >= 0) text += fmt::format(" to rank {}", call.to);
  if (call.from >= 0) text += fmt::format("{} from rank {}", call.to >= 0 ? " and" : "", call.from);
  return text + (call.tag >= 0 ? fmt::format(" (tag {}, {} bytes)", call.tag, call.bytes) : "");
}

std::string mismatch(std::span<const RankState> ranks) {
  std::int64_t first = 0;
  std::int64_t last = 0;
  for (const RankState& rank : ranks) {
    first = std::max(first, rank.first_collective);
    last = std::max(last, rank.first_collective + static_cast<std::int64_t>(rank.collectives.size()));
  }
  for (std::int64_t k = first; k < last; ++k) {
    std::vector<std::pair<Call, std::vector<int>>> groups;
    for (std::size_t r = 0; r < ranks.size(); ++r) {
      const std::int64_t at = k - ranks[r].first_collective;
      if (at >= static_cast<std::int64_t>(ranks[r].collectives.size())) continue;
      const Call& call = ranks[r].collectives[static_cast<std::size_t>(at)];
      const auto same = std::ranges::find_if(
          groups, [&](const auto& group) { return group.first.kind == call.kind && group.first.from == call.from; });
      if (same == groups.end()) {
        groups.push_back({call, {static_cast<int>(r)}});
      } else {
        same->second.push_back(static_cast<int>(r));
      }
    }
    if (groups.size() < 2) continue;
    std::string text;
    for (const auto& [call, members] : groups) {
      text += fmt::format("{}{} {} {} as collective {}", text.empty() ? "" : "\n", ranks_text(members),
                          members.size() == 1 ? "calls" : "call", call_text(call), k + 1);
    }
    return text;
  }
  return {};
}

std::string wait_cycle(std::span<const RankState> ranks, bool patiently) {
  const auto waits = [&](int rank) {
    const RankState& state = ranks[static_cast<std::size_t>(rank)];
    return patiently ? state.stands_still() : state.in_call;
  };
  // From each rank along all waits, depth first: the first way that comes back is a cycle.
  std::vector<int> way;
  std::vector<bool> been(ranks.size());
  const auto comes_back = [&](const auto& self, int rank) -> bool {
    if (!way.empty() && rank == way.front()) return true;
    if (been[static_cast<std::size_t>(rank)] || !waits(rank)) return false;
    been[static_cast<std::size_t>(rank)] = true;
    way.push_back(rank);
    for (const int peer : waits_for(ranks, rank)) {
      if (self(self, peer)) return true;
    }
    way.pop_back();
    return false;
  };
  for (int rank = 0; rank < static_cast<int>(ranks.size()); ++rank) {
    way.clear();
    been.assign(ranks.size(), false);
    if (!comes_back(comes_back, rank)) continue;
    std::string text;
    std::string cycle;
    for (const int member : way) {
      text += fmt::format("rank {} in {}\n", member, call_text(ranks[static_cast<std::size_t>(member)].call));
      cycle += fmt::format("rank {} waits for ", member);
    }
    return text + cycle + fmt::format("rank {}", way.front());
  }
  return {};
}

CallBoard CallBoard::create(const std::string& path, int ranks) {
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file < 0) give_up(path);
  const std::size_t bytes = sizeof(Head) + static_cast<std::size_t>(ranks) * sizeof(Slot);
  void* memory = MAP_FAILED;
  if (ftruncate(file, static_cast<off_t>(bytes)) == 0) {
    memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  }
  const int reason = errno;
  close(file);
  errno = reason;
  if (memory == MAP_FAILED) give_up(path);
  CallBoard board{memory, bytes};
  new (memory) Head{ranks};
  for (int rank = 0; rank < ranks; ++rank) new (&board.slot(rank)) Slot;
  return board;
}

CallBoard CallBoard::open(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (file < 0) give_up(path);
  struct stat status {};
  void* memory = MAP_FAILED;
  if (fstat(file, &status) == 0) {
    memory = mmap(nullptr, static_cast<std::size_t>(status.st_size), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  }
  const int reason = errno;
  close(file);
  errno = reason;
  if (memory == MAP_FAILED) give_up(path);
  return {memory, static_cast<std::size_t>(status.st_size)};
}

CallBoard::CallBoard(CallBoard&& other) noexcept
    : memory_{std::exchange(other.memory_, nullptr)}, bytes_{other.bytes_} {}

CallBoard::~CallBoard() {
  if (memory_ != nullptr) munmap(memory_, bytes_);
}

int CallBoard::ranks() const { return static_cast<const Head*>(memory_)->ranks; }

CallBoard::Slot& CallBoard::slot(int rank) const {
  return *reinterpret_cast<Slot*>(static_cast<char*>(memory_) + sizeof(Head) +
                                  static_cast<std::size_t>(rank) * sizeof(Slot));
}

std::unique_ptr<hazards::CallLog> CallBoard::log_of(int rank) {
  class Log : public hazards::CallLog {
   public:
    explicit Log(Slot& slot) : slot_{slot} {}
    void begins(const Call& call) override {
      slot_.version += 1;
      slot_.call.store(call);
      slot_.in_call = true;
      if (is_collective(call.kind)) {
        const std::int64_t number = slot_.collectives;
        Remembered& place = slot_.history[static_cast<std::size_t>(number) % remembered];
        place.number = -1;
        place.call.store(call);
        place.number = number;
        slot_.collectives = number + 1;
      }
      slot_.version += 1;
    }
    void ended() override {
      slot_.version += 1;
      slot_.in_call = false;
      if (slot_.call.kind == static_cast<std::int64_t>(CallKind::send)) {
        slot_.largest_sent = std::max(slot_.largest_sent.load(), slot_.call.bytes.load());
      }
      slot_.version += 1;
    }

   private:
    Slot& slot_;
  };
  return std::make_unique<Log>(slot(rank));
}

RankState CallBoard::state_of(int rank) const {
  const Slot& from = slot(rank);
  RankState state;
  // A rank that was killed in the middle of a change leaves it so: after some looks, what there is has to do.
  constexpr int looks = 1000;
  for (int look = 0; look < looks; ++look) {
    state.version = from.version;
    state.in_call = from.in_call;
    state.call = from.call.load();
    state.largest_sent = from.largest_sent;
    if (state.version % 2 == 0 && from.version == state.version) break;
  }
  if (from.timed_version == state.version) {
    state.processor_seconds = from.processor_now - from.processor_begin;
    state.seconds = from.clock_now - from.clock_begin;
  }
  // The oldest ones may be overwritten while they are read: half of them are left out.
  const std::int64_t called = from.collectives;
  state.first_collective = std::max<std::int64_t>(0, called - static_cast<std::int64_t>(remembered / 2));
  for (std::int64_t k = state.first_collective; k < called; ++k) {
    const Remembered& place = from.history[static_cast<std::size_t>(k) % remembered];
    const Call call = place.call.load();
    if (place.number != k) {
      state.first_collective = k + 1;
      state.collectives.clear();
    } else {
      state.collectives.push_back(call);
    }
  }
  return state;
}

std::vector<RankState> CallBoard::states() const {
  std::vector<RankState> all;
  for (int rank = 0; rank < ranks(); ++rank) all.push_back(state_of(rank));
  return all;
}

void CallBoard::note_time(int rank, double processor_seconds, double seconds) {
  Slot& mine = slot(rank);
  const std::uint64_t version = mine.version;
  if (mine.timed_version != version) {
    mine.processor_begin = processor_seconds;
    mine.clock_begin = seconds;
    mine.processor_now = processor_seconds;
    mine.clock_now = seconds;
    mine.timed_version = version;
    return;
  }
  mine.processor_now = processor_seconds;
  mine.clock_now = seconds;
}

std::string standstill(const CallBoard& board, bool patiently) {
  const std::vector<RankState> first = board.states();
  if (std::string different = mismatch(first); !different.empty()) return different;
  std::string cycle = wait_cycle(first, patiently);
  if (cycle.empty()) return {};
  // Ranks were looked at one after another: only what is the same at a second look was ever there at one time.
  const std::vector<RankState> second = board.states();
  for (std::size_t rank = 0; rank < first.size(); ++rank) {
    if (first[rank].version != second[rank].version) return {};
  }
  return cycle;
}

}  // namespace duet
