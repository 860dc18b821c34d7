#include "drivers/files/progress_line.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <utility>

namespace duet {
namespace {

constexpr double first_told_seconds = 2;
constexpr double told_again_seconds = 30;
constexpr std::chrono::milliseconds look_every{250};

}  // namespace

ProgressLine::ProgressLine(bool speaks) : terminal_{::isatty(STDERR_FILENO) == 1}, since_{Clock::now()} {
  if (!speaks) return;
  thread_ = std::thread{[this] {
    std::unique_lock lock{mutex_};
    while (!ended_) {
      changed_.wait_for(lock, look_every);
      tell();
    }
  }};
}

ProgressLine::~ProgressLine() {
  {
    const std::scoped_lock lock{mutex_};
    ended_ = true;
    clear();
  }
  changed_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void ProgressLine::now(std::string what) {
  const std::scoped_lock lock{mutex_};
  clear();
  what_ = std::move(what);
  since_ = Clock::now();
  share_ = 0;
  next_told_ = first_told_seconds;
}

Progress ProgressLine::meter() {
  if (!thread_.joinable()) return {};
  return [this](std::int64_t done, std::int64_t total) {
    const std::scoped_lock lock{mutex_};
    share_ = total > 0 ? static_cast<double>(done) / static_cast<double>(total) : 0;
  };
}

void ProgressLine::tell() {
  const double seconds = std::chrono::duration<double>(Clock::now() - since_).count();
  if (ended_ || what_.empty() || seconds < (terminal_ ? first_told_seconds : next_told_)) return;
  show(seconds);
  next_told_ = seconds + told_again_seconds;
}

void ProgressLine::show(double seconds) {
  std::string text = fmt::format("{}: {:.0f} s", what_, seconds);
  if (share_ > 0 && share_ < 1) {
    text += fmt::format(", {:.0f} %, about {:.0f} s more", 100 * share_, seconds * (1 - share_) / share_);
  }
  if (terminal_) {
    constexpr std::size_t columns = 79;
    fmt::print(stderr, "\r\x1b[K{}", text.substr(0, columns));
    shown_ = true;
  } else {
    fmt::print(stderr, "{}\n", text);
  }
  std::fflush(stderr);
}

void ProgressLine::clear() {
  if (shown_) fmt::print(stderr, "\r\x1b[K");
  if (shown_) std::fflush(stderr);
  shown_ = false;
}

}  // namespace duet
