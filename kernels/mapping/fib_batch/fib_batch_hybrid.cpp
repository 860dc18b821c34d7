#include <omp.h>

#include <deque>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <thread>

#include "kernels/core/timesheet.hpp"
#include "kernels/mapping/fib_batch/fib_batch.hpp"
#include "kernels/mapping/fib_batch/first_failure.hpp"
#include "kernels/mapping/fib_batch/plan.hpp"
#include "kernels/mapping/fib_batch/rank_pieces.hpp"
#include "kernels/mapping/fib_batch/solver.hpp"

namespace duet {
namespace {

/// The pieces that a rank has taken and its team has not. Only the main thread may call MPI, and while it computes
/// nobody fetches; so it fetches ahead, as much as will last the others for as long as its own piece takes it:
///
///     window of the ranks --- next() ---> | piece piece piece | --- take() ---> threads 0, 1, ... of the rank
///                          main thread          stock                 all
class Stock {
 public:
  struct Piece {
    std::int64_t number;
    double nanoseconds;
  };

  /// Estimated nanoseconds of work in it.
  [[nodiscard]] double nanoseconds() {
    const std::scoped_lock lock{mutex_};
    return nanoseconds_;
  }
  void add(Piece piece) {
    const std::scoped_lock lock{mutex_};
    pieces_.push_back(piece);
    nanoseconds_ += piece.nanoseconds;
  }
  [[nodiscard]] std::optional<Piece> take() {
    const std::scoped_lock lock{mutex_};
    if (pieces_.empty()) return std::nullopt;
    const Piece piece = pieces_.front();
    pieces_.pop_front();
    nanoseconds_ -= piece.nanoseconds;
    return piece;
  }
  /// Says that nothing will be added any more.
  void close() {
    const std::scoped_lock lock{mutex_};
    closed_ = true;
  }
  [[nodiscard]] bool closed() {
    const std::scoped_lock lock{mutex_};
    return closed_;
  }

 private:
  std::mutex mutex_;
  std::deque<Piece> pieces_;
  double nanoseconds_ = 0;
  bool closed_ = false;
};

class Team {
 public:
  Team(const FibBatch& batch, const Plan& plan, Answers& answers, const Execution& execution)
      : batch_{batch}, plan_{plan}, solver_{batch, plan}, answers_{answers}, execution_{execution} {}

  /// The main thread: fetches for all, computes between.
  void fetch_and_answer(RankPieces& pieces) {
    Booking booking{execution_.timesheet, 0, Activity::communicating};
    failure_.guard([&] {
      for (;;) {
        const std::optional<Stock::Piece> mine = stock_.take();
        if (!mine) {
          if (!fetch(pieces)) break;
          continue;
        }
        const double lasting = margin * (execution_.threads - 1) * mine->nanoseconds;
        while (stock_.nanoseconds() < lasting && fetch(pieces)) {
        }
        booking.now(Activity::useful);
        solver_.answer(plan_.piece(mine->number), answers_.shelf(0));
        booking.now(Activity::communicating);
      }
    });
    stock_.close();
    booking.now(Activity::waiting);
  }

  /// The others: take until there is nothing left and nothing to come.
  void answer(int thread) {
    Booking booking{execution_.timesheet, thread, Activity::waiting};
    int idle = 0;
    for (;;) {
      const bool last = stock_.closed();
      if (const std::optional<Stock::Piece> mine = stock_.take()) {
        booking.now(Activity::useful);
        failure_.guard([&] { solver_.answer(plan_.piece(mine->number), answers_.shelf(thread)); });
        booking.now(Activity::waiting);
        idle = 0;
      } else if (last) {
        return;
      } else if (++idle > looks_before_yielding) {
        std::this_thread::yield();
      }
    }
  }

  void rethrow() const { failure_.rethrow(); }

 private:
  /// How many times as much is fetched as the estimate says that the others need; it is off by as much now and then.
  static constexpr int margin = 2;
  /// About 20 us, what a piece takes: on a core that others want too, who yields may be away for milliseconds.
  static constexpr int looks_before_yielding = 1000;

  bool fetch(RankPieces& pieces) {
    if (exhausted_) return false;
    const std::optional<Range> more = pieces.next();
    exhausted_ = !more;
    if (!more) return false;
    for (std::int64_t k = more->begin; k < more->end; ++k) stock_.add({k, nanoseconds_of(k)});
    return true;
  }

  [[nodiscard]] double nanoseconds_of(std::int64_t piece) const {
    const Range positions = plan_.piece(piece);
    if (!batch_.exact()) return static_cast<double>(positions.size()) * nanoseconds_of_item(batch_, 0);
    double sum = 0;
    for (std::int64_t p = positions.begin; p < positions.end; ++p) sum += nanoseconds_of_item(batch_, plan_.item(p));
    return sum;
  }

  const FibBatch& batch_;
  const Plan& plan_;
  const Solver solver_;
  Answers& answers_;
  const Execution& execution_;
  Stock stock_;
  FirstFailure failure_;
  bool exhausted_ = false;
};

}  // namespace

void fib_batch_hybrid(const FibBatch& batch, Answers& answers, RankWords& words, const Execution& execution) {
  const Schedule schedule = schedule_called(execution.text_or("schedule", "longest_first"));
  if (schedule == Schedule::spawn_each) throw std::invalid_argument("schedule: hybrid has no spawn_each");

  const int workers = size_of(execution.communicator) * execution.threads;
  const Plan plan{batch, schedule, execution.whole_or("grain", 0), workers};
  RankPieces pieces{plan, schedule, execution.threads, words};
  Team team{batch, plan, answers, execution};
#pragma omp parallel num_threads(execution.threads) default(none) shared(team, pieces)
  {
    const int thread = omp_get_thread_num();
    if (thread == 0) {
      team.fetch_and_answer(pieces);
    } else {
      team.answer(thread);
    }
  }
  team.rethrow();
}

}  // namespace duet
