#pragma once

#include <sched.h>

#include <cstddef>

namespace duet::hazards {

/// Logical processors that the calling thread may run on.
[[nodiscard]] inline int cores_here() {
  cpu_set_t mine;
  CPU_ZERO(&mine);
  if (sched_getaffinity(0, sizeof mine, &mine) != 0) return 1;
  const int count = CPU_COUNT(&mine);
  return count < 1 ? 1 : count;
}

/// Binds the calling thread to one of them, worker by worker in turn. For a thread that ends with its work.
inline void bind_to_core(int worker) {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0 || CPU_COUNT(&allowed) < 1) return;
  int which = worker % CPU_COUNT(&allowed);
  for (std::size_t core = 0; core < CPU_SETSIZE; ++core) {
    if (!CPU_ISSET(core, &allowed) || which-- > 0) continue;
    cpu_set_t only;
    CPU_ZERO(&only);
    CPU_SET(core, &only);
    static_cast<void>(sched_setaffinity(0, sizeof only, &only));
    return;
  }
}

}  // namespace duet::hazards
