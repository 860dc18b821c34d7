#pragma once

#include <time.h>

namespace duet {

/// Seconds that the calling thread has computed: time when others had its core does not count.
[[nodiscard]] inline double thread_seconds() {
  timespec now{};
  static_cast<void>(::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now));
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

}  // namespace duet
