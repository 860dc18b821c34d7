#pragma once

/// Counts what stages do while they do it: for any number of threads, a few atomic additions an item and stage.

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <thread>
#include <vector>

#include "kernels/pipeline/stream/stream.hpp"

namespace duet {

[[nodiscard]] inline std::int64_t nanoseconds_now() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

class StageMeter {
 public:
  explicit StageMeter(const Stream& stream) : stream_{&stream}, lines_(stream.stages.size()) {}

  /// The item waits before stage `index` from now on.
  void queue(std::size_t index, StreamItem& item) {
    item.since = nanoseconds_now();
    if (index < lines_.size()) lines_[index].depth.fetch_add(1, std::memory_order_relaxed);
  }

  /// Has the item go through stage `index`, and wait before the next one. A fault stays with the item.
  void run(std::size_t index, StreamItem& item) {
    enter(index, item);
    if (stream_->stages[index].begin) std::this_thread::sleep_until(begin_to_wait(index, item));
    end(index, item);
  }

  /// Tells stage `index` of an item that waits before it, which takes some of the stage's time.
  void expect(std::size_t index, const StreamItem& item) {
    const std::int64_t before = nanoseconds_now();
    stream_->stages[index].expect(item.index);
    lines_[index].useful.fetch_add(nanoseconds_now() - before, std::memory_order_relaxed);
  }

  /// The item enters stage `index`, which begins to wait: when the answer is due. A fault is due at once.
  [[nodiscard]] std::chrono::steady_clock::time_point begin(std::size_t index, StreamItem& item) {
    enter(index, item);
    return begin_to_wait(index, item);
  }

  /// What is left to do in stage `index` after it began.
  void end(std::size_t index, StreamItem& item) {
    Line& line = lines_[index];
    if (item.fault.empty()) act(index, item, line);
    const std::int64_t now = nanoseconds_now();
    line.useful.fetch_add(now - item.since, std::memory_order_relaxed);
    item.since = now;
    if (index + 1 < lines_.size()) lines_[index + 1].depth.fetch_add(1, std::memory_order_relaxed);
  }

  /// All stages in [begin, end), one after the other.
  void run(std::size_t begin, std::size_t end, StreamItem& item) {
    for (std::size_t index = begin; index < end; ++index) run(index, item);
  }

  /// When nobody is in a stage any more. `workers` of each stage are filled in by the caller.
  [[nodiscard]] StreamFigures figures() const;

 private:
  void enter(std::size_t index, StreamItem& item) {
    Line& line = lines_[index];
    const std::int64_t now = nanoseconds_now();
    const std::int64_t depth = line.depth.fetch_sub(1, std::memory_order_relaxed);
    line.queued.fetch_add(now - item.since, std::memory_order_relaxed);
    line.depths.fetch_add(depth, std::memory_order_relaxed);
    if (depth > line.most_depth.load(std::memory_order_relaxed)) {
      line.most_depth.store(depth, std::memory_order_relaxed);  // two at once may lose the larger: it comes again
    }
    line.visits.fetch_add(1, std::memory_order_relaxed);
    if (item.fault.empty()) {
      line.bytes_in.fetch_add(static_cast<std::int64_t>(item.data.size()), std::memory_order_relaxed);
    }
    item.since = now;
  }

  struct alignas(64) Line {
    std::atomic<std::int64_t> items = 0;
    std::atomic<std::int64_t> visits = 0;
    std::atomic<std::int64_t> bytes_in = 0;
    std::atomic<std::int64_t> bytes_out = 0;
    std::atomic<std::int64_t> useful = 0;
    std::atomic<std::int64_t> queued = 0;
    std::atomic<std::int64_t> depth = 0;
    std::atomic<std::int64_t> depths = 0;
    std::atomic<std::int64_t> most_depth = 0;
  };

  void act(std::size_t index, StreamItem& item, Line& line);
  [[nodiscard]] std::chrono::steady_clock::time_point begin_to_wait(std::size_t index, StreamItem& item);

  const Stream* stream_;
  std::vector<Line> lines_;
};

}  // namespace duet
