#include "drivers/hazards/child.hpp"

#include <fmt/format.h>
#include <pthread.h>
#include <time.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <optional>
#include <thread>

#include "drivers/command.hpp"
#include "drivers/hazards/call_board.hpp"
#include "drivers/hazards/seen_run.hpp"
#include "drivers/placement.hpp"
#include "drivers/session.hpp"

namespace duet {
namespace {

using hazards::Form;
using hazards::Hazard;
using hazards::Observation;

double seconds_on(clockid_t clock) {
  timespec now{};
  static_cast<void>(::clock_gettime(clock, &now));
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

/// What runs now, for the thread that watches.
struct Running {
  std::atomic<const Form*> form{nullptr};
  std::atomic<int> round{0};
};

Observation standing_still(const CallBoard& board, const std::string& why) {
  Observation seen;
  seen.workers = board.ranks();
  seen.deadlock = why;
  for (const RankState& state : board.states()) {
    seen.passes_bytes = std::max(seen.passes_bytes, state.largest_sent);
    if (state.in_call && state.call.kind == hazards::CallKind::send) {
      seen.blocks_bytes = std::max(seen.blocks_bytes, state.call.bytes);
    }
  }
  return seen;
}

/// Notes how long this rank has computed in its call; on rank 0 looks at all, and ends the job that stands still.
class RankWatch {
 public:
  RankWatch(CallBoard& board, int rank, const Running& running, const std::string& file) {
    clockid_t computing{};
    if (pthread_getcpuclockid(pthread_self(), &computing) != 0) return;
    thread_ = std::jthread{[&board, rank, &running, &file, computing](const std::stop_token& stop) {
      constexpr std::chrono::milliseconds pause{10};
      while (!stop.stop_requested()) {
        board.note_time(rank, seconds_on(computing), seconds_on(CLOCK_MONOTONIC));
        const Form* const form = running.form;
        if (rank == 0 && form != nullptr) {
          if (const std::string why = standstill(board); !why.empty() && stands(board)) {
            append_run(file, {form->name, running.round, standing_still(board, why)});
            std::_Exit(status::not_right);
          }
        }
        std::this_thread::sleep_for(pause);
      }
    }};
  }

 private:
  /// Mismatched collectives are named when they have done harm: until then the other ranks may go on.
  static bool stands(const CallBoard& board) { return std::ranges::any_of(board.states(), &RankState::stands_still); }

  std::jthread thread_;
};

}  // namespace

std::string board_of(const std::string& file) { return file + ".calls"; }

int run_forms(const std::string& name, const ChildOptions& options) {
  const Hazard& hazard = hazards::hazard_called(name);
  std::vector<const Form*> forms;
  for (const std::string& form : options.forms) forms.push_back(&hazard.form(form));
  const bool by_messages = !forms.empty() && forms.front()->by == hazards::By::messages;

  hazards::Stage stage;
  stage.execution.threads = options.workers;
  std::optional<Session> session;
  std::optional<CallBoard> board;
  std::unique_ptr<hazards::CallLog> log;
  int rank = 0;
  if (by_messages) {
    session.emplace(Workers{.model = Model::mpi, .threads = 1, .oversubscribe = true});
    rank = session->rank();
    stage.execution.communicator = session->communicator();
    board.emplace(CallBoard::open(board_of(options.file)));
    log = board->log_of(rank);
    stage.calls = log.get();
  } else if (const auto cores = usable_cores(); static_cast<int>(cores.size()) >= options.workers) {
    stage.execution.on_worker_start = [places = places_for(cores, 0, options.workers)](int worker) {
      bind_this_thread(places.at(static_cast<std::size_t>(worker)));
    };
  }
  Running running;
  std::optional<RankWatch> watch;
  if (board) watch.emplace(*board, rank, running, options.file);

  for (int round = 0; round <= options.rounds; ++round) {
    for (std::size_t i = 0; i < forms.size(); ++i) {
      // Another one is first in each round, so that none always follows the same one.
      const Form& form = *forms[(i + static_cast<std::size_t>(round)) % forms.size()];
      running.round = round;
      running.form = &form;
      Observation seen = form.run(stage);
      running.form = nullptr;
      if (session) session->barrier();
      if (board && seen.deadlock.empty()) seen.deadlock = mismatch(board->states());
      if (session) session->barrier();
      if (rank == 0) append_run(options.file, {form.name, round, seen});
    }
  }
  watch.reset();
  return status::right;
}

}  // namespace duet
