#pragma once

#include <sched.h>

namespace duet::hazards {

/// Logical processors that the calling thread may run on.
[[nodiscard]] inline int cores_here() {
  cpu_set_t mine;
  CPU_ZERO(&mine);
  if (sched_getaffinity(0, sizeof mine, &mine) != 0) return 1;
  const int count = CPU_COUNT(&mine);
  return count < 1 ? 1 : count;
}

}  // namespace duet::hazards
