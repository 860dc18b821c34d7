#include "kernels/mapping/schedule/spawn_each.hpp"

#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "kernels/core/first_exception.hpp"
#include "kernels/core/timesheet.hpp"

namespace duet {
namespace {

/// The places of workers that nobody stands on.
class FreePlaces {
 public:
  explicit FreePlaces(int places) {
    for (int place = places; place-- > 0;) free_.push_back(place);
  }
  void leave(int place) {
    {
      const std::scoped_lock lock{mutex_};
      free_.push_back(place);
    }
    changed_.notify_one();
  }
  [[nodiscard]] int wait_for_one() {
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [this] { return !free_.empty(); });
    const int place = free_.back();
    free_.pop_back();
    return place;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<int> free_;
};

}  // namespace

void spawn_each(const Plan& plan, const PieceAct& act, const Execution& execution) {
  FirstException failure;
  FreePlaces places{execution.threads};
  std::vector<std::jthread> workers(static_cast<std::size_t>(execution.threads));
  for (std::int64_t k = 0; k < plan.pieces() && !failure.thrown(); ++k) {
    const int place = places.wait_for_one();
    // Assigning joins the last thread of this place, which is about to end: what it wrote, the next one sees.
    workers[static_cast<std::size_t>(place)] = std::jthread{[&, k, place] {
      failure.guard([&] {
        if (execution.on_worker_start) execution.on_worker_start(place);
        const Booking booking{execution.timesheet, place, Activity::useful};
        act({k, k + 1}, place);
      });
      places.leave(place);
    }};
  }
  workers.clear();
  failure.rethrow();
}

}  // namespace duet
