#include "drivers/watchdog.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "drivers/command.hpp"
#include "drivers/watchdog/agreement.hpp"
#include "drivers/watchdog/board.hpp"
#include "drivers/watchdog/waiting.hpp"
#include "kernels/core/mpi.hpp"

namespace duet {
namespace {

using Clock = std::chrono::steady_clock;
using Doing = RankState::Doing;

/// Between two looks.
constexpr double longest_pause_seconds = 0.1;
/// A rank that wants a core stands still only when it had one for so long, whatever the clock says. A turn counts for
/// more than it takes: where others want the core as well, a rank that waits gives it up as soon as it has looked.
constexpr double least_processor_seconds = 0.2;
constexpr double seconds_a_turn = 0.008;
/// A rank whose watchdog has not been seen for so long is silent.
constexpr double silence_seconds = 2;
/// Where all nodes stand still, they agree on it within one to two seconds.
constexpr double agreement_seconds = 3;

/// What the program and the watching thread share.
struct Watched {
  std::mutex mutex;
  std::string phase = "starting";
  int trial = -1;
  std::uint64_t phases = 0;
  Clock::time_point since = Clock::now();
  std::shared_ptr<Board> board;       ///< of the node; none before watch_each_other
  std::vector<bool> described{true};  ///< by rank: whether it is on the board
  int rank = 0;
  bool sees_all = false;                  ///< whether the board has all ranks of the job
  std::map<int, std::vector<int>> nodes;  ///< the ranks of each, by its lowest one
  int node = 0;                           ///< this one
  bool over = false;                      ///< nobody watches any more
  std::function<void(const Hang&)> record;
};

/// Never destroyed: the watching thread outlives main.
Watched& watched() {
  static auto* const state = new Watched;  // NOLINT(cppcoreguidelines-owning-memory)
  return *state;
}

double seconds_between(Clock::time_point begin, Clock::time_point end) {
  return std::chrono::duration<double>(end - begin).count();
}

/// One write, so that lines of several ranks do not mix.
void say(const std::string& line) {
  if (write(STDERR_FILENO, line.data(), line.size()) < 0) return;  // nobody left to tell
}

double processor_seconds(clockid_t clock) {
  timespec time{};
  if (clock_gettime(clock, &time) != 0) return 0;
  constexpr double nano = 1e-9;
  return static_cast<double>(time.tv_sec) + nano * static_cast<double>(time.tv_nsec);
}

/// What the system says of a thread of this process.
class Scheduled {
 public:
  explicit Scheduled(pid_t thread) : folder_{fmt::format("/proc/self/task/{}", thread)} {}

  /// Whether it waits, and not for a core. Where that cannot be told, it does.
  [[nodiscard]] bool sleeps() const {
    // "4711 (name of the program) R ...", and the name may hold anything.
    const std::string line = text_of("/stat");
    const std::size_t name_ends = line.rfind(')');
    return name_ends == std::string::npos || name_ends + 2 >= line.size() || line[name_ends + 2] != 'R';
  }
  /// How often it came to a core so far.
  [[nodiscard]] std::uint64_t turns() const {
    // Nanoseconds on a core, nanoseconds of waiting for one, turns.
    const std::string line = text_of("/schedstat");
    const std::size_t last = line.rfind(' ');
    return last == std::string::npos ? 0 : std::strtoull(line.c_str() + last, nullptr, 10);
  }

 private:
  [[nodiscard]] std::string text_of(const char* name) const {
    const int file = open((folder_ + name).c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) return {};
    std::array<char, 256> text{};
    const ssize_t length = read(file, text.data(), text.size());
    close(file);
    return {text.data(), static_cast<std::size_t>(std::max<ssize_t>(0, length))};
  }

  std::string folder_;
};

/// What the watching thread knows of the one that calls MPI.
struct MpiThread {
  pthread_t handle;
  pid_t number;
};

/// Looks at this process: what its MPI thread does, and whether it and the others compute.
class Observer {
 public:
  Observer(const Slot& slot, const MpiThread& mpi_thread) : slot_{slot}, scheduled_{mpi_thread.number} {
    has_clock_ = pthread_getcpuclockid(mpi_thread.handle, &mpi_clock_) == 0;
  }

