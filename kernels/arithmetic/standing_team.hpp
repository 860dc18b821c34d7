#pragma once

/// TBB workers who stay between one stage and the next.
///
/// Transforms are hundreds of stages of tens of microseconds to milliseconds, one after the other. A worker of TBB who
/// finds nothing to do looks about, yields its core, goes to sleep, and has to be woken: microseconds at every stage,
/// and tens of them on a virtual machine. Here a worker gets one task for many stages: it looks for the next stage by
/// itself for a while and only then goes back to TBB. The caller never waits for a worker who has not begun, so that a
/// stage ends however few workers TBB has to give.

#include <oneapi/tbb/task_group.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <thread>
#include <utility>

#include "kernels/core/execution.hpp"
#include "kernels/core/first_exception.hpp"
#include "kernels/core/tbb_team.hpp"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace duet {

class StandingTeam {
 public:
  using Body = std::function<void(std::int64_t)>;

  /// Both must outlive the team.
  StandingTeam(const Execution& execution, TbbTeam& team) : execution_{execution}, team_{team} {}
  ~StandingTeam() noexcept {
    over_.store(true);
    team_.run([this] { helpers_.wait(); });
  }
  StandingTeam(const StandingTeam&) = delete;
  StandingTeam& operator=(const StandingTeam&) = delete;

  /// Calls body(0) to body(parts - 1), each once, begun in that order. For one caller at a time.
  void run(std::int64_t parts, const Body& body) {
    team_.run([&] {
      Stage stage{.parts = parts, .body = body};
      const auto wanted = static_cast<int>(std::min<std::int64_t>(parts, execution_.threads)) - 1;
      stage_.store(&stage);
      // Whoever leaves looks for a stage after it has said so: of the two of us, one sees the other.
      for (int there = staying_.load(); there < wanted; ++there) {
        ++staying_;
        helpers_.run([this] { stay(); });
      }
      take_parts(stage);
      for (Patience patience; inside_.load() != 0;) patience.wait();
      stage.failure.rethrow();
    });
  }

 private:
  struct Stage {
    std::int64_t parts;
    const Body& body;
    std::atomic<std::int64_t> next = 0;
    FirstException failure{};
  };

  /// Looks often at first, and leaves its core to others from then on.
  class Patience {
   public:
    void wait() {
      if (++looks_ >= looks_before_yield) return std::this_thread::yield();
#if defined(__x86_64__)
      _mm_pause();
#endif
    }

   private:
    static constexpr int looks_before_yield = 2000;  // some tens of microseconds
    int looks_ = 0;
  };

  /// Between two stages it is microseconds. Where the caller computes by himself for longer than this, waking a worker
  /// again takes little beside it.
  static constexpr std::chrono::microseconds longest_stay{500};

  void stay() {
    while (true) {
      look_for_stages();
      --staying_;
      if (over_.load() || stage_.load() == nullptr) return;
      ++staying_;
    }
  }

  void look_for_stages() {
    Patience patience;
    auto since = std::chrono::steady_clock::now();
    while (!over_.load()) {
      if (stage_.load(std::memory_order_relaxed) == nullptr) {
        if (std::chrono::steady_clock::now() - since > longest_stay) return;
        patience.wait();
        continue;
      }
      ++inside_;
      if (Stage* const stage = stage_.load(); stage != nullptr) {
        take_parts(*stage);
        patience = {};
        since = std::chrono::steady_clock::now();
      }
      --inside_;
    }
  }

  /// Who finds none left takes the stage away. The caller waits afterwards until nobody is inside any more.
  void take_parts(Stage& stage) {
    const Booking booking{execution_.timesheet, TbbTeam::worker(), Activity::useful};
    for (std::int64_t part = stage.next++; part < stage.parts; part = stage.next++) {
      stage.failure.guard([&] { stage.body(part); });
    }
    stage_.store(nullptr);
  }

  const Execution& execution_;
  TbbTeam& team_;
  oneapi::tbb::task_group helpers_;
  std::atomic<bool> over_ = false;
  // Apart from each other: those who look read the first all the time.
  alignas(64) std::atomic<Stage*> stage_ = nullptr;
  alignas(64) std::atomic<int> inside_ = 0;
  alignas(64) std::atomic<int> staying_ = 0;
};

}  // namespace duet
