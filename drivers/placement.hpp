#pragma once

/// Which worker runs on which core. Workers go to physical cores in hwloc's logical order, one each, worker 0 first, in
/// every model alike: so that two models are compared on the same cores. A worker is bound to one logical processor,
/// the first of its core that this job may use; a second hardware thread of a core is never taken.

#include <string>
#include <vector>

#include "drivers/study/trials.hpp"

namespace duet {

/// A physical core of which this job may use at least one logical processor.
struct UsableCore {
  int core = 0;  ///< hwloc's logical index
  int numa_node = 0;
  std::vector<int> processors;  ///< logical processors of it that may be used; operating system's numbers, ascending
};

/// The cores on which the calling process may run now, in logical order.
[[nodiscard]] std::vector<UsableCore> usable_cores();

/// The part of `cores` that has a logical processor in `allowed` (operating system's numbers), reduced to those.
[[nodiscard]] std::vector<UsableCore> restricted_to(const std::vector<UsableCore>& cores,
                                                    const std::vector<int>& allowed);

/// The machine's cores, whatever the calling process is bound to.
[[nodiscard]] std::vector<UsableCore> all_cores();

/// Logical processors that the calling thread may run on now.
[[nodiscard]] std::vector<int> processors_of_this_thread();

/// Where workers first to first + count - 1 of this node go: worker w to cores[w], around again where there are fewer
/// cores than workers (two then share a core, which `shares_a_core` finds). `cores` must not be empty.
[[nodiscard]] std::vector<WorkerPlace> places_for(const std::vector<UsableCore>& cores, int first, int count);

/// Binds the calling thread to `place.bound_to`. Throws std::runtime_error with the system's reason.
void bind_this_thread(const WorkerPlace& place);

/// True where two of the workers stand on one core of one host, or where one may run on several cores.
[[nodiscard]] bool shares_a_core(const std::vector<WorkerPlace>& places);

}  // namespace duet
