#pragma once

/// A team of TBB workers as an Execution asks for it: an arena of `threads` slots, whose workers report to
/// `on_worker_start` when they enter. No global state of TBB is touched; who wants more threads than cores raises
/// tbb::global_control himself.

#include <oneapi/tbb/task_arena.h>
#include <oneapi/tbb/task_scheduler_observer.h>

#include <functional>
#include <map>
#include <utility>

#include "kernels/core/execution.hpp"

namespace duet {

class TbbTeam {
 public:
  explicit TbbTeam(const Execution& execution) : arena_{execution.threads}, observer_{arena_, execution} {}

  /// The calling thread's own team for plain calls of the library, one for each number of threads, kept until the
  /// thread ends. Not a new one for each call: oneTBB 2021.8 loses its workers after some hundred short-lived arenas,
  /// and goes on on one thread without a word. Where workers have to be told of, a team of the call's own is the one to
  /// take.
  [[nodiscard]] static TbbTeam& kept(int threads) {
    thread_local std::map<int, TbbTeam> teams;
    return teams.try_emplace(threads, Execution{.threads = threads}).first->second;
  }

  /// Runs `act` inside the arena and waits for it, and for all that it spawned and waits for.
  template <class Act>
  decltype(auto) run(Act&& act) {
    return arena_.execute(std::forward<Act>(act));
  }

  /// The slot of the calling thread in its arena: 0 to threads - 1.
  [[nodiscard]] static int worker() { return oneapi::tbb::this_task_arena::current_thread_index(); }

 private:
  class Observer : public oneapi::tbb::task_scheduler_observer {
   public:
    Observer(oneapi::tbb::task_arena& arena, const Execution& execution)
        : task_scheduler_observer{arena}, start_{execution.on_worker_start} {
      if (start_) observe(true);
    }
    ~Observer() override { observe(false); }
    void on_scheduler_entry(bool /*is_worker*/) override { start_(worker()); }

   private:
    std::function<void(int)> start_;
  };

  oneapi::tbb::task_arena arena_;
  Observer observer_;
};

}  // namespace duet
