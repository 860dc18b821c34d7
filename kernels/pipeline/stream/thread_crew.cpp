#include "kernels/pipeline/stream/thread_crew.hpp"

#include <utility>

namespace duet {

ThreadCrew& ThreadCrew::kept() {
  thread_local ThreadCrew crew;
  return crew;
}

ThreadCrew::~ThreadCrew() {
  for (const auto& member : members_) {
    const std::scoped_lock lock{member->mutex};
    member->ends = true;
    member->changed.notify_all();
  }
}

void ThreadCrew::serve(Member& member) {
  std::unique_lock lock{member.mutex};
  while (true) {
    member.changed.wait(lock, [&] { return member.ends || member.act; });
    if (!member.act) return;
    lock.unlock();
    member.act();
    lock.lock();
    member.act = nullptr;
    member.changed.notify_all();
  }
}

void ThreadCrew::Shift::add(std::function<void()> act) {
  if (crew_.resting_.empty()) {
    crew_.resting_.push_back(crew_.members_.size());
    Member& made = *crew_.members_.emplace_back(std::make_unique<Member>());
    made.thread = std::jthread{[&made] { serve(made); }};
  }
  const std::size_t number = crew_.resting_.back();
  crew_.resting_.pop_back();
  members_.push_back(number);
  Member& member = *crew_.members_[number];
  const std::scoped_lock lock{member.mutex};
  if (on_start_) {
    act = [start = on_start_, act = std::move(act)] {
      start();
      act();
    };
  }
  member.act = std::move(act);
  member.changed.notify_all();
}

ThreadCrew::Shift::~Shift() {
  for (const std::size_t number : members_) {
    Member& member = *crew_.members_[number];
    std::unique_lock lock{member.mutex};
    member.changed.wait(lock, [&] { return !member.act; });
    crew_.resting_.push_back(number);
  }
}

}  // namespace duet
