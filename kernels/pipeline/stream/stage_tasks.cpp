#include "kernels/pipeline/stream/stage_tasks.hpp"

#include <omp.h>

#include <vector>

#include "kernels/core/first_exception.hpp"

namespace duet {
namespace {

/// What tasks depend on: nothing is stored there. Items that are under way stand in a ring of places, and the tasks of
/// one item follow each other by its place; tasks of a stage in order follow each other by the stage's.
class Dependences {
 public:
  Dependences(std::size_t places, std::size_t stages) : places_(places), stages_(stages) {}

  [[nodiscard]] char* place(std::int64_t number) { return &places_[static_cast<std::size_t>(number) % places_.size()]; }
  [[nodiscard]] char* stage(std::size_t index) { return &stages_[index]; }
  [[nodiscard]] std::int64_t places() const { return static_cast<std::int64_t>(places_.size()); }

 private:
  std::vector<char> places_;
  std::vector<char> stages_;
};

}  // namespace

void work_off_by_tasks(const Stream& stream, std::size_t leading, StageMeter& meter, Outlet& outlet,
                       const Execution& execution, const std::function<Intake::Supplied(bool may_wait)>& supply) {
  const std::size_t computed = stream.stages.size() - stream.trailing();
  // A few items for each thread: enough that none is idle while the calling thread is in one.
  constexpr std::size_t places_a_thread = 4;
  Dependences dependences{places_a_thread * static_cast<std::size_t>(execution.threads), stream.stages.size()};
  FirstException failure;

  const auto run = [&](std::size_t stage, StreamItem* item) {
    const Booking booking{execution.timesheet, omp_get_thread_num(), Activity::useful};
    failure.guard([&] { meter.run(stage, *item); });
  };
  const auto hand_over = [&](StreamItem* item) { failure.guard([&] { outlet.put(item); }); };

  const auto spawn_chain = [&](StreamItem* item, std::int64_t number) {
    char* const place = dependences.place(number);
    for (std::size_t stage = leading; stage < computed; ++stage) {
      if (stream.stages[stage].in_order) {
        char* const turn = dependences.stage(stage);
#pragma omp task default(none) firstprivate(stage, item) shared(run) depend(inout : *place, *turn)
        run(stage, item);
      } else {
#pragma omp task default(none) firstprivate(stage, item) shared(run) depend(inout : *place)
        run(stage, item);
      }
    }
#pragma omp task default(none) firstprivate(item) shared(hand_over) depend(inout : *place)
    hand_over(item);
  };

  const auto produce = [&] {
    std::int64_t begun = 0;
    std::int64_t awaited = 0;  // items before this one are known to have ended
    const auto help_with_oldest = [&] {
      char* const place = dependences.place(awaited++);
#if defined(__SANITIZE_THREAD__)
// A taskwait with dependences ends the process in libarcher of LLVM 14: all items are waited for.
#pragma omp taskwait
#else
#pragma omp taskwait depend(inout : *place)
#endif
      static_cast<void>(place);
    };
    while (!failure.thrown()) {
      if (begun - awaited == dependences.places()) help_with_oldest();
      const Intake::Supplied supplied = supply(begun == awaited);
      if (supplied.supply == Intake::Supply::ended) break;
      if (supplied.supply == Intake::Supply::item) {
        spawn_chain(supplied.item, begun++);
      } else if (awaited < begun) {
        help_with_oldest();
      }
    }
  };

#pragma omp parallel num_threads(execution.threads) default(none) shared(failure, produce)
#pragma omp masked
  failure.guard(produce);
  failure.rethrow();
}

}  // namespace duet
