#include <omp.h>

#include <deque>
#include <mutex>
#include <optional>
#include <thread>

#include "kernels/core/first_exception.hpp"
#include "kernels/core/timesheet.hpp"
#include "kernels/mapping/schedule/deal.hpp"
#include "kernels/mapping/schedule/rank_pieces.hpp"

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
  Team(const RankActs& acts, const Execution& execution) : acts_{acts}, execution_{execution} {}

  /// The main thread: fetches for all, computes between.
  void fetch_and_act(RankPieces& pieces) {
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
        acts_.act({mine->number, mine->number + 1}, 0);
        booking.now(Activity::communicating);
      }
    });
    stock_.close();
    booking.now(Activity::waiting);
  }

  /// The others: take until there is nothing left and nothing to come.
  void act(int thread) {
    Booking booking{execution_.timesheet, thread, Activity::waiting};
    int idle = 0;
    for (;;) {
      const bool last = stock_.closed();
      if (const std::optional<Stock::Piece> mine = stock_.take()) {
        booking.now(Activity::useful);
        failure_.guard([&] { acts_.act({mine->number, mine->number + 1}, thread); });
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
    for (std::int64_t k = more->begin; k < more->end; ++k) {
      if (acts_.bring) acts_.bring({k, k + 1});
      stock_.add({k, acts_.nanoseconds(k)});
    }
    return true;
  }

  const RankActs& acts_;
  const Execution& execution_;
  Stock stock_;
  FirstException failure_;
  bool exhausted_ = false;
};

}  // namespace

void deal_hybrid(const Plan& plan, Schedule schedule, const RankActs& acts, RankWords& words,
                 const Execution& execution) {
  RankPieces pieces{plan, schedule, execution.threads, words};
  Team team{acts, execution};
#pragma omp parallel num_threads(execution.threads) default(none) shared(team, pieces)
  {
    const int thread = omp_get_thread_num();
    if (thread == 0) {
      team.fetch_and_act(pieces);
    } else {
      team.act(thread);
    }
  }
  team.rethrow();
}

}  // namespace duet
