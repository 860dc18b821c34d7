#pragma once

/// A platform file of SimGrid for two cores of one node, between which messages take as long as they were measured to.

#include <cstdint>
#include <string>
#include <vector>

namespace duet {

struct MessageTime {
  std::int64_t bytes = 0;
  double seconds = 0;  ///< one way
};

/// Two hosts with a core each, which share memory (Simulation::shares_memory), and a link between them. SMPI multiplies
/// its bandwidth by a factor for messages of so many bytes and more: each time counts for the sizes around its own, on
/// a logarithmic scale. `times` are by ascending size, two at the least; the first is the latency. `machine` is named
/// in a comment. Throws std::invalid_argument for times that give no bandwidth.
[[nodiscard]] std::string two_cores_platform(const std::vector<MessageTime>& times, const std::string& machine);

}  // namespace duet
