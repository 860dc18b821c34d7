#pragma once

/// An Ethernet switch in user space between network namespaces of this machine: it holds the other end of each host's
/// TAP device and delivers every frame after a delay, for kernels without netem.
///
/// Frames keep the kernel's offload header, so that a segment of 64 KiB crosses in one piece. One thread forwards: it
/// sleeps while nothing is due, and looks at the clock without pause for as long before a frame is due as sleeps are
/// late on this machine (some 30 microseconds on a virtual one). Where it may, it runs at real-time priority. It costs
/// a core while frames are under way, and nothing when none are.

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "jobs/virtual_switch/forwarding.hpp"

namespace duet {

/// A host as seen from outside.
struct SwitchHost {
  int process = 0;        ///< one that runs there, with the host's network namespace and on its cores
  std::string address{};  ///< IPv4
};

/// Moves the calling thread into the host's network. Throws std::runtime_error with the system's reason.
void enter_network(const SwitchHost& host);

class TapSwitch {
 public:
  /// Takes hold of the persistent TAP device `device` (created with vnet_hdr) of each host, and forwards from now on.
  /// Throws std::runtime_error where a device cannot be had.
  TapSwitch(const std::vector<SwitchHost>& hosts, const std::string& device, double bytes_per_second);
  ~TapSwitch();
  TapSwitch(const TapSwitch&) = delete;
  TapSwitch& operator=(const TapSwitch&) = delete;

  /// Frames that come in from now on are delivered `delay` after their transfer.
  void set_delay(SwitchTime delay) { delay_ = delay.count(); }

  /// Returns when the switch has stopped by itself, which it does on an error alone.
  void wait();

 private:
  class Ports;
  void forward();

  std::atomic<std::int64_t> delay_{0};  ///< nanoseconds
  std::atomic<bool> stop_{false};
  double bytes_per_second_;
  std::unique_ptr<Ports> ports_;
  std::thread thread_;
};

}  // namespace duet