  /// `elapsed` seconds after the last look. True where `state` tells of something new.
  bool look(double elapsed, const Watched& watched_now);
  [[nodiscard]] const RankState& state() const { return state_; }
  /// Not before it had the core that it may need to go on.
  [[nodiscard]] double still_seconds() const {
    return std::min(still_seconds_, had_seconds_ < least_processor_seconds ? had_seconds_ : still_seconds_);
  }

 private:
  struct Seen {
    std::uint64_t sequence = 0;
    std::uint64_t phases = 0;
    std::uint64_t tests = 0;
    std::uint64_t between_tests = 0;
    double in_mpi_thread = 0;
    double in_others = 0;
    bool wants_core = false;
    std::uint64_t turns = 0;
  };
  [[nodiscard]] Seen see(const Watched& now) const;
  [[nodiscard]] Doing doing(const Seen& now, double elapsed) const;

  const Slot& slot_;
  Scheduled scheduled_;
  clockid_t mpi_clock_{};
  bool has_clock_ = false;
  Seen last_;
  RankState state_;
  bool described_ = false;
  double still_seconds_ = 0;
  double had_seconds_ = 0;  ///< of these: asleep, or on a core
};

Observer::Seen Observer::see(const Watched& now) const {
  Seen seen;
  seen.sequence = slot_.sequence();
  seen.phases = now.phases;
  seen.tests = slot_.tests();
  seen.between_tests = slot_.between_tests();
  seen.in_mpi_thread = has_clock_ ? processor_seconds(mpi_clock_) : 0;
  seen.in_others =
      processor_seconds(CLOCK_PROCESS_CPUTIME_ID) - processor_seconds(CLOCK_THREAD_CPUTIME_ID) - seen.in_mpi_thread;
  seen.wants_core = has_clock_ && !scheduled_.sleeps();
  seen.turns = scheduled_.turns();
  return seen;
}

Doing Observer::doing(const Seen& now, double elapsed) const {
  constexpr double some = 0.01;       // of a core: more than timers and progress threads take
  constexpr double in_between = 0.1;  // of the time: more than a loop takes around its test
  constexpr double nano = 1e-9;
  if (slot_.has_ended()) return Doing::ended;
  if (now.sequence != last_.sequence || now.phases != last_.phases) return Doing::computes;
  if (now.in_others - last_.in_others > some * elapsed) return Doing::computes;
  if (Slot::in_call(now.sequence)) return Doing::waits;
  const bool works = now.in_mpi_thread - last_.in_mpi_thread > some * elapsed;
  if (now.tests != last_.tests) {
    const double between = nano * static_cast<double>(now.between_tests - last_.between_tests);
    return works && between > in_between * elapsed ? Doing::computes : Doing::polls;
  }
  return works || now.wants_core ? Doing::computes : Doing::idles;
}

bool Observer::look(double elapsed, const Watched& watched_now) {
  const Seen now = see(watched_now);
  state_.rank = watched_now.rank;
  const Doing doing_before = state_.doing;
  state_.doing = doing(now, elapsed);
  const bool moves = state_.doing == Doing::computes;
  const double on_core =
      std::max(now.in_mpi_thread - last_.in_mpi_thread, seconds_a_turn * static_cast<double>(now.turns - last_.turns));
  const double had = now.wants_core ? std::min(elapsed, on_core) : elapsed;
  still_seconds_ = moves ? 0 : still_seconds_ + elapsed;
  had_seconds_ = moves ? 0 : had_seconds_ + had;
  state_.seconds = moves ? seconds_between(watched_now.since, Clock::now()) : still_seconds_;
  // From one call to the next it moves in between: to wait, or to poll, is always news.
  const bool in_mpi = state_.doing == Doing::waits || state_.doing == Doing::polls;
  const bool news = state_.doing != doing_before || now.phases != last_.phases || (in_mpi && !described_);
  last_ = now;
  if (!news) return false;
  state_ = {.rank = state_.rank,
            .doing = state_.doing,
            .seconds = state_.seconds,
            .phase = watched_now.phase,
            .trial = watched_now.trial};
  slot_.count_collectives(state_);
  if (in_mpi) described_ = slot_.describe(state_, state_.doing == Doing::polls, watched_now.described);
  return true;
}

/// Looks at the ranks of the node, and judges.
class Judge {
 public:
  explicit Judge(const Watch& watch) : watch_{watch} {}

