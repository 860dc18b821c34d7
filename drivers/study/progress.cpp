#include "drivers/study/progress.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <string_view>

namespace duet {
namespace {

constexpr int usual_columns = 80;

int columns_of_terminal() {
  winsize size{};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return usual_columns;
}

/// One write each, so that lines of other processes do not stand in the middle.
void put(std::string_view text) {
  if (write(STDERR_FILENO, text.data(), text.size()) < 0) return;  // nobody left to tell
}

bool is_terminal() {
  const char* const kind = std::getenv("TERM");  // NOLINT(concurrency-mt-unsafe): nobody writes the environment then
  return isatty(STDERR_FILENO) == 1 && kind != nullptr && std::string_view{kind} != "dumb";
}

}  // namespace

std::string standing_text(const Standing& standing, int columns) {
  constexpr int cells = 20;
  const double share = std::clamp(standing.share, 0.0, 1.0);
  const auto full = static_cast<std::size_t>(std::floor(share * cells));
  std::string text =
      fmt::format("[{}{}] {:3.0f} %", std::string(full, '#'), std::string(cells - full, '.'), 100 * share);
  if (std::isfinite(standing.seconds_left)) {
    const auto seconds = static_cast<long long>(std::ceil(std::max(0.0, standing.seconds_left)));
    text += fmt::format("  {}:{:02} left", seconds / 60, seconds % 60);
  }
  if (standing.round > 0) text += fmt::format("  round {}", standing.round);
  if (standing.failures > 0) text += fmt::format("  {} failed", standing.failures);
  if (!standing.running.empty()) text += "  " + standing.running;
  if (columns > 0 && text.size() > static_cast<std::size_t>(columns)) text.resize(static_cast<std::size_t>(columns));
  return text;
}

StudyProgress::StudyProgress(bool wanted) : wanted_{wanted}, terminal_{is_terminal()} {}

void StudyProgress::show(const Standing& standing) {
  if (!wanted_) return;
  if (terminal_) {
    // One column free: a full line would wrap on some terminals.
    put(fmt::format("\r{}\x1b[K", standing_text(standing, columns_of_terminal() - 1)));
    drawn_ = true;
    return;
  }
  constexpr std::chrono::seconds pause{10};
  if (Clock::now() - last_line_ < pause) return;
  last_line_ = Clock::now();
  put(standing_text(standing, usual_columns) + "\n");
}

void StudyProgress::say(const std::string& line) {
  if (!wanted_) return;
  clear();
  put(line + "\n");
}

void StudyProgress::clear() {
  if (!drawn_) return;
  put("\r\x1b[K");
  drawn_ = false;
}

}  // namespace duet
