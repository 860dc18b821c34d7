#include "drivers/simulate/two_cores.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace duet {

std::string two_cores_platform(const std::vector<MessageTime>& times, const std::string& machine) {
  if (times.size() < 2 || !(times.front().seconds > 0)) throw std::invalid_argument("messages were not measured");
  const double latency = times.front().seconds;
  const auto bandwidth_of = [latency](const MessageTime& time) {
    return static_cast<double>(time.bytes) / (time.seconds - latency);
  };
  const MessageTime& longest = times.back();
  if (!(longest.seconds > latency)) throw std::invalid_argument("the longest message took no longer than the shortest");
  const double bandwidth = bandwidth_of(longest);
  std::string latencies;
  std::string bandwidths;
  std::int64_t before = 0;
  for (const MessageTime& time : times) {
    const double from = before == 0 ? 0 : std::sqrt(static_cast<double>(before) * static_cast<double>(time.bytes));
    // A message no longer than the shortest one travels in no time beside the latency.
    const double factor = time.seconds > latency ? bandwidth_of(time) / bandwidth : 1;
    bandwidths += fmt::format("{}{:.0f}:{:.4g}", before == 0 ? "" : ";", from, factor);
    latencies += fmt::format("{}{:.0f}:1", before == 0 ? "" : ";", from);
    before = time.bytes;
  }
  std::string comment = machine;
  std::ranges::replace(comment, '-', ' ');  // two of them would end the comment
  constexpr int eager_bytes = 4096;         // what OpenMPI's vader sends without waiting for the receiver
  return fmt::format(
      R"(<?xml version='1.0'?>
<!DOCTYPE platform SYSTEM "https://simgrid.org/simgrid.dtd">
<!-- Two cores of {0}, as measured by jobs/simulate.sh with the option calibrate. -->
<platform version="4.1">
  <config>
    <prop id="smpi/send-is-detached-thresh" value="{5}"/>
    <prop id="smpi/lat-factor" value="{1}"/>
    <prop id="smpi/bw-factor" value="{2}"/>
  </config>
  <zone id="this-machine" routing="Full">
    <host id="core-0" speed="1Gf"><prop id="memory" value="shared"/></host>
    <host id="core-1" speed="1Gf"><prop id="memory" value="shared"/></host>
    <link id="memory" bandwidth="{3:.6g}Bps" latency="{4:.4g}s" sharing_policy="SPLITDUPLEX"/>
    <route src="core-0" dst="core-1">
      <link_ctn id="memory" direction="UP"/>
    </route>
  </zone>
</platform>
)",
      comment, latencies, bandwidths, bandwidth, latency, eager_bytes);
}

}  // namespace duet