  /// From now on there are ranks of other nodes.
  void agree_with_others(const std::shared_ptr<Board>& board, const Watched& now) {
    agreement_ = std::make_shared<Agreement>(now.nodes, now.node, board, postings_of_job());
  }
  /// After each look. Does not come back where the job ends.
  void judge(Board& board, const Watched& now, double elapsed);
  [[noreturn]] void end_at_limit(Board* board, const Watched& now);

 private:
  struct Neighbour {
    std::uint64_t beat = 0;
    double silent_seconds = 0;
    [[nodiscard]] bool silent() const { return silent_seconds >= silence_seconds; }
  };

  void listen(const Board& board, double elapsed);
  [[nodiscard]] double stands_still(const Board& board, int place) const;
  [[nodiscard]] bool tells_for_node(const Board& board) const;
  [[nodiscard]] std::optional<std::vector<RankState>> states(const Board& board) const;
  [[nodiscard]] std::string who() const {
    return watch_.ranks > 1 ? fmt::format("rank {} of {}", watch_.rank, watch_.ranks) : std::string{"duet"};
  }
  [[noreturn]] void end(Board& board, const Hang& hang, const std::string& text, const Watched& now) const;
  [[noreturn]] void end_as_hung(Board& board, Diagnosis diagnosis, const Watched& now) const;
  void end_after_another(const Board& board) const;
  void ask_others(Board& board, const Watched& now, double elapsed, bool all_still);
  /// While that may still come, nothing is told of one node.
  [[nodiscard]] bool others_may_agree() const {
    return agreement_ && agreement_->is_served() && waiting_for_others_ < agreement_seconds;
  }
  void remind(const Board* board, const Watched& now);

