#pragma once

/// The near end of a stream: takes items from the source as long as there are tokens, has them go through the leading
/// stages, and hands them to the workers in the order in which they came.

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <mutex>
#include <queue>
#include <utility>
#include <vector>

#include "kernels/pipeline/stream/stage_meter.hpp"
#include "kernels/pipeline/stream/stage_workers.hpp"
#include "kernels/pipeline/stream/stream.hpp"
#include "kernels/pipeline/stream/thread_crew.hpp"

namespace duet {

class Intake {
 public:
  /// `tokens` items; `threads` who do the leading stages, and none of these where there are no readers.
  Intake(const Stream& stream, StageMeter& meter, int tokens, const IoThreads& threads);
  Intake(const Intake&) = delete;
  Intake& operator=(const Intake&) = delete;
  /// Waits for readers to end what they are at: a source that waits for ever keeps it waiting.
  ~Intake();

  enum class Supply { item, nothing_yet, ended };
  struct Supplied {
    Supply supply = Supply::ended;
    StreamItem* item = nullptr;
  };
  /// The next item, in order; waits for it. For one thread at a time. Throws what the source threw.
  [[nodiscard]] Supplied pull();
  /// The same without waiting, neither for a reader nor for a token.
  [[nodiscard]] Supplied try_pull();

  /// The item is no longer used: its token is free. For any thread.
  void give_back(StreamItem* item);
  /// No more items: what readers are at is the last. For any thread; who waits in `pull` gets the end.
  void close();

 private:
  using Clock = std::chrono::steady_clock;
  /// What is waited for, the earliest first.
  struct Answer {
    Clock::time_point due;
    StreamItem* item;
    friend bool operator<(const Answer& a, const Answer& b) { return a.due > b.due; }
  };

  void read_ahead();
  void await_answers();
  void put_ready(StreamItem* item, std::unique_lock<std::mutex>& lock);
  bool fetch(StreamItem* item, std::unique_lock<std::mutex>& lock);
  [[nodiscard]] StreamItem* next_to_read(std::unique_lock<std::mutex>& lock);
  void take_room(StreamItem& item);
  void leave_room(StreamItem& item);
  void lead(StreamItem* item, std::unique_lock<std::mutex>& lock);
  [[nodiscard]] Supplied take_ready(std::unique_lock<std::mutex>& lock);

  const Stream* stream_;
  StageMeter* meter_;
  std::size_t leading_;
  std::vector<StreamItem> items_;

  std::mutex mutex_;
  std::condition_variable tokens_changed_;  // for readers
  std::condition_variable ready_changed_;   // for who pulls
  std::vector<StreamItem*> free_;
  std::deque<StreamItem*> expected_;           // fetched, and the first stage is told of them
  std::vector<std::pair<Bytes, Bytes>> room_;  // data and spare of items that are expected or free
  std::size_t worth_waking_;                   // tokens that are free before a reader is woken
  std::vector<StreamItem*> ready_;             // the item with ticket t stands at t modulo the tokens
  std::int64_t next_ticket_ = 0;               // of the next one from the source
  std::int64_t next_ready_ = 0;                // of the next one for the workers
  bool ended_ = false;                         // the source
  std::exception_ptr failure_;
  std::condition_variable answers_changed_;
  std::priority_queue<Answer> answers_;
  std::int64_t begun_ = 0;  // items whose answers are waited for, or came already
  std::mutex source_;
  bool expects_;
  bool asynchronous_;
  ThreadCrew::Shift readers_;
};

}  // namespace duet
