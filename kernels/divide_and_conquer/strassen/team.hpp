#pragma once

/// Those who share the work of one process: a loop, OpenMP tasks or TBB tasks. The recursion is the same over all.

#include <cstdint>
#include <functional>

#include "kernels/core/execution.hpp"

namespace duet {

class StrassenTeam {
 public:
  explicit StrassenTeam(const Execution& execution) : timesheet_{execution.timesheet}, threads_{execution.threads} {}
  virtual ~StrassenTeam() = default;
  StrassenTeam(const StrassenTeam&) = delete;
  StrassenTeam& operator=(const StrassenTeam&) = delete;

  [[nodiscard]] int threads() const { return threads_; }

  /// Calls act(index) for 0 <= index < count, in any order and on any threads of the team, and waits for all. What one
  /// throws comes out of here. May be called by `act` itself.
  virtual void each(std::int64_t count, const std::function<void(std::int64_t)>& act) = 0;

  /// The same, booked as useful time of the thread that does it. For work that calls `each` no more.
  void compute(std::int64_t count, const std::function<void(std::int64_t)>& act) {
    each(count, [&](std::int64_t index) {
      const Booking booking{timesheet_, thread(), Activity::useful};
      act(index);
    });
  }

 protected:
  /// Which thread of the team calls.
  [[nodiscard]] virtual int thread() const = 0;

 private:
  Timesheet* timesheet_;
  int threads_;
};

/// One thread.
class OneThread : public StrassenTeam {
 public:
  using StrassenTeam::StrassenTeam;
  void each(std::int64_t count, const std::function<void(std::int64_t)>& act) override {
    for (std::int64_t index = 0; index < count; ++index) act(index);
  }

 protected:
  [[nodiscard]] int thread() const override { return 0; }
};

}  // namespace duet
