#include "kernels/pipeline/stream/outlet.hpp"

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

namespace duet {

Outlet::Outlet(const Stream& stream, StageMeter& meter, Intake& intake, int tokens, const IoThreads& threads)
    : stream_{&stream},
      meter_{&meter},
      intake_{&intake},
      trailing_{stream.trailing()},
      sharers_{static_cast<std::size_t>(std::max(1, threads.writers))},
      done_(static_cast<std::size_t>(std::max(1, tokens))) {
  if (threads.writers > 0) writers_.emplace(ThreadCrew::kept(), threads.on_start);
  for (int writer = 0; writer < threads.writers; ++writer) writers_->add([this] { write_behind(); });
}

Outlet::~Outlet() {
  const std::scoped_lock lock{mutex_};
  finished_ = true;
  changed_.notify_all();
}

void Outlet::put(StreamItem* item) {
  if (!writers_) return end({&item, 1});
  const std::scoped_lock lock{mutex_};
  waiting_.push_back(item);
  changed_.notify_one();
}

void Outlet::write_behind() {
  // Each may keep a file open.
  constexpr std::size_t most_at_once = 32;
  const bool several = trailing_ != 0 && stream_->stages.back().begin != nullptr;
  std::vector<StreamItem*> mine;
  std::unique_lock lock{mutex_};
  while (true) {
    changed_.wait(lock, [this] { return finished_ || !waiting_.empty(); });
    if (waiting_.empty()) return;
    const std::size_t share = several ? (waiting_.size() + sharers_ - 1) / sharers_ : 1;
    const auto last = waiting_.begin() + static_cast<std::ptrdiff_t>(std::min(share, most_at_once));
    mine.assign(waiting_.begin(), last);
    waiting_.erase(waiting_.begin(), last);
    lock.unlock();
    end(mine);
    lock.lock();
  }
}

/// The trailing stages. A last stage that only waits has begun for all before it waits for the first.
void Outlet::write(std::span<StreamItem* const> items) {
  const std::size_t stages = stream_->stages.size();
  if (trailing_ == 0) return;
  const bool begins = stream_->stages.back().begin != nullptr;
  for (StreamItem* const item : items) meter_->run(stages - trailing_, begins ? stages - 1 : stages, *item);
  if (!begins) return;
  std::chrono::steady_clock::time_point due{};
  for (StreamItem* const item : items) due = std::max(due, meter_->begin(stages - 1, *item));
  std::this_thread::sleep_until(due);
  // What they take together is the time from the first beginning to the last end: each counts from the end before.
  std::int64_t since = items.front()->since;
  for (StreamItem* const item : items) {
    item->since = since;
    meter_->end(stages - 1, *item);
    since = item->since;
  }
}

/// The trailing stages, and then all items that are next are taken. No two items of one place are under way: there are
/// as many places as tokens, and a token comes back when its item was taken.
void Outlet::end(std::span<StreamItem* const> items) {
  write(items);
  const std::scoped_lock turn{taking_};
  const auto place_of = [this](std::int64_t ticket) -> StreamItem*& {
    return done_[static_cast<std::size_t>(ticket) % done_.size()];
  };
  for (StreamItem* const item : items) place_of(item->ticket) = item;
  while (StreamItem* const next = std::exchange(place_of(next_taken_), nullptr)) {
    failure_.guard([&] { stream_->take(*next); });
    if (failure_.thrown()) intake_->close();
    ++next_taken_;
    intake_->give_back(next);
  }
}

void Outlet::finish() {
  {
    const std::scoped_lock lock{mutex_};
    finished_ = true;
    changed_.notify_all();
  }
  writers_.reset();
  failure_.rethrow();
}

}  // namespace duet
