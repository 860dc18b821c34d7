#pragma once

/// The machine as this job may use it: control groups and affinity masks count, not what the box has.

#include <map>
#include <string>

#include "drivers/study/trials.hpp"

namespace duet {

/// Reads the topology through hwloc, and the processor's name and limits from /proc and /sys. About 10 ms. Leaves
/// `peak_flops_one_core` at 0: measuring takes time.
[[nodiscard]] Machine describe_machine();

/// Identifies the running kernel, or empty where there is no /proc: hosts in namespaces of one machine share it.
[[nodiscard]] std::string running_kernel();

/// Bytes that a new process of this job could still take before the system or its control group runs out.
[[nodiscard]] double available_memory();

/// Compiler, flags, MPI, OpenMP, TBB, Eigen, GMP, hwloc: for the record.
[[nodiscard]] std::map<std::string, std::string> describe_versions();

/// Throws UsageError with the figure where `bytes` exceeds what is available; `what` names what needs them.
void refuse_without_memory(const std::string& what, double bytes);

}  // namespace duet
