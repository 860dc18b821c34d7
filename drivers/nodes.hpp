#pragma once

/// The nodes of a study, asked before anything is measured: a host that is down, a name with a typo, another build of
/// the program or more slots than cores cost one line then, and not an hour.

#include <filesystem>
#include <string>
#include <vector>

#include "drivers/study/launch.hpp"
#include "drivers/study/launcher.hpp"
#include "drivers/study/plan.hpp"
#include "drivers/study/trials.hpp"

namespace duet {

/// The launch of `duet node` with one rank on every node, which answers into `file`.
[[nodiscard]] Command question_to_nodes(const LaunchSettings& launching, const std::filesystem::path& file);

/// Asks every node of the launcher what it is (`duet node`), in one launch; answers in the launcher's order. `folder`
/// is there, and shared by the nodes. Throws UsageError in one line: which host cannot be used and why, asked one by
/// one where they cannot be asked together. Empty where `stop` was signalled. At most a minute, and 15 s for each host
/// that is then asked alone.
[[nodiscard]] std::vector<Node> ask_nodes(const LaunchSettings& launching, const std::filesystem::path& folder,
                                          const StopSignals& stop);

/// Throws UsageError where a study on these nodes would compare unlike things: another build of the program than here
/// or another version of a library somewhere, one node under two names, a host with more slots than cores. Pure.
void refuse_unlike_nodes(const std::vector<Node>& nodes, const std::vector<Host>& hosts, const std::string& program);

/// What a reader must know of nodes that may differ: other processors, one that is slower than the others by a tenth or
/// more, several that are one machine. A line each. Pure.
[[nodiscard]] std::vector<std::string> doubts_about(const std::vector<Node>& nodes);

/// What every node has: the fewest cores (or slots, where `hosts` name some), the least memory. Pure.
[[nodiscard]] Resources common_resources(const std::vector<Node>& nodes, const std::vector<Host>& hosts);

/// The hash of the file at `path`, as Node::program has it. Throws std::runtime_error where it cannot be read.
[[nodiscard]] std::string program_hash(const std::string& path);

}  // namespace duet
