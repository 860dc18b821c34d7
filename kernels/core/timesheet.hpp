#pragma once

/// Useful time: each worker books when it computes and when it communicates; the rest of the run is waiting. From it
/// come the efficiencies of the POP methodology (Performance Optimisation and Productivity centre of excellence,
/// "Standard metrics for performance analysis") on a stock compiler, alike for every model:
///
///     load balance             = average useful / largest useful
///     communication efficiency = largest useful / runtime        (everything that is not useful on the critical
///     worker) parallel efficiency      = load balance x communication efficiency
///
/// One switch reads a clock, about 25 ns: book pieces of work of tens of microseconds or more, and it costs below 1 %.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <vector>

namespace duet {

/// Seconds that one worker booked since the last `clear`, and how many stretches of useful work they came in.
struct Booked {
  double useful = 0;
  double communicating = 0;
  std::int64_t stretches = 0;
};

/// What the threads of one process booked, a cache line each, so that booking shares nothing.
class Timesheet {
 public:
  explicit Timesheet(int threads) : lines_(static_cast<std::size_t>(threads)) {}

  void clear() {
    for (Line& line : lines_) line.booked = {};
  }
  [[nodiscard]] int threads() const { return static_cast<int>(lines_.size()); }
  [[nodiscard]] const Booked& of(int thread) const { return lines_.at(static_cast<std::size_t>(thread)).booked; }

 private:
  friend class Booking;
  struct alignas(64) Line {
    Booked booked;
  };
  std::vector<Line> lines_;
};

enum class Activity { useful, communicating, waiting };

/// What one worker does now, until it says something else or the booking ends. Only that worker touches it. Without a
/// timesheet it does nothing.
class Booking {
 public:
  Booking(Timesheet* timesheet, int thread, Activity activity)
      : booked_{timesheet == nullptr ? nullptr : &timesheet->lines_.at(static_cast<std::size_t>(thread)).booked},
        activity_{activity} {
    if (booked_ != nullptr) since_ = Clock::now();
  }
  ~Booking() { close(); }
  Booking(const Booking&) = delete;
  Booking& operator=(const Booking&) = delete;

  void now(Activity activity) {
    if (activity == activity_) return;
    close();
    activity_ = activity;
  }

  /// Where only one piece of work in `one_in` was booked as useful, since reading the clock takes too long for all of
  /// them, and the others as communicating with what is between them: books as useful what they take by the samples.
  void extrapolate(double one_in) {
    if (booked_ == nullptr) return;
    close();
    const double others = std::min((one_in - 1) * useful_, booked_->communicating);
    booked_->useful += others;
    booked_->communicating -= others;
    useful_ = 0;
  }

 private:
  using Clock = std::chrono::steady_clock;

  void close() {
    if (booked_ == nullptr) return;
    const Clock::time_point until = Clock::now();
    const double seconds = std::chrono::duration<double>(until - since_).count();
    since_ = until;
    if (activity_ == Activity::useful) {
      booked_->useful += seconds;
      useful_ += seconds;
      booked_->stretches += 1;
    } else if (activity_ == Activity::communicating) {
      booked_->communicating += seconds;
    }
  }

  Booked* booked_;
  Activity activity_;
  Clock::time_point since_;
  double useful_ = 0;  // of this booking
};

}  // namespace duet
