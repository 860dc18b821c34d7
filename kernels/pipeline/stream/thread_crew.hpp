#pragma once

/// Threads that are kept for the next stream: to make and end one takes 25 us and more, and 200 of them 10 ms.

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace duet {

/// All members are for the one thread that owns the crew.
class ThreadCrew {
 public:
  ThreadCrew() = default;
  ThreadCrew(const ThreadCrew&) = delete;
  ThreadCrew& operator=(const ThreadCrew&) = delete;
  /// All are at rest by then.
  ~ThreadCrew();

  /// The calling thread's own, kept until it ends.
  [[nodiscard]] static ThreadCrew& kept();

  /// Threads that are at work, and are waited for when this ends.
  class Shift {
   public:
    /// Each thread calls `on_start` first, where there is one.
    explicit Shift(ThreadCrew& crew, std::function<void()> on_start = {})
        : crew_{crew}, on_start_{std::move(on_start)} {}
    Shift(const Shift&) = delete;
    Shift& operator=(const Shift&) = delete;
    ~Shift();
    /// One more thread does `act`, which does not throw.
    void add(std::function<void()> act);
    [[nodiscard]] bool empty() const { return members_.empty(); }

   private:
    ThreadCrew& crew_;
    std::function<void()> on_start_;
    std::vector<std::size_t> members_;
  };

 private:
  struct Member {
    std::mutex mutex;
    std::condition_variable changed;
    std::function<void()> act;  // none while it rests
    bool ends = false;
    std::jthread thread;
  };
  static void serve(Member& member);

  std::vector<std::unique_ptr<Member>> members_;
  std::vector<std::size_t> resting_;
};

}  // namespace duet
