#include "kernels/pipeline/stream/intake.hpp"

#include <algorithm>
#include <tuple>

namespace duet {

Intake::Intake(const Stream& stream, StageMeter& meter, int tokens, const IoThreads& threads)
    : stream_{&stream},
      meter_{&meter},
      leading_{threads.leading},
      items_(static_cast<std::size_t>(std::max(1, tokens))),
      ready_(items_.size()),
      expects_{leading_ > 0 && stream.stages.front().expect != nullptr},
      asynchronous_{threads.answers != 0},
      readers_{ThreadCrew::kept(), threads.on_start} {
  // A disk that waits for tokens is not what is waited for: it goes on with several of them, and not each wakes it.
  constexpr std::size_t wakes_in_turn = 4;
  const bool reads = leading_ > 0 && stream.stages.front().kind == StageKind::disk && !stream.ready;
  worth_waking_ = reads ? std::max<std::size_t>(1, items_.size() / wakes_in_turn) : 1;
  for (StreamItem& item : items_) free_.push_back(&item);
  if (asynchronous_) readers_.add([this] { await_answers(); });
  for (int reader = 0; reader < threads.readers; ++reader) readers_.add([this] { read_ahead(); });
}

Intake::~Intake() { close(); }

void Intake::close() {
  const std::scoped_lock lock{mutex_};
  ended_ = true;
  tokens_changed_.notify_all();
  ready_changed_.notify_all();
  answers_changed_.notify_all();
}

/// Asks the source; `lock` is open meanwhile. False at the end.
bool Intake::fetch(StreamItem* item, std::unique_lock<std::mutex>& lock) {
  lock.unlock();
  bool found = false;
  std::exception_ptr failure;
  {
    // One at a time, and the ticket is taken before the next one may ask.
    const std::scoped_lock turn{source_};
    lock.lock();
    const bool ended = ended_;
    lock.unlock();
    if (!ended) {
      try {
        item->index = next_ticket_;  // nobody else takes a ticket in this turn
        item->count = 1;
        item->fault.clear();
        item->data.clear();
        found = stream_->next(*item);
      } catch (...) {
        failure = std::current_exception();
      }
    }
    lock.lock();
    if (found) {
      item->ticket = next_ticket_++;
    } else {
      ended_ = true;
      if (failure && !failure_) failure_ = failure;
      free_.push_back(item);
      tokens_changed_.notify_all();
      ready_changed_.notify_all();
      answers_changed_.notify_all();
    }
    lock.unlock();
  }
  if (found) meter_->queue(0, *item);
  lock.lock();
  return found;
}

/// The leading stages; `lock` is open meanwhile.
void Intake::lead(StreamItem* item, std::unique_lock<std::mutex>& lock) {
  lock.unlock();
  meter_->run(0, leading_, *item);
  lock.lock();
}

/// One that was fetched, for which `lock` is open meanwhile; none at the end, or where others were faster.
StreamItem* Intake::next_to_read(std::unique_lock<std::mutex>& lock) {
  while (!ended_ && !free_.empty()) {
    StreamItem* const item = free_.back();
    free_.pop_back();
    if (!expects_ && !free_.empty()) tokens_changed_.notify_one();
    if (!fetch(item, lock)) break;
    if (!expects_) return item;
    lock.unlock();
    meter_->expect(0, *item);
    lock.lock();
    expected_.push_back(item);
  }
  if (expected_.empty()) return nullptr;
  StreamItem* const item = expected_.front();
  expected_.pop_front();
  if (!expected_.empty()) tokens_changed_.notify_one();
  take_room(*item);
  return item;
}

// Many items are expected, and few are read and worked on at a time: these use the same memory, while it is in caches.
void Intake::take_room(StreamItem& item) {
  if (room_.empty() || item.data.size() != 0) return;
  std::tie(item.data, item.spare) = std::move(room_.back());
  room_.pop_back();
}
void Intake::leave_room(StreamItem& item) {
  item.data.clear();
  item.spare.clear();
  room_.emplace_back(std::move(item.data), std::move(item.spare));
}

void Intake::read_ahead() {
  std::unique_lock lock{mutex_};
  while (true) {
    tokens_changed_.wait(lock, [this] { return ended_ || !free_.empty() || !expected_.empty(); });
    StreamItem* const item = next_to_read(lock);
    if (item == nullptr) {
      if (ended_) return;
      continue;
    }
    if (!asynchronous_) {
      lead(item, lock);
      put_ready(item, lock);
      continue;
    }
    lock.unlock();
    const Clock::time_point due = meter_->begin(0, *item);
    lock.lock();
    answers_.push({due, item});
    ++begun_;
    answers_changed_.notify_all();
  }
}

/// `lock` is open for a moment.
void Intake::put_ready(StreamItem* item, std::unique_lock<std::mutex>& lock) {
  ready_[static_cast<std::size_t>(item->ticket) % ready_.size()] = item;
  if (item->ticket != next_ready_) return;
  lock.unlock();
  ready_changed_.notify_one();
  lock.lock();
}

/// One thread, however many answers are waited for.
void Intake::await_answers() {
  std::unique_lock lock{mutex_};
  while (true) {
    if (answers_.empty()) {
      if (ended_ && begun_ == next_ticket_) return;
      answers_changed_.wait(lock);
      continue;
    }
    const auto [due, item] = answers_.top();
    if (Clock::now() < due) {
      answers_changed_.wait_until(lock, due);  // or until there is one that is due before
      continue;
    }
    answers_.pop();
    lock.unlock();
    meter_->end(0, *item);
    meter_->run(1, leading_, *item);
    lock.lock();
    put_ready(item, lock);
  }
}

Intake::Supplied Intake::take_ready(std::unique_lock<std::mutex>& lock) {
  if (readers_.empty() && !ended_ && !free_.empty()) {
    StreamItem* const item = free_.back();
    free_.pop_back();
    if (fetch(item, lock)) {
      lead(item, lock);
      ++next_ready_;
      return {Supply::item, item};
    }
  }
  StreamItem*& place = ready_[static_cast<std::size_t>(next_ready_) % ready_.size()];
  if (place != nullptr) {
    StreamItem* const item = place;
    place = nullptr;
    ++next_ready_;
    return {Supply::item, item};
  }
  // An item that a reader is at still comes.
  if (!ended_ || next_ready_ < next_ticket_) return {Supply::nothing_yet, nullptr};
  if (failure_) std::rethrow_exception(failure_);
  return {Supply::ended, nullptr};
}

Intake::Supplied Intake::pull() {
  std::unique_lock lock{mutex_};
  while (true) {
    const Supplied supplied = take_ready(lock);
    if (supplied.supply != Supply::nothing_yet) return supplied;
    ready_changed_.wait(lock);
  }
}

Intake::Supplied Intake::try_pull() {
  std::unique_lock lock{mutex_};
  return take_ready(lock);
}

void Intake::give_back(StreamItem* item) {
  bool wakes = false;
  {
    const std::scoped_lock lock{mutex_};
    if (expects_) leave_room(*item);
    free_.push_back(item);
    wakes = free_.size() >= worth_waking_;
  }
  if (!wakes) return;
  if (readers_.empty()) {
    ready_changed_.notify_one();
  } else {
    tokens_changed_.notify_one();
  }
}

}  // namespace duet
