#pragma once

/// The far end of a stream: has items go through the trailing stages, in whatever order they come from the workers, and
/// has them taken in the order in which they came into the stream; then their tokens are free.

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "kernels/core/first_exception.hpp"
#include "kernels/pipeline/stream/intake.hpp"
#include "kernels/pipeline/stream/stage_workers.hpp"
#include "kernels/pipeline/stream/thread_crew.hpp"

namespace duet {

class Outlet {
 public:
  /// `tokens` as the intake's. Without writers among `threads`, who puts an item does what they would do.
  Outlet(const Stream& stream, StageMeter& meter, Intake& intake, int tokens, const IoThreads& threads);
  Outlet(const Outlet&) = delete;
  Outlet& operator=(const Outlet&) = delete;
  ~Outlet();

  /// The workers are done with the item. For any thread.
  void put(StreamItem* item);
  /// Waits until all items are taken that were put. Throws what `take` threw; from then on items are only given back,
  /// and the intake is closed.
  void finish();

 private:
  void write_behind();
  void end(std::span<StreamItem* const> items);
  void write(std::span<StreamItem* const> items);

  const Stream* stream_;
  StageMeter* meter_;
  Intake* intake_;
  std::size_t trailing_;
  std::size_t sharers_;  // of what waits to be written

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<StreamItem*> waiting_;  // for a writer
  bool finished_ = false;
  FirstException failure_;

  std::mutex taking_;
  std::vector<StreamItem*> done_;  // the item with ticket t stands at t modulo the tokens
  std::int64_t next_taken_ = 0;

  /// Last, so that writers are waited for before anything else goes.
  std::optional<ThreadCrew::Shift> writers_;
};

}  // namespace duet
