/// virtual_switch: the network of cluster-in-a-box.sh, where it has a latency or a rate.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <vector>

#include "jobs/virtual_switch/ping_pong.hpp"
#include "jobs/virtual_switch/tap_switch.hpp"

namespace duet {
namespace {

constexpr double tolerance = 0.2;  ///< of the latency asked for, which the one that is reached keeps to
constexpr double microseconds = 1e6;

/// "PID:ADDRESS".
SwitchHost host_from(const std::string& text) {
  const auto colon = text.find(':');
  if (colon == 0 || colon == std::string::npos || text.find_first_not_of("0123456789") != colon) {
    throw std::runtime_error(fmt::format("'{}' is no host; PID:ADDRESS is expected", text));
  }
  return {std::stoi(text.substr(0, colon)), text.substr(colon + 1)};
}

double measured_latency(const std::vector<SwitchHost>& hosts, double latency) {
  constexpr double budget = 0.08;
  return half_round_trip(hosts[0], hosts[1], std::max(budget, 60 * latency));
}

/// Sets the delay with which a message takes `latency` seconds longer than the `unshaped` ones of a plain bridge: what
/// the switch itself costs is part of that. Returns the latency that was reached, above `unshaped`.
double calibrate(TapSwitch& taps, const std::vector<SwitchHost>& hosts, double latency, double unshaped) {
  constexpr int attempts = 8;
  constexpr double close_enough = 0.04;
  double delay = latency;
  double best_delay = 0;
  double best = std::numeric_limits<double>::infinity();
  for (int attempt = 0; attempt < attempts; ++attempt) {
    taps.set_delay(SwitchTime{std::llround(delay * 1e9)});
    const double reached = measured_latency(hosts, latency) - unshaped;
    if (std::abs(reached - latency) < std::abs(best - latency)) {
      best = reached;
      best_delay = delay;
    }
    if (std::abs(best - latency) <= close_enough * latency) break;
    delay = std::max(0.0, delay + latency - reached);
  }
  if (std::abs(best - latency) > tolerance * latency) {
    throw std::runtime_error(fmt::format(
        "a latency of {:.3g} us cannot be had here: {:.3g} us is the nearest; it lies above the {:.3g} us of a network "
        "without shaping",
        latency * microseconds, best * microseconds, unshaped * microseconds));
  }
  taps.set_delay(SwitchTime{std::llround(best_delay * 1e9)});
  return best;
}

struct Options {
  double latency_us = 0;
  double rate_mbit = 0;
  double unshaped_us = 0;
  std::string device = "eth0";
  std::vector<std::string> hosts;
};

void measure(const Options& options) {
  fmt::print("{:.3f}\n",
             half_round_trip(host_from(options.hosts.at(0)), host_from(options.hosts.at(1)), 0.1) * microseconds);
}

void serve(const Options& options) {
  std::vector<SwitchHost> hosts;
  for (const std::string& text : options.hosts) hosts.push_back(host_from(text));
  TapSwitch taps{hosts, options.device, options.rate_mbit * 1e6 / 8};
  double reached = 0;
  if (options.latency_us > 0) {
    reached = calibrate(taps, hosts, options.latency_us / microseconds, options.unshaped_us / microseconds);
  } else {
    reached = measured_latency(hosts, 0) - options.unshaped_us / microseconds;
  }
  const double bytes_per_second = bandwidth(hosts[0], hosts[1], 0.2 + 20 * options.latency_us / microseconds);
  // Who started the switch waits for this line.
  fmt::print("ready {:.1f} {:.1f}\n", reached * microseconds, bytes_per_second * 8 / 1e6);
  std::fflush(stdout);
  taps.wait();
  throw std::runtime_error("stopped");
}

int main(int count, char** words) {
  CLI::App app{"The network of jobs/cluster-in-a-box.sh, where it has a latency or a rate."};
  app.require_subcommand(1);
  Options options;
  const auto add_hosts = [&](CLI::App* command) {
    command
        ->add_option("hosts", options.hosts,
                     "PID:ADDRESS of each host, PID of a process in its network and on its cores")
        ->required()
        ->expected(2, 64);
  };
  CLI::App* const measuring = app.add_subcommand("measure", "print the latency between two hosts in microseconds");
  add_hosts(measuring);
  CLI::App* const serving = app.add_subcommand(
      "serve",
      "connect the hosts' TAP devices; prints 'ready LATENCY_US RATE_MBIT', as measured, and goes on for good");
  serving->add_option("--latency-us", options.latency_us, "one way, beyond that of a plain bridge")
      ->check(CLI::NonNegativeNumber);
  serving->add_option("--rate-mbit", options.rate_mbit, "of each host's link in each direction; 0: no limit")
      ->check(CLI::NonNegativeNumber);
  serving->add_option("--unshaped-us", options.unshaped_us, "the latency of a plain bridge, as from `measure`")
      ->check(CLI::NonNegativeNumber);
  serving->add_option("--device", options.device, "of each host")->capture_default_str();
  add_hosts(serving);
  CLI11_PARSE(app, count, words);
  try {
    if (measuring->parsed()) {
      measure(options);
    } else {
      serve(options);
    }
  } catch (const std::exception& error) {
    fmt::print(stderr, "virtual_switch: {}\n", error.what());
    return 1;
  }
  return 0;
}

}  // namespace
}  // namespace duet

int main(int count, char** words) { return duet::main(count, words); }
