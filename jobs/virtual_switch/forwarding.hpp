#pragma once

/// Where an Ethernet switch sends a frame, and when the frame has arrived there. No input, no output, no clock: the
/// caller says what time it is.
///
///     host 0 ==link==> +--------+ ==link==> host 1
///     host 2 ==link==> | switch |
///                      +--------+
///
/// Every host has one full-duplex link of the same rate. The switch cuts through: while a frame comes in on one link it
/// leaves on the other, so that a frame of b bytes alone in the network arrives b / rate + latency after it was sent,
/// and both links are busy for b / rate. A frame waits for its sender's link and for its receiver's.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

namespace duet {

using SwitchTime = std::chrono::nanoseconds;  ///< since any fixed moment

class Forwarding {
 public:
  /// `bytes_per_second` 0 stands for links without a limit. Throws std::invalid_argument where there is no port, or the
  /// rate is negative or no number.
  Forwarding(int ports, double bytes_per_second);

  /// The ports that `frame` (from its Ethernet header on), which came in at port `from`, leaves by: the one behind
  /// which its destination was seen, else all but `from`. None for a frame shorter than its header. Learns the frame's
  /// source.
  [[nodiscard]] std::vector<int> route(int from, std::span<const std::byte> frame);

  /// When a frame of `bytes` that came in at `from` at the time `sent` has gone out at `to`, without latency. Books
  /// both links until then.
  [[nodiscard]] SwitchTime transfer(int from, int to, std::size_t bytes, SwitchTime sent);

 private:
  int ports_;
  double bytes_per_second_;
  std::vector<SwitchTime> in_free_;   ///< when the link towards the switch is free
  std::vector<SwitchTime> out_free_;  ///< when the link towards the host is free
  std::unordered_map<std::uint64_t, int> port_of_;
};

}  // namespace duet