  Watch watch_;
  std::vector<Neighbour> neighbours_;
  Clock::time_point reminded_ = Clock::now();
  double since_certain_ = 0;
  std::shared_ptr<Agreement> agreement_;  ///< with the other nodes; null where there are none
  bool asks_others_ = false;              ///< has a thread for it
  double waiting_for_others_ = 0;
  bool told_of_elsewhere_ = false;
};

void Judge::listen(const Board& board, double elapsed) {
  neighbours_.resize(static_cast<std::size_t>(board.places()));
  for (int place = 0; place < board.places(); ++place) {
    Neighbour& neighbour = neighbours_[static_cast<std::size_t>(place)];
    const std::uint64_t beat = board.glance_at(place).beat;
    neighbour.silent_seconds = beat != neighbour.beat ? 0 : neighbour.silent_seconds + elapsed;
    neighbour.beat = beat;
  }
}

double Judge::stands_still(const Board& board, int place) const {
  const Neighbour& neighbour = neighbours_[static_cast<std::size_t>(place)];
  const Board::Glance glance = board.glance_at(place);
  if (glance.doing == Doing::ended) return watch_.deadline_seconds;
  return glance.still_seconds + (neighbour.silent() ? neighbour.silent_seconds : 0);
}

bool Judge::tells_for_node(const Board& board) const {
  for (int place = 0; place < board.mine(); ++place) {
    const bool alive = !neighbours_[static_cast<std::size_t>(place)].silent();
    if (alive && board.glance_at(place).doing != Doing::ended) return false;
  }
  return board.glance_at(board.mine()).doing != Doing::ended;
}

std::optional<std::vector<RankState>> Judge::states(const Board& board) const {
  std::vector<RankState> all;
  for (int place = 0; place < board.places(); ++place) {
    auto state = board.state_of(place);
    if (!state) return std::nullopt;
    const Neighbour& neighbour = neighbours_[static_cast<std::size_t>(place)];
    if (neighbour.silent() && state->doing != Doing::ended) {
      state->doing = Doing::silent;
      state->seconds = neighbour.silent_seconds;
    }
    all.push_back(std::move(*state));
  }
  return all;
}

std::string with_lines(std::string first, const Diagnosis& diagnosis) {
  std::string text = "duet: " + std::move(first) + "\n";
  for (const std::string& line : diagnosis.lines()) text += "duet:   " + line + "\n";
  return text;
}

void Judge::end(Board& board, const Hang& hang, const std::string& text, const Watched& now) const {
  if (board.may_tell(hang.status)) {
    say(text);
    try {
      if (now.record) now.record(hang);
    } catch (const std::exception& error) {
      say(fmt::format("duet: {}\n", error.what()));
    }
    board.told();
    // mpirun would end the ranks of other nodes when these have ended, and srun does not.
    if (agreement_ && hang.status == status::hung) end_job(hang.status);
    std::_Exit(hang.status);
  }
  end_after_another(board);
  std::_Exit(hang.status);
}

/// Where a rank of this node tells of the end: gives it time, and ends this process as well.
void Judge::end_after_another(const Board& board) const {
  const int status = board.ends_with();
  if (status == 0) return;
  constexpr double patience = 3;
  constexpr double afterwards = 0.2;
  const Clock::time_point begin = Clock::now();
  while (!board.was_told() && seconds_between(begin, Clock::now()) < patience) {
    std::this_thread::sleep_for(std::chrono::milliseconds{10});
  }
  std::this_thread::sleep_for(std::chrono::duration<double>{afterwards});
  std::_Exit(status);
}

void Judge::remind(const Board* board, const Watched& now) {
  if (watch_.remind_seconds <= 0) return;
  const Clock::time_point time = Clock::now();
  if (seconds_between(std::max(reminded_, now.since), time) <= watch_.remind_seconds) return;
  reminded_ = time;
  std::string more;
  if (board != nullptr && board->places() > 1) {
    if (!tells_for_node(*board)) return;
    if (auto all = states(*board)) more = "; " + diagnose(std::move(*all), watch_.ranks).headline;
  }
  say(fmt::format("duet: {}: still, for {:.0f} s now, in: {}{}\n", who(), seconds_between(now.since, time), now.phase,
                  more));
}

void Judge::end_as_hung(Board& board, Diagnosis diagnosis, const Watched& now) const {
  const double deadline = watch_.deadline_seconds;
  Hang hang;
  hang.status = status::hung;
  hang.message =
      fmt::format("hung: no progress for {:g} s; was in {}; {}", deadline, diagnosis.phase(), diagnosis.headline);
  const std::string text = with_lines(
      fmt::format("no progress for {:g} s ({}): {}", deadline, diagnosis.phase(), diagnosis.headline), diagnosis);
  hang.diagnosis = std::move(diagnosis);
  end(board, hang, text, now);
}

/// Tells the other nodes that this one stands still, or has ceased to, and ends the job once all do.
void Judge::ask_others(Board& board, const Watched& now, double elapsed, bool all_still) {
  const auto here = all_still ? states(board) : std::nullopt;
  if (!all_still) {
    agreement_->node_moves();
    waiting_for_others_ = 0;
  }
  if (!here) return;
  agreement_->node_stands_still(*here);
  if (!asks_others_) {
    asks_others_ = true;
    std::thread{[agreement = agreement_] { agreement->keep_stepping(); }}.detach();
  }
  if (auto all = agreement_->all()) end_as_hung(board, diagnose(std::move(*all), watch_.ranks), now);
  waiting_for_others_ += elapsed;
  if (others_may_agree() || told_of_elsewhere_) return;
  const Diagnosis diagnosis = diagnose(*here, watch_.ranks);
  if (diagnosis.certain) return;  // `judge` ends the job
  told_of_elsewhere_ = true;
  say(with_lines(fmt::format("{}: no progress on this node for {:g} s ({}); it goes on, as ranks of other nodes may "
                             "compute: {}",
                             who(), watch_.deadline_seconds, diagnosis.phase(), diagnosis.headline),
                 diagnosis));
}

void Judge::judge(Board& board, const Watched& now, double elapsed) {
  listen(board, elapsed);
  end_after_another(board);
  remind(&board, now);
  const double deadline = watch_.deadline_seconds;
  const bool sees_others = watch_.ranks == 1 || now.board != nullptr;
  const bool tells = deadline > 0 && sees_others && tells_for_node(board);
  int still = 0;
  for (int place = 0; place < board.places(); ++place) still += stands_still(board, place) >= deadline ? 1 : 0;
  const bool all_still = still == board.places();
  if (agreement_ && deadline > 0) ask_others(board, now, elapsed, tells && all_still);
  if (!tells) return;
  since_certain_ = still > 0 ? since_certain_ + elapsed : 0;
  constexpr double seldom = 1;
  const bool ends = all_still && !agreement_;
  if (still == 0 || (!ends && since_certain_ < seldom) || (all_still && others_may_agree())) return;
  since_certain_ = 0;
  auto all = states(board);
  if (!all) return;
  Diagnosis diagnosis = diagnose(*all, watch_.ranks);
  if (!ends) {
    // Whoever has not stood still for so long, and whoever is not seen, may yet help the others.
    std::vector<RankState> some = std::move(*all);
    for (std::size_t place = 0; place < some.size(); ++place) {
      if (stands_still(board, static_cast<int>(place)) < deadline) some[place].doing = Doing::computes;
    }
    const Diagnosis of_some = diagnose(std::move(some), watch_.ranks);
    if (!of_some.certain) return;
    diagnosis.kind = of_some.kind;
    diagnosis.headline = of_some.headline;
    diagnosis.hints = of_some.hints;
    diagnosis.cycle = of_some.cycle;
    diagnosis.certain = true;
  }
  end_as_hung(board, std::move(diagnosis), now);
}

void Judge::end_at_limit(Board* board, const Watched& now) {
  const std::string first = fmt::format("{}: time limit of {:g} s met; for {:.1f} s in: {}", who(),
                                        watch_.limit_seconds, seconds_between(now.since, Clock::now()), now.phase);
  if (board == nullptr) {
    say("duet: " + first + "\n");
    std::_Exit(status::timed_out);
  }
  // The lowest rank tells for all, unless it does not come to it.
  constexpr double patience = 1;
  const Clock::time_point begin = Clock::now();
  while (!tells_for_node(*board) && board->ends_with() == 0 && seconds_between(begin, Clock::now()) < patience) {
    std::this_thread::sleep_for(std::chrono::milliseconds{10});
  }
  end_after_another(*board);
  Hang hang;
  hang.status = status::timed_out;
  hang.message = fmt::format("hung: no end within {:g} s; was in {}", watch_.limit_seconds, now.phase);
  if (auto all = states(*board)) hang.diagnosis = diagnose(std::move(*all), watch_.ranks);
  std::string text = "duet: " + first + "\n";
  if (watch_.ranks > 1 && !hang.diagnosis.headline.empty()) {
    hang.message += "; " + hang.diagnosis.headline;
    text = with_lines(first, hang.diagnosis);
  }
  end(*board, hang, text, now);
}

/// The watching thread.
void keep_watching(const Watch& watch, const Slot& slot, const MpiThread& mpi_thread) {
  const Clock::time_point start = Clock::now();
  Clock::time_point last = start;
  Observer observer{slot, mpi_thread};
  Judge judge{watch};
  const auto alone = std::make_shared<Board>();
  std::shared_ptr<Board> board = alone;
  std::uint64_t beat = 0;
  constexpr double shortest_pause = 0.01;
  constexpr double looks_a_deadline = 10;
  const double pause = watch.deadline_seconds <= 0 ? longest_pause_seconds
                                                   : std::clamp(watch.deadline_seconds / looks_a_deadline,
                                                                shortest_pause, longest_pause_seconds);
  while (true) {
    std::this_thread::sleep_for(std::chrono::duration<double>{pause});
    const Clock::time_point time = Clock::now();
    // Where this thread did not run for long, nobody else may have.
    constexpr double longest = 0.5;
    const double elapsed = std::min(seconds_between(last, time), longest);
    last = time;
    Watched& state = watched();
    const std::scoped_lock lock{state.mutex};
    if (state.over) return;
    bool news = observer.look(elapsed, state);
    if (state.board && board != state.board) {
      board = state.board;
      news = true;
      if (!state.sees_all) judge.agree_with_others(board, state);
    }
    board->show({++beat, observer.still_seconds(), observer.state().seconds, observer.state().doing},
                news ? &observer.state() : nullptr);
    judge.judge(*board, state, elapsed);
    if (watch.limit_seconds > 0 && seconds_between(start, time) > watch.limit_seconds) {
      const bool seen = watch.ranks == 1 || state.board;
      judge.end_at_limit(seen ? board.get() : nullptr, state);
    }
  }
}

}  // namespace

void Phase::now(std::string what, int trial) {
  Watched& state = watched();
  const std::scoped_lock lock{state.mutex};
  state.phase = std::move(what);
  if (trial >= 0) state.trial = trial;
  state.since = Clock::now();
  ++state.phases;
}

void watch(const Watch& watch) {
  if (watch.remind_seconds <= 0 && watch.limit_seconds <= 0 && watch.deadline_seconds <= 0) return;
  watched().rank = watch.rank;
  static auto* const slot = new Slot;  // NOLINT(cppcoreguidelines-owning-memory): the watching thread outlives main
  open_slot = slot;
  std::thread{[watch, mpi_thread = MpiThread{pthread_self(), gettid()}] {
    keep_watching(watch, *slot, mpi_thread);
  }}.detach();
}

void watch_no_longer() {
  Watched& state = watched();
  const std::scoped_lock lock{state.mutex};
  state.over = true;
}

void watch_each_other(MPI_Comm all) {
  if (open_slot == nullptr) return;
  open_slot->made(MPI_COMM_WORLD);
  open_slot->learn_handles();
  const Communicator node = Communicator::of_node(all);
  std::shared_ptr<Board> board = Board::of_node(node.get());
  if (!board) return;
  std::vector<int> here(static_cast<std::size_t>(size_of(node.get())));
  const int mine = rank_in(MPI_COMM_WORLD);
  check(MPI_Allgather(&mine, 1, MPI_INT, here.data(), 1, MPI_INT, node.get()));
  const int node_of_mine = *std::ranges::min_element(here);
  const std::array<int, 2> told{node_of_mine, mine};
  std::vector<std::array<int, 2>> all_told(static_cast<std::size_t>(size_of(all)));
  check(MPI_Allgather(told.data(), 2, MPI_INT, all_told.data(), 2, MPI_INT, all));
  std::ranges::sort(all_told);
  std::map<int, std::vector<int>> nodes;
  for (const auto& [node_of_rank, rank] : all_told) nodes[node_of_rank].push_back(rank);
  Watched& state = watched();
  const std::scoped_lock lock{state.mutex};
  state.nodes = std::move(nodes);
  state.node = node_of_mine;
  state.described.assign(static_cast<std::size_t>(size_of(MPI_COMM_WORLD)), false);
  for (const int rank : here) state.described[static_cast<std::size_t>(rank)] = true;
  state.rank = mine;
  state.sees_all = here.size() == state.described.size();
  // A rank that is stopped before its watchdog looks again is to be seen as well.
  const RankState first{.rank = mine, .phase = state.phase, .trial = state.trial};
  board->show({.beat = 1}, &first);
  state.board = std::move(board);
}

void before_ending(std::function<void(const Hang&)> record) {
  Watched& state = watched();
  const std::scoped_lock lock{state.mutex};
  state.record = std::move(record);
}

}  // namespace duet
