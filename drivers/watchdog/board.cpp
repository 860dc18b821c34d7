#include "drivers/watchdog/board.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <new>
#include <random>
#include <stdexcept>

#include "kernels/core/mpi.hpp"

namespace duet {
namespace {

// Who sees a word of the next text sees the odd version before it as well.
constexpr auto acquire = std::memory_order_acquire;
constexpr auto release = std::memory_order_release;

/// Maps `size` bytes of an object, or of nothing but memory where `descriptor` is -1. Null where it cannot be.
void* mapped(std::size_t size, int descriptor) {
  const int kind = descriptor < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED;
  void* const memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, kind, descriptor, 0);
  return memory == MAP_FAILED ? nullptr : memory;
}

using Name = std::array<char, 64>;

Name new_name() {
  std::random_device random;
  Name name{};
  const auto end = fmt::format_to_n(name.data(), name.size() - 1, "/duet-{:08x}{:08x}{:08x}{:08x}", random(), random(),
                                    random(), random());
  *end.out = '\0';
  return name;
}

}  // namespace

Board::Board() : Board{mapped(size_for(1), -1), 1, 0} {}

Board::Board(void* memory, int places, int mine)
    : head_{static_cast<Head*>(memory)},
      all_{reinterpret_cast<Place*>(static_cast<std::byte*>(memory) + sizeof(Head))},
      places_{places},
      mine_{mine} {
  // Pages that are new are zero, and so are all atomics in them: no process has to begin before the others.
  if (memory == nullptr) throw std::runtime_error("no memory for a watchdog");
}

std::unique_ptr<Board> Board::of_node(MPI_Comm node) {
  const bool leads = rank_in(node) == 0;
  const std::size_t size = size_for(size_of(node));
  Name name = new_name();
  int descriptor = -1;
  constexpr mode_t owner_alone = S_IRUSR | S_IWUSR;
  if (leads) {
    descriptor = shm_open(name.data(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, owner_alone);
    if (descriptor >= 0 && ftruncate(descriptor, static_cast<off_t>(size)) != 0) {
      close(descriptor);
      descriptor = -1;
      shm_unlink(name.data());
    }
  }
  check(MPI_Bcast(name.data(), static_cast<int>(name.size()), MPI_CHAR, 0, node));
  if (!leads) descriptor = shm_open(name.data(), O_RDWR | O_CLOEXEC, owner_alone);
  void* const memory = descriptor < 0 ? nullptr : mapped(size, descriptor);
  if (descriptor >= 0) close(descriptor);
  int all = memory == nullptr ? 0 : 1;
  check(MPI_Allreduce(MPI_IN_PLACE, &all, 1, MPI_INT, MPI_LAND, node));
  if (leads) shm_unlink(name.data());
  if (all == 0) {
    if (memory != nullptr) munmap(memory, size);
    return nullptr;
  }
  return std::unique_ptr<Board>{new Board{memory, size_of(node), rank_in(node)}};
}

void Board::show(const Glance& glance, const RankState* state) {
  Place& place = all_[mine_];
  const std::uint64_t version = place.version.load(acquire);
  place.version.store(version + 1, release);
  place.still_seconds.store(glance.still_seconds, release);
  place.seconds.store(glance.seconds, release);
  place.doing.store(static_cast<int>(glance.doing), release);
  place.beat.store(glance.beat, release);
  if (state != nullptr) {
    std::string text = nlohmann::json(*state).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    constexpr std::size_t room = words * bytes_a_word;
    if (text.size() > room) {
      // Of very many ranks or communicators: what it waits for stands, who else belongs to it is left out.
      RankState less = *state;
      less.collectives.clear();
      for (Wait& wait : less.waits) wait.members.clear();
      text = nlohmann::json(less).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    }
    if (text.size() > room) text = nlohmann::json(RankState{.rank = state->rank, .doing = state->doing}).dump();
    place.length.store(text.size(), release);
    for (std::size_t word = 0; word * bytes_a_word < text.size(); ++word) {
      std::uint64_t bits = 0;
      std::memcpy(&bits, text.data() + word * bytes_a_word, std::min(bytes_a_word, text.size() - word * bytes_a_word));
      place.text[word].store(bits, release);
    }
  }
  place.version.store(version + 2, std::memory_order_release);
}

Board::Glance Board::glance_at(int rank) const {
  const Place& place = all_[rank];
  return {.beat = place.beat.load(acquire),
          .still_seconds = place.still_seconds.load(acquire),
          .seconds = place.seconds.load(acquire),
          .doing = RankState::Doing{place.doing.load(acquire)}};
}

std::optional<RankState> Board::state_of(int rank) const {
  const Place& place = all_[rank];
  const std::uint64_t version = place.version.load(std::memory_order_acquire);
  const std::uint64_t length = std::min<std::uint64_t>(place.length.load(acquire), words * bytes_a_word);
  std::string text(length, '\0');
  for (std::size_t word = 0; word * bytes_a_word < length; ++word) {
    const std::uint64_t bits = place.text[word].load(acquire);
    std::memcpy(text.data() + word * bytes_a_word, &bits, std::min(bytes_a_word, length - word * bytes_a_word));
  }
  const auto doing = RankState::Doing{place.doing.load(acquire)};
  const double seconds = place.seconds.load(acquire);
  const bool whole = version % 2 == 0 && place.version.load(acquire) == version;
  if (!whole || text.empty()) return std::nullopt;
  auto state = nlohmann::json::parse(text).get<RankState>();
  state.doing = doing;
  state.seconds = seconds;
  return state;
}

bool Board::may_tell(int status) {
  int nobody = 0;
  return head_->status.compare_exchange_strong(nobody, status);
}

void Board::told() { head_->told.store(true); }
int Board::ends_with() const { return head_->status.load(); }
bool Board::was_told() const { return head_->told.load(); }

}  // namespace duet
