#include "kernels/pipeline/stream/outlet.hpp"

#include <algorithm>
#include <utility>

namespace duet {

Outlet::Outlet(const Stream& stream, StageMeter& meter, Intake& intake, int tokens, int writers)
    : stream_{&stream},
      meter_{&meter},
      intake_{&intake},
      trailing_{stream.trailing()},
      done_(static_cast<std::size_t>(std::max(1, tokens))) {
  if (writers > 0) writers_.emplace(ThreadCrew::kept());
  for (int writer = 0; writer < writers; ++writer) writers_->add([this] { write_behind(); });
}

Outlet::~Outlet() {
  const std::scoped_lock lock{mutex_};
  finished_ = true;
  changed_.notify_all();
}

void Outlet::put(StreamItem* item) {
  if (!writers_) return end(item);
  const std::scoped_lock lock{mutex_};
  waiting_.push_back(item);
  changed_.notify_one();
}

void Outlet::write_behind() {
  std::unique_lock lock{mutex_};
  while (true) {
    changed_.wait(lock, [this] { return finished_ || !waiting_.empty(); });
    if (waiting_.empty()) return;
    StreamItem* const item = waiting_.front();
    waiting_.pop_front();
    lock.unlock();
    end(item);
    lock.lock();
  }
}

/// The trailing stages, and then all items that are next. No two items of one place are under way: there are as many
/// places as tokens, and a token comes back when its item was taken.
void Outlet::end(StreamItem* item) {
  const std::size_t stages = stream_->stages.size();
  meter_->run(stages - trailing_, stages, *item);
  const std::scoped_lock turn{taking_};
  const auto place_of = [this](std::int64_t ticket) -> StreamItem*& {
    return done_[static_cast<std::size_t>(ticket) % done_.size()];
  };
  place_of(item->ticket) = item;
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
