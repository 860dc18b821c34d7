#pragma once

/// The near end of a stream: takes items from the source as long as there are tokens, has them go through the leading
/// stages, and hands them to the workers in the order in which they came.

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "kernels/pipeline/stream/stage_meter.hpp"
#include "kernels/pipeline/stream/stream.hpp"

namespace duet {

class Intake {
 public:
  /// `tokens` items; `readers` threads, none where the stream has no leading stages and the caller does not `ahead`.
  Intake(const Stream& stream, StageMeter& meter, int tokens, int readers);
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
  void read_ahead();
  bool fetch(StreamItem* item, std::unique_lock<std::mutex>& lock);
  [[nodiscard]] Supplied take_ready(std::unique_lock<std::mutex>& lock);

  const Stream* stream_;
  StageMeter* meter_;
  std::size_t leading_;
  std::vector<StreamItem> items_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<StreamItem*> free_;
  std::vector<StreamItem*> ready_;  // the item with ticket t stands at t modulo the tokens
  std::int64_t next_ticket_ = 0;    // of the next one from the source
  std::int64_t next_ready_ = 0;     // of the next one for the workers
  bool ended_ = false;              // the source
  std::exception_ptr failure_;
  std::mutex source_;
  std::vector<std::jthread> readers_;
};

}  // namespace duet
